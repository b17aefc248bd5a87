"""The workbook: what a spreadsheet reads in it, and that its formulas reach the app's totals."""

import io
import re
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from advisor.exports.cash_flow import OF_PRICE, cash_flow_of
from advisor.exports.materials import materials_of
from advisor.questions import PRESETS
from advisor.services.money import Wishes, money_on
from costing.engine import tco
from tests.exports.conftest import ContentOf, SubjectOf
from tests.services import need

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("exports")]

SHEETS = [
    "Summary", "Plans", "Bill of materials", "Cash flow", "Money", "Money by month",
    "Money by axis", "Assumptions", "Provenance", "Why not",
]  # fmt: skip
OFFICE = shutil.which("soffice")
CHANGED = "fedramp_summarisation"  # a plan to buy, whose price a test changes
NEW_PRICE_USD = 200_000.0


def opened(content: bytes, **options: Any) -> Workbook:
    return load_workbook(io.BytesIO(content), **options)


def rows_of(book: Workbook, sheet: str) -> list[tuple[Any, ...]]:
    return list(book[sheet].iter_rows(values_only=True))


def row_named(book: Workbook, sheet: str, label: str) -> tuple[Any, ...]:
    return next(row for row in rows_of(book, sheet) if row[0] == label)


def total_of(book: Workbook) -> float:
    """The grand total of the cash flow: two columns before the last, or one where it is even."""
    header = next(row for row in rows_of(book, "Cash flow") if row[0] == "Month")
    return float(row_named(book, "Cash flow", "Over the horizon")[header.index("Total")])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_workbook_has_all_its_sheets(
    preset: str, subject_of_preset: SubjectOf, content_of: ContentOf
) -> None:
    assert opened(content_of(subject_of_preset(preset), "xlsx")).sheetnames == SHEETS


def test_the_money_of_the_workbook_is_that_of_the_page(
    subject_of_preset: SubjectOf, content_of: ContentOf
) -> None:
    subject = subject_of_preset(CHANGED)
    rows = rows_of(opened(content_of(subject, "xlsx")), "Money by month")
    header = next(row for row in rows if row[0] == "Month")
    months = [row[header.index("Total, USD")] for row in rows if isinstance(row[0], int | float)]

    page = money_on(subject.worked, Wishes(plan=subject.chosen.plan["id"])).flow.total_usd[0]
    assert months == page.tolist()


@pytest.mark.parametrize("preset", PRESETS)
def test_the_months_add_up_to_the_answer_to_the_cent(
    preset: str, subject_of_preset: SubjectOf
) -> None:
    subject = subject_of_preset(preset, lambda p: p["kind"] != "fleet" and not p["price_open"])
    flow = cash_flow_of(subject.chosen)
    lines = sum(round(float(line.sum()), 2) for line in flow.lines.values())

    total = subject.chosen.plan["total_cost_usd"]["value"]
    assert round(lines + flow.rounding_usd, 2) == total


def test_a_plan_to_buy_lists_what_stands_around_its_systems(subject_of_preset: SubjectOf) -> None:
    chosen = subject_of_preset(CHANGED).chosen
    groups = {line.group for line in materials_of(chosen, cash_flow_of(chosen))}

    assert groups >= {"Systems", "Network", "Cabling", "Power", "Space", "Spares", "Support"}


def test_the_bill_of_a_plan_to_buy_costs_what_its_cost_lines_say(
    subject_of_preset: SubjectOf,
) -> None:
    chosen = subject_of_preset(CHANGED).chosen
    bill = sum(
        round((line.quantity or 0.0) * line.usd_each, 2)
        for line in materials_of(chosen, cash_flow_of(chosen))
        if line.usd_each is not None
    )
    others = {tco.STORAGE, tco.EGRESS, tco.INTER_REGION, tco.MONITORING, tco.PEOPLE, tco.PORTING,
              tco.CARBON, tco.RESIDUAL, tco.TAX, tco.CONTINGENCY}  # fmt: skip
    lines = sum(x["usd"] for x in chosen.plan["cost_breakdown"] if x["label"] not in others)

    assert bill == pytest.approx(lines, abs=0.02)


