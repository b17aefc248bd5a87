"""Not deploying at all: the same model behind somebody's API, paid by the token."""

import numpy as np

from advisor.engine.plan import CostLine, FleetItem, Plan
from advisor.engine.search.fits import deployment_kind
from advisor.engine.search.river import Priced
from advisor.engine.workload import Question
from catalog.specs import Evidence, Figure, OfferSpec, Purchase
from costing.engine.cases import PURCHASES, CostCases, cost_cases
from costing.engine.evidence import line_evidence
from costing.engine.rates import rate_for
from costing.engine.tco import LABELS, TOKENS, CostBreakdown, cost_breakdown
from costing.engine.tokens import tokens_usd_per_month

UNVERIFIED = (
    "The provider publishes no latency under load, so the targets are unverified: measure before "
    "you sign."
)
_LATENCY = ("ttft_p50_s", "ttft_p95_s", "ttft_p99_s", "tpot_p50_s", "tpot_p99_s",
            "e2e_p50_s", "e2e_p99_s")  # fmt: skip


def hosted_offers(priced: Priced) -> list[OfferSpec]:
    """Offers by the token of the workload's own model that have a price, in catalogue order.

    They have passed the rules on places, status and prices already.

    Source: the workload's market.
    """
    serving = priced.workload.serving
    if serving is None or serving.output_tokens <= 0.0:
        return []
    mine = [offer for offer in priced.hosted if offer.model_slug == serving.model.slug]
    return [offer for offer in mine if offer.usd_per_output_token is not None]


def hosted_plans(priced: Priced, question: Question, *, first: int) -> list[Plan]:
    """One plan for each hosted offer of the workload's own model, cheapest first.

    Latency stays empty with its reason. Such a plan counts as meeting the targets only where
    the user allows a managed API, and says that they are unverified.

    Source: token prices of the catalogue; tokens of the demand.
    """
    offers = hosted_offers(priced)
    usd_per_month = np.array([usd_per_month_of(offer, priced) for offer in offers])
    order = np.argsort(usd_per_month, kind="stable")
    return [
        _plan(priced, offers[i], float(usd_per_month[i]), plan_id=f"p{first + rank}")
        for rank, i in enumerate(order)
    ]


def usd_per_month_of(offer: OfferSpec, priced: Priced) -> float:
    """USD a month for all tokens of the workload at go-live; nan for what is not served.

    Source: `usd_per_request` times the requests.
    """
    serving = priced.workload.serving
    if serving is None:
        return np.nan
    each = usd_per_request(
        offer, priced, input_tokens=serving.input_tokens, output_tokens=serving.output_tokens
    )
    return each * serving.requests_per_month


def usd_per_request(
    offer: OfferSpec, priced: Priced, *, input_tokens: float, output_tokens: float
) -> float:
    """USD for one request of this size: part of its input cached, a batch at the batch price.

    Source: `costing.engine.tokens`.
    """
    serving = priced.workload.serving
    again = offer.usd_per_cached_input_token
    usd = tokens_usd_per_month(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        usd_per_input_token=offer.usd_per_input_token or 0.0,
        usd_per_output_token=offer.usd_per_output_token or 0.0,
        cached_fraction=0.0 if serving is None else serving.prefix_cached_fraction,
        usd_per_cached_input_token=np.nan if again is None else again,
        batch_discount_fraction=_batch_discount(offer, priced),
    )
    return float(usd)


def hosted_cases(
    priced: Priced, *, usd_per_month: float, ops_fte: float | None = None
) -> CostCases:
    """One row that prices a hosted model: its tokens and the people who mind it.

    Source: `costing.engine.cases`.
    """
    fte = priced.rates["ops_fte/managed_api"].value if ops_fte is None else ops_fte
    return cost_cases(
        1,
        purchase=PURCHASES.index(Purchase.HOSTED_TOKENS),
        instances=0.0,
        on_site=False,
        tokens_usd_per_month=usd_per_month,
        accelerators_per_instance=0.0,
        software_applies=False,
        ops_fte=fte,
    )


