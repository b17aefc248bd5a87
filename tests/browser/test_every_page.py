"""Every page for everybody: accessible, quiet, and as wide as the screen."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.browser.conftest import NARROW, WIDE, Look, Site, look

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
ANSWER_WITHIN_MS = 60_000
PAGES = (
    "/",
    "/assessments",
    "/start/chatbot_1m",
    "/start/mixed_company",
    "/bids",
    "/bids/new",
    "/prices",
    "/prices/new",
    "/catalogue",
    "/catalogue/accelerators",
    "/catalogue/accelerators/nvidia-h100-sxm",
    "/catalogue/systems",
    "/catalogue/models",
    "/catalogue/models/llama3.1-70b",
    "/catalogue/offers",
    "/catalogue/measurements",
    "/catalogue/training",
    "/catalogue/sources",
    "/evidence/",
    "/docs/",
    "/docs/serving",
    "/docs/running",
)
ANSWERS = ("chatbot_1m", "mixed_company", "article_finetune_4xh100_72h")
ONLY_COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}


@pytest.fixture
def tab(chromium: Browser, site: Site) -> Iterator[Look]:
    opened = look(chromium, site.address)
    yield opened
    opened.page.context.close()


def findings(tab: Look) -> list[str]:
    """What axe finds in light and in dark."""
    found: list[str] = []
    for scheme in ("light", "dark"):
        tab.page.emulate_media(color_scheme=scheme)
        found += findings_in(scheme, tab)
    return found


def findings_in(scheme: str, tab: Look) -> list[str]:
    found = Axe().run(tab.page, options=ONLY_COLOURS if scheme == "dark" else None)
    return [
        f"{scheme}: {each['id']}: {node['html'][:160]}"
        for each in found.response["violations"]
        for node in each["nodes"]
    ]


def too_wide_by(tab: Look) -> int:
    """How far the page itself, not a table in it, reaches beyond a telephone's screen."""
    tab.page.set_viewport_size(NARROW)  # type: ignore[arg-type]
    extra: int = tab.page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return extra


def verdict(tab: Look) -> tuple[list[str], list[str], list[str], int]:
    return findings(tab), tab.complaints, tab.violations(), too_wide_by(tab)


CLEAN: tuple[list[str], list[str], list[str], int] = ([], [], [], 0)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_quiet_and_fits(tab: Look, path: str) -> None:
    tab.open(path)

    assert verdict(tab) == CLEAN


@pytest.mark.parametrize("preset", ANSWERS)
def test_an_answer_is_accessible_quiet_and_fits(tab: Look, working_site: Site, preset: str) -> None:
    tab.open(f"/start/{preset}")
    tab.page.get_by_role("button", name="Get the advice").click()
    expect(tab.page.locator(".sentence")).to_be_visible(timeout=ANSWER_WITHIN_MS)
    expect(tab.page.locator("[data-chart-place]:not([data-drawn])")).to_have_count(0)

    assert verdict(tab) == CLEAN


def test_the_money_of_an_answer_is_accessible_quiet_and_fits(tab: Look, working_site: Site) -> None:
    tab.open("/start/chatbot_1m")
    tab.page.get_by_role("button", name="Get the advice").click()
    tab.page.get_by_role("link", name="Money").click(timeout=ANSWER_WITHIN_MS)
    expect(tab.page.locator("[data-chart-place]:not([data-drawn])")).to_have_count(0)

    assert verdict(tab) == CLEAN


def test_the_what_ifs_on_latency_are_accessible_quiet_and_fit(
    tab: Look, working_site: Site
) -> None:
    tab.open("/start/code_assistant_2k")
    tab.page.get_by_role("button", name="Get the advice").click()
    tab.page.get_by_role("link", name="Latency").click(timeout=ANSWER_WITHIN_MS)
    seen = {}
    for what_if in ("Distance", "Stages", "Sharing", "Scaling", "Failures"):
        tab.page.set_viewport_size(WIDE)  # type: ignore[arg-type]
        tab.page.get_by_role("link", name=what_if, exact=True).click(timeout=ANSWER_WITHIN_MS)
        expect(tab.page.locator("[data-chart-place]:not([data-drawn])")).to_have_count(0)
        seen[what_if] = verdict(tab)

    assert seen == dict.fromkeys(seen, CLEAN)


def test_the_whole_questionnaire_is_accessible_quiet_and_fits(tab: Look) -> None:
    tab.open("/start/mixed_company")
    tab.page.get_by_role("button", name="Answer more questions first").click()
    tab.page.get_by_role("link", name="Everything").click()
    expect(tab.page.locator("[aria-current=true]")).to_have_text("Everything")

    assert verdict(tab) == CLEAN


def test_a_refused_form_is_accessible_quiet_and_fits(tab: Look) -> None:
    tab.open("/start/chatbot_1m")
    tab.page.get_by_label("Number of users").fill("plenty")
    tab.page.get_by_role("button", name="Get the advice").click()
    expect(tab.page.locator("[data-problems]")).to_be_focused()
    refusals = [said for said in tab.complaints if "422" not in said]

    assert (findings(tab), refusals, tab.violations(), too_wide_by(tab)) == CLEAN
