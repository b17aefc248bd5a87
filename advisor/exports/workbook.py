"""The workbook for buyers: summary, plans, bill of materials, cash flow, assumptions, origin."""

from collections.abc import Mapping
from typing import IO, Any

from xlsxwriter.workbook import Workbook

from advisor.exports.as_csv import HEADER, plan_row
from advisor.exports.cash_flow import CashFlow, cash_flow_of
from advisor.exports.cash_flow_sheet import add_cash_flow, add_even_cash_flow
from advisor.exports.formats import Format
from advisor.exports.materials import QUOTE, Material, fleet_materials, materials_of
from advisor.exports.money_sheets import add_money
from advisor.exports.refusal import CannotExport
from advisor.exports.sheets import Formula, Sheet, Styles
from advisor.exports.subject import Document, Subject

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
RANGES = "Ranges are 80 % intervals. An empty cell is unknown, never zero."


def write_workbook(subject: Subject, stream: IO[bytes]) -> None:
    """All sheets; rows go to disk as they are written, so that memory stays flat."""
    options = {
        "constant_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
    }
    with Workbook(stream, options) as book:
        book.set_properties({"title": "Advice on AI hardware", "comments": _digest(subject)})
        book.set_calc_mode("auto")
        styles = Styles(book)
        flow, missing = _flow(subject)
        _summary(book, styles, subject)
        _plans(book, styles, subject.document)
        _materials(book, styles, subject, flow, missing)
        _cash_flow(book, styles, subject, flow, missing)
        add_money(book, styles, subject)
        _assumptions(book, styles, subject.document)
        _provenance(book, styles, subject)
        _why_not(book, styles, subject.document)


def _digest(subject: Subject) -> str:
    return f"catalogue {subject.document['catalog_snapshot']['digest']}"


def _flow(subject: Subject) -> tuple[CashFlow | None, str]:
    try:
        return cash_flow_of(subject.chosen), ""
    except CannotExport as reason:
        return None, str(reason)


def _summary(book: Workbook, styles: Styles, subject: Subject) -> None:
    document, plan = subject.document, subject.plan
    sheet = Sheet(book, "Summary", styles, (34, 20, 20, 20, 12, 60))
    sheet.title(document["name"], document["sentence"], RANGES)
    for reason in document["why"]:
        sheet.add([reason])
    if plan is None:
        return
    sheet.skip()
    best = document["recommendation"]
    word = "Recommended plan" if best and best["id"] == plan["id"] else "Plan chosen instead"
    sheet.add([word, plan["name"]], styles.strong)
    for label, key in (
        ("Accelerator", "accelerator"), ("Accelerators", "accelerator_count"),
        ("System", "system"), ("Systems", "system_count"), ("Provider", "provider"),
        ("Region", "region"), ("Bought how", "purchase"), ("Format", "precision"),
        ("Engine", "engine"),
    ):  # fmt: skip
        sheet.add([label, plan[key]])
    sheet.skip()
    sheet.head(["Figure", "Value", "Low", "High", "Unit", "Evidence and source"])
    for name, figure in plan.items():
        if isinstance(figure, Mapping) and "evidence" in figure and "low" in figure:
            origin = f"{figure['evidence']}: {figure['source']}"
            parts = [figure.get(part) for part in ("value", "low", "high")]
            look = styles.usd if figure["unit"].startswith("USD") else styles.number
            sheet.add([name, *parts, figure["unit"], origin], look)
    sheet.skip()
    _breakdown(sheet, plan)
    sheet.skip()
    for note in [*plan["notes"], *document["warnings"]]:
        sheet.add([note])


def _breakdown(sheet: Sheet, plan: Document) -> None:
    """The cost lines over the horizon, added up by the spreadsheet itself."""
    styles = sheet.styles
    sheet.head(["Cost over the horizon", "USD", "Low", "High", "Evidence", "Source"])
    first = sheet.row + 1
    for line in plan["cost_breakdown"]:
        cells = (line["label"], line["usd"], line["low"], line["high"], line["evidence"])
        sheet.add([*cells, line["source"]], styles.usd)
    total = plan["total_cost_usd"]
    if total["value"] is None:
        sheet.add(["Total", "price open: get a quote"], styles.strong)
        return
    adds = Formula(text=f"=ROUND(SUM(B{first}:B{sheet.row}),2)", value=total["value"])
    sheet.add(["Total", adds, total["low"], total["high"], total["evidence"]], styles.usd_total)


def _plans(book: Workbook, styles: Styles, document: Document) -> None:
    sheet = Sheet(book, "Plans", styles, (8, 52, 18))
    sheet.head(HEADER)
    for plan in document["plans"]:
        sheet.add(plan_row(plan))