def test_an_open_price_is_a_quote_to_get_and_a_cell_to_fill(
    subject_of_preset: SubjectOf, content_of: ContentOf
) -> None:
    subject = subject_of_preset("chatbot_1m", lambda p: p["purchase"] == "quote")
    book = opened(content_of(subject, "xlsx"))
    bill = next(row for row in rows_of(book, "Bill of materials") if row[0] == "Systems")
    price = row_named(book, "Cash flow", "Price of one system, USD")

    assert (bill[4], price[2]) == ("get a quote", "price open: type the quoted one")


def without_cached_values(content: bytes, changes: Mapping[str, bytes]) -> bytes:
    """The workbook as if no formula had ever been computed, some of its XML replaced."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name.startswith("xl/worksheets/"):
                part = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", part)
                for text, instead in changes.items():
                    part = part.replace(text.encode(), instead)
            new.writestr(name, part)
    return out.getvalue()


@pytest.fixture(scope="session")
def recomputed(
    subject_of_preset: SubjectOf, content_of: ContentOf, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Workbook]:
    """Every preset's workbook as LibreOffice computes it, all in one start of the office.

    One more has another purchase price typed into its yellow cell.
    """
    need("LibreOffice Calc", present=OFFICE is not None)
    made, folder = tmp_path_factory.mktemp("made"), tmp_path_factory.mktemp("computed")
    for preset in PRESETS:
        content = content_of(subject_of_preset(preset), "xlsx")
        (made / f"{preset}.xlsx").write_bytes(without_cached_values(content, {}))
    chosen = subject_of_preset(CHANGED).chosen
    old = f"<v>{cash_flow_of(chosen).usd_per_instance:.16G}</v>"
    content = content_of(subject_of_preset(CHANGED), "xlsx")
    changed = without_cached_values(content, {old: b"<v>%d</v>" % NEW_PRICE_USD})
    (made / "changed.xlsx").write_bytes(changed)
    profile = tmp_path_factory.mktemp("profile").as_uri()
    subprocess.run(
        [str(OFFICE), f"-env:UserInstallation={profile}", "--headless", "--convert-to", "xlsx",
         "--outdir", str(folder), *map(str, sorted(made.glob("*.xlsx")))],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    books = {path.stem: opened(path.read_bytes(), data_only=True) for path in folder.glob("*")}
    assert set(books) == {*PRESETS, "changed"}
    return books


@pytest.mark.libreoffice
@pytest.mark.parametrize("preset", PRESETS)
def test_libreoffice_computes_the_total_of_the_answer(
    preset: str, recomputed: dict[str, Workbook], subject_of_preset: SubjectOf
) -> None:
    plan = subject_of_preset(preset).plan
    assert plan is not None
    book = recomputed[preset]
    summary = row_named(book, "Summary", "Total")[1]

    assert (total_of(book), summary) == (plan["total_cost_usd"]["value"],) * 2


@pytest.mark.libreoffice
@pytest.mark.parametrize("preset", PRESETS)
def test_libreoffice_finds_no_error_in_any_cell(
    preset: str, recomputed: dict[str, Workbook]
) -> None:
    cells = (c for sheet in recomputed[preset] for row in sheet.iter_rows() for c in row)

    assert [c.coordinate for c in cells if c.data_type == "e"] == []


@pytest.mark.libreoffice
def test_a_price_that_is_typed_in_moves_hardware_support_and_total(
    recomputed: dict[str, Workbook], subject_of_preset: SubjectOf
) -> None:
    flow = cash_flow_of(subject_of_preset(CHANGED).chosen)
    scale = NEW_PRICE_USD / flow.usd_per_instance - 1.0
    spent = sum(flow.told_usd.get(label, 0.0) for label in OF_PRICE if label != tco.RESIDUAL)
    more = scale * spent * (1.0 + flow.rules.contingency_fraction)
    more += scale * flow.told_usd[tco.RESIDUAL]

    expected = sum(flow.told_usd.values()) + more
    assert total_of(recomputed["changed"]) == pytest.approx(expected, abs=0.05)
