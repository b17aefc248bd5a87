"""The trade-off table: which plans and figures it shows, in which order and unit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from advisor.services.explanation import EXPLAINED
from advisor.templatetags.quantities import Scale, column_scale
from advisor.views.documents import Document, figure_of, known

FIRST_PLANS = 5
FIRST_COLUMNS = 8
SERVING_COLUMNS: Mapping[str, str] = {
    "monthly_cost_usd": "Monthly cost",
    "usd_per_million_output_tokens": "Cost of output tokens",
    "ttft_p99_s": "First token, p99",
    "tpot_p99_s": "Time per output token, p99",
    "e2e_p99_s": "Whole answer, p99",
    "users_at_slo": "Users at the targets",
    "users_per_usd_hour": "Users at the targets per USD",
    "users_per_kw": "Users at the targets per kW",
    "samples_per_s": "Samples",
    "requests_per_s": "Requests",
    "output_tokens_per_s": "Output tokens",
    "total_cost_usd": "Total cost",
    "capex_usd": "Paid up front",
    "ttft_p50_s": "First token, median",
    "ttft_p95_s": "First token, p95",
    "tpot_p50_s": "Time per output token, median",
    "tpot_p95_s": "Time per output token, p95",
    "e2e_p50_s": "Whole answer, median",
    "e2e_p95_s": "Whole answer, p95",
    "power_kw": "Power",
    "energy_kwh_month": "Energy",
    "carbon_kg_month": "Carbon",
}
TRAINING_COLUMNS: Mapping[str, str] = {
    "total_cost_usd": "Total cost",
    "monthly_cost_usd": "Monthly cost",
    "hours": "Time of one run",
    "tokens_per_s_per_accelerator": "Tokens on each accelerator",
    "mfu": "Share of peak reached (MFU)",
    "samples_per_s": "Samples",
    "power_kw": "Power",
    "energy_kwh_month": "Energy",
    "carbon_kg_month": "Carbon",
    "step_time_s": "Time of one step",
    "capex_usd": "Paid up front",
}
SORTABLE = frozenset(SERVING_COLUMNS) | frozenset(TRAINING_COLUMNS)
HIGHER_IS_BETTER = frozenset(
    {
        "users_at_slo",
        "users_per_usd_hour",
        "users_per_kw",
        "samples_per_s",
        "requests_per_s",
        "output_tokens_per_s",
        "tokens_per_s_per_accelerator",
        "mfu",
    }
)


PARAMETERS = ("sort", "plans", "columns", "compare", "differences")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What the address bar asks of the table."""

    sort: str = ""
    all_plans: bool = False
    all_columns: bool = False
    compare: tuple[str, ...] = ()
    differences: bool = False

    @classmethod
    def read(cls, query: Mapping[str, str]) -> "Choice":
        """The choice in a query string; unknown words mean the default."""
        named = query.get("sort", "")
        return cls(
            sort=named if named.removeprefix("-") in SORTABLE else "",
            all_plans=query.get("plans") == "all",
            all_columns=query.get("columns") == "all",
            compare=tuple(dict.fromkeys(p for p in query.get("compare", "").split(",") if p)),
            differences=query.get("differences") == "1",
        )

    def link(self, **changes: object) -> str:
        """The query string of this choice with some of it changed."""
        wanted = {
            "sort": self.sort,
            "plans": "all" if self.all_plans else "",
            "columns": "all" if self.all_columns else "",
            "compare": ",".join(self.compare),
            "differences": "1" if self.differences else "",
        } | changes
        return "?" + urlencode({key: value for key, value in wanted.items() if value})


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A figure that is compared, with how its numbers are written and where sorting leads."""

    key: str
    label: str
    scale: Scale
    sorted: str  # ascending, descending, "" where the table is sorted otherwise
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One figure of one plan as text."""

    text: str
    low: str
    high: str
    evidence: str
    missing: str
    explains: str = ""  # the figure's key where a formula tree stands behind it


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One plan of the table."""

    plan: Document
    cells: tuple[Cell, ...]
    chosen: bool
    pinned: bool
    compare_link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The plans of one workload side by side."""

    workload: str
    anchor: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    hidden_plans: int
    hidden_columns: int