def _materials(
    book: Workbook, styles: Styles, subject: Subject, flow: CashFlow | None, missing: str
) -> None:
    sheet = Sheet(book, "Bill of materials", styles, (14, 56, 14, 18, 18, 20, 44, 12, 60))
    plan = subject.plan
    sheet.title("Bill of materials", plan["name"] if plan else subject.document["sentence"])
    if flow is not None:
        lines = materials_of(subject.chosen, flow)
    elif plan is not None and plan["kind"] == "fleet":
        lines = fleet_materials(plan)
    else:
        sheet.add([missing])
        return
    sheet.head(
        ["Group", "Item", "Quantity", "Unit", "USD each", "USD", "Note", "Evidence", "Source"]
    )
    first = sheet.row + 1
    total = sum(_material(sheet, line) for line in lines)
    if any(line.usd_each is not None for line in lines):
        adds = Formula(text=f"=SUM(F{first}:F{sheet.row})", value=round(total, 2))
        sheet.add(["Total", "of the lines that have a price", "", "", "", adds], styles.usd_total)
    sheet.skip()
    sheet.add(["Type a quoted price into the column USD each: the sums follow."], styles.text)


def _material(sheet: Sheet, line: Material) -> float:
    """One line of the bill; its amount in USD."""
    styles, row = sheet.styles, sheet.row + 1
    amount: Formula | str = ""
    usd = 0.0
    if line.quantity is not None and (line.usd_each is not None or line.price == QUOTE):
        usd = round(line.quantity * line.usd_each, 2) if line.usd_each is not None else 0.0
        text = f'=IF(ISNUMBER(E{row}),ROUND(C{row}*E{row},2),"")'
        amount = Formula(text=text, value=usd if line.usd_each is not None else "")
    each = line.usd_each if line.usd_each is not None else line.price
    looks = [styles.text, styles.wrapped, styles.number, styles.text, styles.usd, styles.usd,
             styles.wrapped, styles.text, styles.wrapped]  # fmt: skip
    sheet.add(
        [line.group, line.item, line.quantity, line.unit, each, amount, line.note, line.evidence,
         line.source],
        looks,
    )  # fmt: skip
    return usd


def _cash_flow(
    book: Workbook, styles: Styles, subject: Subject, flow: CashFlow | None, missing: str
) -> None:
    plan = subject.plan
    if flow is not None:
        add_cash_flow(book, styles, flow)
    elif plan is not None and plan["kind"] == "fleet":
        add_even_cash_flow(book, styles, plan, months=subject.document["horizon_months"])
    else:
        Sheet(book, "Cash flow", styles, (60,)).title("Cash flow", missing)


def _assumptions(book: Workbook, styles: Styles, document: Document) -> None:
    sheet = Sheet(book, "Assumptions", styles, (24, 52, 52, 44))
    sheet.title("Assumptions", "What nobody answered, and what was taken instead.")
    sheet.head(["Workload", "Question", "Taken", "Basis"])
    for item in document["assumptions"]:
        row = [item["workload"] or "all", item["label"], item["value"], item["basis"]]
        sheet.add(row, styles.wrapped)


def _provenance(book: Workbook, styles: Styles, subject: Subject) -> None:
    document = subject.document
    sheet = Sheet(book, "Provenance", styles, (34, 16, 90))
    sheet.title("Where this comes from")
    catalogue = document["catalog_snapshot"]
    facts: list[tuple[str, Any]] = [
        ("Run", subject.run_id),
        ("Answered", subject.answered_at.isoformat() if subject.answered_at else ""),
        ("Catalogue as of", catalogue["as_of"]),
        ("Catalogue SHA-256", catalogue["digest"]),
        ("Engine", document["engine_version"]),
        ("Calibration", document["calibration_version"]),
        ("Candidates evaluated", document["considered"]),
    ]
    for label, value in facts:
        sheet.add([label, "", value])
    if subject.plan is None:
        return
    sheet.skip()
    sheet.head(["Figure or cost line", "Evidence", "Source"])
    for name, figure in subject.plan.items():
        if isinstance(figure, Mapping) and "evidence" in figure:
            sheet.add([name, figure["evidence"], figure["source"]], styles.wrapped)
    for line in subject.plan["cost_breakdown"]:
        sheet.add([line["label"], line["evidence"], line["source"]], styles.wrapped)


def _why_not(book: Workbook, styles: Styles, document: Document) -> None:
    sheet = Sheet(book, "Why not", styles, (12, 44, 14, 90, 22, 10))
    sheet.title("Why not the others", "The first limit that each one broke.")
    sheet.head(["Family", "Accelerator", "Limit", "Reason", "Workload", "Times"])
    for item in document["rejected"]:
        cells = (item[key] for key in ("family", "accelerator", "limit", "reason", "workload"))
        sheet.add([*cells, item["count"]], styles.wrapped)


XLSX = Format(
    id="xlsx",
    label="Excel workbook",
    audience="For the buyer",
    purpose="Summary, plans, bill of materials and a monthly cash flow whose formulas follow the "
    "price you type in.",
    suffix=".xlsx",
    content_type=XLSX_TYPE,
    write=write_workbook,
)