def hosted_lines(
    offer: OfferSpec, priced: Priced, cases: CostCases, cost: CostBreakdown
) -> tuple[CostLine, ...]:
    """The lines of a hosted model's cost with where each comes from; empty ones left out.

    Source: the offer for tokens; `costing.engine.evidence` for the others.
    """
    basis = line_evidence(priced.rates, cases, 0, provider=offer.provider, deployment="managed_api")
    return tuple(
        CostLine(
            label=label,
            usd=float(cost.lines[label][0]),
            low=float(cost.low_lines[label][0]),
            high=float(cost.high_lines[label][0]),
            evidence=(evidence_of(offer) if label == TOKENS else basis[label][0]).value,
            source=offer.source if label == TOKENS else basis[label][1],
        )
        for label in LABELS
        if cost.lines[label][0] != 0.0
    )


def evidence_of(offer: OfferSpec) -> Evidence:
    """How well the price of an offer by the token is known.

    Source: the confidence that the catalogue states.
    """
    return Evidence.LIST if offer.confidence == "official" else Evidence.REPORTED


def _batch_discount(offer: OfferSpec, priced: Priced) -> float:
    """What the provider takes off where nobody waits for the single answer."""
    serving = priced.workload.serving
    if serving is None or not serving.is_batch:
        return 0.0
    return rate_for(priced.rates, "batch_discount", offer.provider).value


def _plan(priced: Priced, offer: OfferSpec, usd_per_month: float, *, plan_id: str) -> Plan:
    cases = hosted_cases(priced, usd_per_month=usd_per_month)
    cost = cost_breakdown(cases, priced.rules)
    total = float(cost.total_usd[0])
    months = priced.rules.horizon_months
    evidence = evidence_of(offer)

    def usd(amount: float, unit: str) -> Figure:
        return Figure(
            value=round(amount, 2), low=round(amount, 2), high=round(amount, 2),
            unit=unit, evidence=evidence, source=offer.source,
        )  # fmt: skip

    unknown = Figure(
        value=None, low=None, high=None, unit="s", evidence=Evidence.ASSUMED, source=UNVERIFIED
    )
    region = offer.region.code if offer.region else ""
    return Plan(
        id=plan_id,
        name=f"{offer.provider} API, {priced.workload.name}, paid by the token",
        workload=priced.workload.name,
        kind="serving",
        family="hosted",
        accelerator="hosted API",
        accelerator_slug="",
        accelerator_count=0,
        system=offer.instance_type,
        system_count=0,
        provider=offer.provider,
        provider_kind=deployment_kind(offer),
        region=region,
        country=offer.region.country if offer.region else "",
        purchase=offer.purchase.value,
        precision="as the provider runs it",
        engine="provider's API",
        parallelism={},
        meets_targets=True,
        price_open=False,
        price={
            "usd_per_million_input_tokens": _million(offer.usd_per_input_token),
            "usd_per_million_output_tokens": _million(offer.usd_per_output_token),
            "unit": "USD per million tokens",
            "observed_on": offer.observed_on.isoformat() if offer.observed_on else None,
            "source": offer.source,
            "evidence": evidence.value,
            "confidence": offer.confidence,
        },
        cost_breakdown=hosted_lines(offer, priced, cases, cost),
        figures={
            **dict.fromkeys(_LATENCY, unknown),
            "total_cost_usd": usd(total, "USD"),
            "monthly_cost_usd": usd(total / months, "USD/month"),
        },
        fleet=(
            FleetItem(
                what=f"{offer.instance_type} API", count=0, purchase=offer.purchase.value,
                provider=offer.provider, region=region, workload=priced.workload.name,
                usd_per_month=round(total / months, 2),
            ),
        ),
        quality_gate="The provider chooses the format; ask which one it serves.",
        porting_weeks=None,
        notes=(UNVERIFIED, *_batch_note(offer, priced)),
        extra={"targets": "unverified"},
        case=cases,
    )  # fmt: skip


def _batch_note(offer: OfferSpec, priced: Priced) -> list[str]:
    off = _batch_discount(offer, priced)
    if off <= 0.0:
        return []
    source = rate_for(priced.rates, "batch_discount", offer.provider).source
    return [f"Priced as a batch that may wait up to a day: {off:.0%} off ({source})."]


def _million(usd: float | None) -> float | None:
    return None if usd is None else round(usd * 1e6, 6)