def columns_of(plans: Sequence[Document]) -> Mapping[str, str]:
    """The figures that these plans have, in the order in which they matter."""
    training = any(plan.get("kind") == "training" for plan in plans)
    named = TRAINING_COLUMNS if training else SERVING_COLUMNS
    return {
        key: label
        for key, label in named.items()
        if any(known(figure_of(plan, key)) is not None for plan in plans)
    }


def cell_of(plan: Document, key: str, scale: Scale) -> Cell:
    """A plan's figure in a column's unit; a missing one says why it is missing."""
    figure = figure_of(plan, key)
    value = known(figure)
    if value is None:
        price = key.endswith("usd") or "usd_" in key
        missing = "price open" if price and plan.get("price_open") else "unknown"
        return Cell(text="", low="", high="", evidence="", missing=missing)
    low, high = known(figure, "low"), known(figure, "high")
    ranged = low is not None and high is not None and low != high
    return Cell(
        text=scale.text(value),
        low=scale.text(low) if ranged else "",
        high=scale.text(high) if ranged else "",
        evidence=str(figure.get("evidence", "")),
        missing="",
        explains=key if has_tree(plan, key) else "",
    )


def has_tree(plan: Document, key: str) -> bool:
    """Whether a figure of a plan comes from the performance model, so that it can be unfolded."""
    one = plan.get("kind") != "fleet" or bool(plan.get("places") or plan.get("pools"))
    return key in EXPLAINED and one and plan.get("purchase") != "hosted_tokens"


def sorted_plans(plans: Sequence[Document], sort: str) -> list[Document]:
    """Plans by one figure, unknown ones last whichever way; the given order breaks ties."""
    if not sort:
        return list(plans)
    key, sign = sort.removeprefix("-"), -1.0 if sort.startswith("-") else 1.0

    def place(plan: Document) -> tuple[bool, float]:
        value = known(figure_of(plan, key))
        return (value is None, 0.0 if value is None else sign * value)

    return sorted(plans, key=place)


def trade_offs(
    plans: Sequence[Document], choice: Choice, *, recommended: str, workload: str, number: int
) -> Table:
    """The table of one workload's plans: the first few plans and figures, more on demand."""
    named = columns_of(plans)
    keys = list(named)[: None if choice.all_columns else FIRST_COLUMNS]
    ordered = sorted_plans(plans, choice.sort)
    shown = ordered if choice.all_plans else ordered[:FIRST_PLANS]
    columns = tuple(_column(plans, key, named[key], choice) for key in keys)
    return Table(
        workload=workload,
        anchor=f"trade-offs-{number}",
        columns=columns,
        rows=tuple(_row(plan, columns, choice, recommended) for plan in shown),
        hidden_plans=len(plans) - FIRST_PLANS,
        hidden_columns=len(named) - FIRST_COLUMNS,
    )


def scale_for(plans: Sequence[Document], key: str) -> Scale:
    """The scale in which all plans' values of a figure are written."""
    figures = [figure_of(plan, key) for plan in plans]
    unit = next((str(f["unit"]) for f in figures if f.get("unit")), "")
    return column_scale(unit, [known(figure) for figure in figures])


def _column(plans: Sequence[Document], key: str, label: str, choice: Choice) -> Column:
    now = ""
    if choice.sort.removeprefix("-") == key:
        now = "descending" if choice.sort.startswith("-") else "ascending"
    first = f"-{key}" if key in HIGHER_IS_BETTER else key
    turned = key if choice.sort == f"-{key}" else f"-{key}"
    return Column(
        key=key,
        label=label,
        scale=scale_for(plans, key),
        sorted=now,
        link=choice.link(sort=turned if now else first),
    )


def _row(plan: Document, columns: Sequence[Column], choice: Choice, recommended: str) -> Row:
    plan_id = str(plan["id"])
    pinned = plan_id in choice.compare
    others = tuple(p for p in choice.compare if p != plan_id)
    wanted = others if pinned else (*others, plan_id)
    return Row(
        plan=plan,
        cells=tuple(cell_of(plan, column.key, column.scale) for column in columns),
        chosen=plan_id == recommended,
        pinned=pinned,
        compare_link=choice.link(compare=",".join(wanted)),
    )
