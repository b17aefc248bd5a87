"""The cash flow as a sheet of live formulas: change a price or a rate, and every sum follows."""

from collections.abc import Callable, Mapping, Sequence
from math import isclose, isfinite

from xlsxwriter.utility import xl_col_to_name
from xlsxwriter.workbook import Workbook

from advisor.exports.cash_flow import OF_PRICE, OF_RENT, CashFlow
from advisor.exports.sheets import Formula, Sheet, Styles
from advisor.exports.subject import Document
from catalog.units import MONTHS_PER_YEAR
from costing.engine import tco

NAME = "Cash flow"
HELD, BOUGHT, VOLUME = "B", "C", "D"  # columns of the quantities
FIRST_LINE = 4
_DRIVERS: Mapping[str, str] = {
    **dict.fromkeys(OF_RENT, "rent_per_hour"),
    **dict.fromkeys(OF_PRICE, "instance_price"),
    tco.TOKENS: "token_bill",
}
_COLUMN_OF = {
    tco.COMPUTE: HELD, tco.SUPPORT: HELD, tco.HARDWARE: BOUGHT, tco.INSTALLATION: BOUGHT,
    tco.TOKENS: VOLUME,
}  # fmt: skip
_SHARES: Mapping[str, tuple[str, Callable[[CashFlow], float]]] = {
    tco.INSTALLATION: (
        "installation",
        lambda flow: flow.rules.installation_fraction + flow.rules.spares_fraction,
    ),
    tco.SUPPORT: ("support/12", lambda flow: flow.rules.support_fraction_per_year / 12.0),
    tco.DECOMMISSION: ("decommissioning", lambda flow: flow.rules.decommission_fraction),
}
"""Lines that are a fraction of the price, and the cell of that fraction."""
_NOTE = (
    "Yellow cells are yours to change: a negotiated price, a discount, another rate. Every sum of "
    "this sheet follows. Amounts in USD, nominal, at the start of each month."
)


def add_cash_flow(book: Workbook, styles: Styles, flow: CashFlow) -> None:
    """Inputs, months, sums: what is bought, rented and served is computed from the inputs."""
    labels = [label for label in tco.LABELS if label in flow.lines]
    sheet = Sheet(book, NAME, styles, (34, 12, 12, 12, *(18 for _ in labels), 14, 18, 18, 18))
    sheet.title("Monthly cash flow", _NOTE)
    _inputs(book, sheet, flow, labels)
    sheet.skip()
    sheet.head(
        ["Month", "Instances", "Bought", "Demand", *labels, "Rounding", "Total", "Running total",
         "Present value"]
    )  # fmt: skip
    first = sheet.row + 1
    running = present = 0.0
    looks = [styles.text, styles.number, styles.number, styles.number, styles.usd]
    columns = _Columns(len(labels))
    for month in range(flow.months):
        row = sheet.row + 1
        cells = _month(flow, labels, month, row=row)
        total = sum(_zero(float(flow.lines[label][month])) for label in labels)
        total += flow.rounding_usd if month == flow.months - 1 else 0.0
        running += total
        discounted = total * (1.0 + flow.rules.discount_rate) ** (-month / MONTHS_PER_YEAR)
        present += discounted
        sheet.add([*cells, *columns.ends(row, first, total, running, discounted)], looks)
    _sums(sheet, flow, labels, first=first, present=present)


class _Columns:
    """Where the columns after the lines are."""

    def __init__(self, lines: int) -> None:
        names = [xl_col_to_name(FIRST_LINE + lines + step) for step in range(4)]
        self.rounding, self.total, self.running, self.present = names
        self.first = xl_col_to_name(FIRST_LINE)

    def ends(
        self, row: int, first: int, total: float, running: float, discounted: float
    ) -> list[Formula]:
        """Total, running total and present value of a month."""
        before = f"{self.running}{row - 1}+" if row > first else ""
        years = f"(A{row}-1)/12"
        return [
            Formula(text=f"=SUM({self.first}{row}:{self.rounding}{row})", value=total),
            Formula(text=f"={before}{self.total}{row}", value=running),
            Formula(text=f"={self.total}{row}/(1+discount_rate)^({years})", value=discounted),
        ]


def _inputs(book: Workbook, sheet: Sheet, flow: CashFlow, labels: Sequence[str]) -> None:
    """The cells to change, each with a name that the formulas use."""
    rules = flow.rules
    priced = {*OF_RENT, *OF_PRICE, tco.TOKENS}
    wanted = (
        ("rent_per_hour", "Rent of one instance, USD an hour", flow.usd_per_instance_h,
         {*OF_RENT}),
        ("hours_paid", "Hours paid a month", flow.hours_paid, {*OF_RENT}),
        ("instance_price", "Price of one system, USD", flow.usd_per_instance, {*OF_PRICE}),
        ("token_bill", "Bill for tokens at go-live, USD a month", flow.tokens_usd_per_month,
         {tco.TOKENS}),
        ("price_discount", "Discount off these prices, as a fraction", flow.discount_fraction,
         priced),
        ("installation", "Installation and spares, fraction of the price",
         rules.installation_fraction + rules.spares_fraction, {tco.INSTALLATION}),
        ("support", "Support, fraction of the price a year", rules.support_fraction_per_year,
         {tco.SUPPORT}),
        ("decommissioning", "Decommissioning, fraction of the price",
         rules.decommission_fraction, {tco.DECOMMISSION}),
        ("tax", "Tax, fraction of what is spent", rules.tax_fraction, {tco.TAX}),
        ("contingency", "Contingency, fraction of what is spent", rules.contingency_fraction,
         {tco.CONTINGENCY}),
        ("discount_rate", "Discount rate a year, as a fraction", rules.discount_rate, set(labels)),
    )  # fmt: skip
    for name, label, value, needed_by in wanted:
        if needed_by.isdisjoint(labels):
            continue
        note = "" if isfinite(value) else "price open: type the quoted one"
        row = sheet.add(
            [label, value if isfinite(value) else 0.0, note],
            [sheet.styles.text, sheet.styles.given, sheet.styles.muted],
        )
        book.define_name(name, f"='{NAME}'!$B${row}")


