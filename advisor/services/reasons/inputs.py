"""The inputs whose flip points are looked for: answers, rates, the winner's price and speed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from advisor.engine.answers import AnswerSet
from advisor.engine.reasons.change import Change, OfferPrice
from advisor.engine.reasons.outcome import Pick
from advisor.questions import BY_ID
from advisor.questions.items import Item
from advisor.services.whatif import Base

LOADS = (
    "users_total_k", "rps_mean", "requests_month_m", "tokens_month_b", "batch_items_m",
    "vision_streams", "speech_streams_peak", "graph_runs_per_month", "train_tokens_b",
    "ft_examples_k", "corpus_docs_m",
)  # fmt: skip
"""Questions that say how much work there is; the first that was asked is the load."""
OF_WORKLOAD = (
    "output_tokens_mean", "input_tokens_mean", "prefix_cache_hit_pct", "peak_to_mean",
    "growth_month_pct", "headroom_pct", "active_hours_day", "slo_ttft_ms", "slo_itl_ms",
    "slo_e2e_s", "slo_latency_ms", "batch_window_h", "batch_runs_per_month", "gen_steps",
    "train_deadline_days", "retrain_per_year", "goodput_pct", "candidates_per_request",
)  # fmt: skip
OF_ASSESSMENT = (
    "horizon_months", "discount_rate_pct", "electricity_price", "fte_cost_year",
    "support_pct_year", "residual_pct", "colo_price_kw_month", "egress_tb_month",
)  # fmt: skip
OF_RATES = ("porting/weeks", "spot/interrupted_per_month", "ops_fte/on_site")
PRICES_UP_TO = 20.0
_UNBOUNDED = 1e15


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One number that a run was made from, with the way to change it."""

    id: str
    label: str
    unit: str
    at: float
    low: float
    high: float
    whole: bool
    workload: str = ""  # name, where it is one workload's own
    question: str = ""
    number: int | None = None  # of the workload
    price: OfferPrice | None = None
    part: str = ""  # slug of the accelerator whose speed it is
    rate: str = ""

    def change(self, value: float) -> Change:
        """The change that sets this input to a value."""
        typed: Any = int(value) if self.whole else value
        if self.price is not None:
            return Change(
                prices=(
                    OfferPrice(
                        accelerator=self.price.accelerator,
                        provider=self.price.provider,
                        purchase=self.price.purchase,
                        factor=value,
                    ),
                )
            )
        if self.part:
            return Change(speeds={self.part: value})
        if self.rate:
            return Change(rates={self.rate: value})
        if self.number is None:
            return Change(answers={self.question: typed})
        return Change(workloads={self.number: {self.question: typed}})


def inputs_of(base: Base) -> tuple[Input, ...]:
    """Every input of a run that a flip point can be looked for."""
    return (
        *_prices(base),
        *_speeds(base),
        *loads_of(base),
        *_of_workloads(base),
        *of_assessment(base),
        *_of_rates(base),
    )


def loads_of(base: Base) -> Iterator[Input]:
    """The question that says how much work there is, for each workload."""
    for number, said in enumerate(base.worked.answers.workloads):
        for question in LOADS:
            found = _answered(base, said, question, number=number)
            if found is not None:
                yield found
                break


def _of_workloads(base: Base) -> Iterator[Input]:
    for number, said in enumerate(base.worked.answers.workloads):
        for question in OF_WORKLOAD:
            found = _answered(base, said, question, number=number)
            if found is not None:
                yield found


def of_assessment(base: Base) -> Iterator[Input]:
    """Numbers of the assessment as a whole: its horizon, its rates."""
    for question in OF_ASSESSMENT:
        found = _answered(base, base.worked.answers.assessment, question, number=None)
        if found is not None:
            yield found


def _answered(base: Base, said: AnswerSet, question: str, *, number: int | None) -> Input | None:
    item: Item = BY_ID[question]
    value = said.values.get(question)
    if question not in said.asked or not item.used or isinstance(value, bool):
        return None
    if not isinstance(value, int | float) or (value == 0.0 and item.type != "percent"):
        return None
    return Input(
        id=question if number is None else f"w{number + 1}:{question}",
        label=item.label,
        unit=f"{base.worked.currency.code} {item.unit}".strip()
        if item.type == "money"
        else item.unit,
        at=float(value),
        low=_UNBOUNDED * -1.0 if item.hard_min is None else item.hard_min,
        high=_UNBOUNDED if item.hard_max is None else item.hard_max,
        whole=item.type == "int",
        workload="" if number is None else said.text("workload_name"),
        question=question,
        number=number,
    )


def _prices(base: Base) -> Iterator[Input]:
    """The price that each winner pays, as a multiple of today's."""
    told: set[Pick] = set()
    for pick, plan in zip(base.outcome.picks, base.outcome.plans, strict=True):
        if pick is not None and plan is not None and pick not in told:
            told.add(pick)
            yield price_input(pick, plan.accelerator, workload=plan.workload)


def price_input(pick: Pick, name: str, *, workload: str = "") -> Input:
    """The price of a part from one seller bought one way, as a multiple of today's."""
    price = OfferPrice(
        accelerator=pick.accelerator, provider=pick.provider, purchase=pick.purchase, factor=1.0
    )
    return Input(
        id=f"price:{pick.provider}:{pick.accelerator}:{pick.purchase}",
        label=f"Price of {name} at {pick.provider}",
        unit="times today's",
        at=1.0,
        low=1.0 / PRICES_UP_TO,
        high=PRICES_UP_TO,
        whole=False,
        workload=workload,
        price=price,
    )


def _speeds(base: Base) -> Iterator[Input]:
    """The speed of each winner's part, as a multiple of what is computed."""
    told: set[str] = set()
    for plan in base.outcome.plans:
        if plan is None or not plan.accelerator_slug or plan.accelerator_slug in told:
            continue
        told.add(plan.accelerator_slug)
        yield speed_input(plan.accelerator_slug, plan.accelerator, workload=plan.workload)


def speed_input(slug: str, name: str, *, workload: str = "") -> Input:
    """The speed of a part, as a multiple of what is computed."""
    return Input(
        id=f"speed:{slug}",
        label=f"Speed of {name}",
        unit="times that computed",
        at=1.0,
        low=0.2,
        high=5.0,
        whole=False,
        workload=workload,
        part=slug,
    )


def _of_rates(base: Base) -> Iterator[Input]:
    rates: Mapping[str, Any] = base.worked.rates
    for key in OF_RATES:
        if key in rates and rates[key].value > 0.0:
            yield Input(
                id=f"rate:{key}",
                label=rates[key].label,
                unit=rates[key].unit,
                at=rates[key].value,
                low=0.0,
                high=_UNBOUNDED,
                whole=False,
                rate=key,
            )
