"""The methods pages keep up with the code: every module, command, setting and problem is there."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = {
    path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "templates/docs").glob("*.md")
}
TEXT = "\n".join(PAGES.values())
ENGINES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for package in ("advisor", "costing", "catalog")
    for path in (ROOT / package / "engine").rglob("*.py")
    if path.stem != "__init__"
)
COMMANDS = sorted(
    path.stem
    for package in ("advisor", "costing", "catalog")
    for path in (ROOT / package / "management" / "commands").glob("*.py")
    if path.stem != "__init__"
)
SETTINGS = sorted(
    set(re.findall(r"\bADVISOR_[A-Z_]*[A-Z]\b", (ROOT / "advisor/settings.py").read_text()))
)
PROBLEMS = sorted(
    {
        kind
        for path in (ROOT / "advisor").rglob("*.py")
        for kind in re.findall(r"\bproblem\(\s*\"([a-z-]+)\"", path.read_text(encoding="utf-8"))
    }
)
NAMED = set(re.findall(r"`((?:advisor|costing|catalog)\.engine\.[a-z_.*]+)`", TEXT))
METHODS = (
    "availability",
    "bids",
    "candidates",
    "cashflow",
    "catalogue-rules",
    "choice",
    "cost",
    "demand",
    "distance",
    "evidence",
    "explanations",
    "files",
    "footprint",
    "latency",
    "pools",
    "queueing",
    "recalibration",
    "samples",
    "serverless",
    "serving",
    "stages",
    "training",
    "uncertainty",
)


@pytest.mark.parametrize("module", ENGINES)
def test_every_engine_module_is_on_a_methods_page(module: str) -> None:
    assert any(fnmatch(module, name) for name in NAMED)


def test_no_page_names_a_module_that_is_gone() -> None:
    assert [name for name in NAMED if not any(fnmatch(each, name) for each in ENGINES)] == []


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_its_line(command: str) -> None:
    assert re.search(rf"^\| `{command}[ `]", PAGES["running"], re.MULTILINE)


@pytest.mark.parametrize("variable", SETTINGS)
def test_every_setting_has_its_line(variable: str) -> None:
    assert f"| `{variable}` |" in PAGES["running"]


@pytest.mark.parametrize("kind", PROBLEMS)
def test_every_problem_type_has_its_heading(kind: str) -> None:
    assert f"\n## {kind}\n" in PAGES["problems"]


@pytest.mark.parametrize("page", METHODS)
def test_a_methods_page_states_assumption_source_limits_and_check(page: str) -> None:
    headings = re.findall(r"^## (.+)$", PAGES[page], re.MULTILINE)

    assert [h for h in headings if h in ("Assumption", "Source", "Limits", "Check")] == [
        "Assumption",
        "Source",
        "Limits",
        "Check",
    ]


@pytest.mark.parametrize("page", sorted(PAGES))
def test_links_between_pages_lead_somewhere(page: str) -> None:
    assert set(re.findall(r"\]\(/docs/([a-z-]+)\)", PAGES[page])) - set(PAGES) == set()


def test_the_index_leads_to_every_page() -> None:
    assert set(PAGES) - set(re.findall(r"\]\(/docs/([a-z-]+)\)", PAGES["index"])) == {"index"}