def _month(flow: CashFlow, labels: Sequence[str], month: int, *, row: int) -> list[object]:
    cells: list[object] = [
        month + 1, float(flow.held[month]), float(flow.bought[month]), float(flow.volume[month]),
    ]  # fmt: skip
    places = {label: xl_col_to_name(FIRST_LINE + n) for n, label in enumerate(labels)}
    for label in labels:
        value = _zero(float(flow.lines[label][month]))
        text = _formula(flow, places, label, month, row)
        cells.append(Formula(text=text, value=value) if text else value)
    return [*cells, flow.rounding_usd if month == flow.months - 1 else 0.0]


def _sums(
    sheet: Sheet, flow: CashFlow, labels: Sequence[str], *, first: int, present: float
) -> None:
    """The sum of every line over the horizon, of all of them, and what the answer said."""
    last, columns = sheet.row, _Columns(len(labels))
    cells: list[object] = ["Over the horizon", "", "", ""]
    told = 0.0
    for number, label in enumerate(labels):
        column = xl_col_to_name(FIRST_LINE + number)
        usd = flow.told_usd.get(label, 0.0)
        told += usd
        cells.append(Formula(text=f"=ROUND(SUM({column}{first}:{column}{last}),2)", value=usd))
    line = sheet.row + 1
    rounding = f"=SUM({columns.rounding}{first}:{columns.rounding}{last})"
    total = f"=ROUND(SUM({columns.first}{line}:{columns.rounding}{line}),2)"
    value = f"=ROUND(SUM({columns.present}{first}:{columns.present}{last}),2)"
    cells += [
        Formula(text=rounding, value=flow.rounding_usd),
        Formula(text=total, value=round(told, 2)),
        "",
        Formula(text=value, value=round(present, 2)),
    ]
    sheet.add(cells, sheet.styles.usd_total)
    sheet.skip()
    if flow.is_open:
        sheet.add(["A price is open: the total holds what is known until you type one."])
        return
    sheet.add(["Total of the answer", round(told, 2)], sheet.styles.usd)
    difference = f"=ROUND({columns.total}{line}-B{sheet.row},2)"
    sheet.add(["Moved by your changes", Formula(text=difference, value=0.0)], sheet.styles.usd)


def _zero(value: float) -> float:
    return value if isfinite(value) else 0.0


Places = Mapping[str, str]


def _formula(flow: CashFlow, places: Places, label: str, month: int, row: int) -> str:
    """The formula of a line in a month; empty where it hangs on no cell that may be changed."""
    if label in (tco.TAX, tco.CONTINGENCY):
        return f"={label.lower()}*({'+'.join(_spent(places, row))})"
    if label not in flow.per_price or label not in _DRIVERS:
        return ""
    each = float(flow.per_price[label][month])
    driver, columns = _DRIVERS[label], {HELD: flow.held, BOUGHT: flow.bought, VOLUME: flow.volume}
    if label in OF_RENT:
        each /= flow.hours_paid
        driver = f"hours_paid*{driver}"
    share = _SHARES.get(label)
    fraction = share[1](flow) if share else 0.0
    if share and fraction > 0.0:
        each /= fraction
        driver = f"{share[0]}*{driver}"
    column = _COLUMN_OF.get(label)
    same = column and isclose(each, float(columns[column][month]), rel_tol=1e-12, abs_tol=1e-12)
    quantity = f"{column}{row}" if same else repr(each)
    return f"={quantity}*{driver}*(1-price_discount)"


def _spent(places: Places, row: int) -> list[str]:
    """The cells of a month that tax and contingency are a fraction of."""
    left_out = (tco.RESIDUAL, tco.TAX, tco.CONTINGENCY)
    return [f"{column}{row}" for label, column in places.items() if label not in left_out]


def add_even_cash_flow(book: Workbook, styles: Styles, plan: Document, *, months: int) -> None:
    """A fleet's lines spread evenly: it is priced over the horizon as a whole."""
    lines = plan["cost_breakdown"]
    sheet = Sheet(book, NAME, styles, (34, *(18 for _ in lines), 18, 18))
    sheet.title(
        "Monthly cash flow",
        "A fleet is priced over the horizon as a whole, so each line is spread evenly over its "
        "months. Choose one workload's plan for its own course.",
    )
    sheet.add(["Month", *(line["label"] for line in lines), "Total", "Running total"], styles.head)
    end, totals, running = (xl_col_to_name(len(lines) + step) for step in range(3))
    top = sheet.row + 1
    whole = Formula(text=f"=ROUND(SUM(B{top}:{end}{top}),2)", value=sum(x["usd"] for x in lines))
    sheet.add(["Over the horizon", *(line["usd"] for line in lines), whole], styles.usd_total)
    total = sum(line["usd"] for line in lines) / months
    for month in range(months):
        row = sheet.row + 1
        cells: list[object] = [month + 1]
        for number, line in enumerate(lines):
            text = f"={xl_col_to_name(number + 1)}${top}/{months}"
            cells.append(Formula(text=text, value=line["usd"] / months))
        before = f"{running}{row - 1}+" if month else ""
        cells += [
            Formula(text=f"=SUM(B{row}:{end}{row})", value=total),
            Formula(text=f"={before}{totals}{row}", value=total * (month + 1)),
        ]
        sheet.add(cells, styles.usd)
