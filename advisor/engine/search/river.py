"""From a question to its plans: every stage in order, each refusal carried to the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import ENGINES, Bools, Floats
from advisor.engine.plan import Rejection
from advisor.engine.search.candidates import serving_layouts
from advisor.engine.search.cost_rules import (
    own_price_lines,
    own_usd_per_accelerator_h,
    rules_for,
)
from advisor.engine.search.fits import part_refusal, site_refusal, support_of, weights_refusal
from advisor.engine.search.formats import Gate, quality_gate, serving_formats, training_formats
from advisor.engine.search.market import Market, RefusedOffer, market, own_price
from advisor.engine.search.placement import Placements, leanest, place
from advisor.engine.search.placement import joined as joined_placements
from advisor.engine.search.placement import rows_of as placement_rows
from advisor.engine.search.pricing import porting_weeks, priced_cases
from advisor.engine.search.reach import (
    Reach,
    levels_of,
    nearest_ways_s,
    reach_of,
    tightened,
    too_far,
)
from advisor.engine.search.size_samples import size_samples
from advisor.engine.search.size_serving import Points, size_llm_serving
from advisor.engine.search.size_training import size_training
from advisor.engine.search.sizing import Sizing, nothing_sized
from advisor.engine.search.sizing import joined as joined_sizings
from advisor.engine.search.sleeping import restore_warnings
from advisor.engine.search.spilling import spill_of, spill_words
from advisor.engine.serving.performance import serving_point
from advisor.engine.training.memory import bytes_per_parameter, memory_refusal
from advisor.engine.workload import Question, ServingDemand, Slo, TrainingDemand, Workload
from catalog.specs import (
    BYTES_PER_WEIGHT,
    PRECISIONS,
    AcceleratorSpec,
    CatalogueSnapshot,
    ModelSpec,
    OfferSpec,
    Purchase,
    SystemSpec,
)
from catalog.units import GIB, HOURS_PER_MONTH, SECONDS_PER_HOUR
from costing.engine.cases import CostCases, CostRules, take
from costing.engine.rates import Rates
from costing.engine.tco import CostBreakdown, cost_breakdown

LLM_KINDS = frozenset({"dense_llm", "moe_llm"})
SERVING_ENGINES = ("vllm", "sglang", "tensorrt-llm")
_MONTHS_SINCE = 2020
_PLACE_LIMITS = {"place": "compliance", "distance": "distance"}
"""Limits of where an offer stands, as refusals name them, by limits of refused offers."""
WITHOUT_SPARE = 0.99  # more than one machine can promise: a restart takes hours
MINUTES_PER_MONTH = HOURS_PER_MONTH * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Everything known of one workload's candidates: rows of `placements` are candidates."""

    workload: Workload
    parts: tuple[AcceleratorSpec, ...]
    systems: Mapping[str, SystemSpec]
    offers: tuple[OfferSpec, ...]
    hosted: tuple[OfferSpec, ...]
    sizing: Sizing
    placements: Placements
    cases: CostCases  # what was priced, one row a placement
    reach: Reach  # one row an offer
    cost: CostBreakdown
    rules: CostRules
    rates: Rates
    own_prices: frozenset[str]  # labels of cost lines that the user priced
    counts_embodied: bool
    gates: Mapping[int, Gate]  # by precision index
    rejected: tuple[Rejection, ...]
    warnings: tuple[str, ...]
    considered: int  # candidates evaluated

    @property
    def wait_s(self) -> Floats:
        """What candidates are compared by: their wait and the way to their users."""
        way = self.reach.slo_s[self.placements.offer]
        return np.asarray(self.sizing.wait_s[self.placements.sizing] + way)


def software_month(snapshot: CatalogueSnapshot) -> float:
    """Months from January 2020 to the day of the catalogue: the software of that day."""
    return (snapshot.as_of.year - _MONTHS_SINCE) * 12.0 + snapshot.as_of.month - 1.0


def model_of(workload: Workload) -> ModelSpec:
    """The model a workload runs."""
    demand = workload.serving or workload.training
    if demand is None:
        message = f"workload {workload.name!r} has neither a serving nor a training demand"
        raise ValueError(message)
    return demand.model


class Sizer(Protocol):
    """What sizes a workload on parts, given by their index; a what-if may remember its results."""

    def __call__(
        self,
        kept: Mapping[int, AcceleratorSpec],
        workload: Workload,
        *,
        snapshot: CatalogueSnapshot,
        calibration: Calibration,
    ) -> Sizing:
        """The sizing of the workload on these parts."""
        ...


def price_workload(
    workload: Workload,
    *,
    question: Question,
    snapshot: CatalogueSnapshot,
    calibration: Calibration,
    rates: Rates,
    size: Sizer | None = None,
) -> Priced:
    """All candidates of one workload, sized, placed and priced; nothing chosen yet.

    Source: the stages it calls.
    """
    parts = snapshot.accelerators
    systems = {system.slug: system for system in snapshot.systems}
    out, rejected = _parts_in(workload, question=question, snapshot=snapshot, rates=rates)
    closed = weights_refusal(model_of(workload), nearest_open=nearest_open(workload, snapshot))
    if closed is not None:
        rejected += [_refuse(part, workload, "weights", closed) for part in out.values()]
        out = {}
    offered = _near_enough(
        market(snapshot, question=question, workload=workload), question, workload
    )
    offers = _with_own_price(offered.offers, workload, question)
    reach = reach_of(offers, question=question, workload=workload)
    sizing, placements, warnings = _placed(
        out, workload, offers, reach, snapshot=snapshot, calibration=calibration,
        size=size or sized,
    )  # fmt: skip
    warnings += restore_warnings(
        workload,
        within_s=question.restore_within_s,
        capacity_h=rates["spot/restart"].value,
    )
    placements = placement_rows(placements, leanest(placements, sizing))
    cases = priced_cases(
        placements, sizing, offers, parts=parts, systems=systems,
        question=question, workload=workload, rates=rates, as_of=snapshot.as_of,
    )  # fmt: skip
    ways_s = nearest_ways_s(offers, reach)
    rejected += _after_sizing(out, workload, sizing, placements, offered, ways_s, snapshot.systems)
    rejected += _excluded_places(parts, workload, offered)
    site_ok, site_refusals = room_for(
        placements, offers, systems, cases.power_w_per_instance, question
    )
    rejected += [
        _refuse(parts[int(sizing.accelerator[placements.sizing[row]])], workload, "site", reason)
        for row, reason in site_refusals.items()
    ]
    # What the room cannot take is not priced at all.
    placements = placement_rows(placements, np.flatnonzero(site_ok))
    cases = take(cases, site_ok)
    rules = rules_for(question, workload, rates)
    cost = cost_breakdown(cases, rules)
    return Priced(
        workload=workload,
        parts=parts,
        systems=systems,
        offers=offers,
        hosted=offered.hosted,
        sizing=sizing,
        placements=placements,
        cases=cases,
        reach=reach,
        cost=cost,
        rules=rules,
        rates=rates,
        own_prices=own_price_lines(question),
        counts_embodied=question.embodied_carbon,
        gates=_gates(workload),
        rejected=tuple(rejected),
        warnings=tuple(warnings),
        considered=len(sizing) * 25,
    )


def _near_enough(offered: Market, question: Question, workload: Workload) -> Market:
    """The market without the offers whose way to the users alone breaks a target."""
    serving = workload.serving
    reach = reach_of(offered.offers, question=question, workload=workload)
    if serving is None or not reach.named:
        return offered
    reasons = [
        too_far(offer, reach, row, slo=serving.slo) for row, offer in enumerate(offered.offers)
    ]
    far = [
        RefusedOffer(offer=offer, reason=reason, limit="distance")
        for offer, reason in zip(offered.offers, reasons, strict=True)
        if reason is not None
    ]
    near = [offer for offer, reason in zip(offered.offers, reasons, strict=True) if reason is None]
    return replace(offered, offers=tuple(near), refused=(*offered.refused, *far))


def _placed(
    kept: Mapping[int, AcceleratorSpec],
    workload: Workload,
    offers: tuple[OfferSpec, ...],
    reach: Reach,
    *,
    snapshot: CatalogueSnapshot,
    calibration: Calibration,
    size: Sizer,
) -> tuple[Sizing, Placements, list[str]]:
    """Sized for what the way to the users leaves of the targets, on the offers that far away.

    Warnings are those of the nearest offers.
    """
    slo = workload.serving.slo if workload.serving is not None else Slo()
    sizings: list[Sizing] = []
    placed: list[Placements] = []
    warnings: list[str] = []
    for way_s, only in levels_of(reach, slo):
        near = tightened(workload, way_s)
        sizing = size(kept, near, snapshot=snapshot, calibration=calibration)
        if not sizings:
            warnings = _reach_warnings(near, sizing)
        sizings.append(_without_unreachable_e2e(sizing))
        placed.append(place(sizings[-1], offers, snapshot.accelerators, only=only))
    firsts = np.cumsum([0, *(len(sizing) for sizing in sizings[:-1])]).tolist()
    return joined_sizings(sizings), joined_placements(placed, firsts), warnings


def _without_unreachable_e2e(sizing: Sizing) -> Sizing:
    """Targets without the end-to-end one where nothing that meets the others reaches it."""
    others = sizing.fits & sizing.meets_ttft & sizing.meets_tpot
    is_llm = "ttft_p50_s" in sizing.figures
    if not is_llm or not others.any() or sizing.meets_e2e[others].any():
        return sizing
    return replace(sizing, meets_e2e=np.ones(len(sizing), dtype=bool))


def nearest_open(workload: Workload, snapshot: CatalogueSnapshot) -> ModelSpec | None:
    """The open model of the same kind whose size is closest."""
    wanted = model_of(workload)
    if wanted.total_params <= 0.0:
        return None
    open_models = [
        model
        for model in snapshot.models
        if model.weights_access != "closed"
        and (model.kind == wanted.kind or model.kind in LLM_KINDS)
        and model.slug != wanted.slug
    ]
    size = np.log(max(wanted.total_params, 1.0))
    return min(
        open_models,
        key=lambda model: abs(np.log(max(model.total_params, 1.0)) - size),
        default=None,
    )


def _parts_in(
    workload: Workload, *, question: Question, snapshot: CatalogueSnapshot, rates: Rates
) -> tuple[dict[int, AcceleratorSpec], list[Rejection]]:
    kept: dict[int, AcceleratorSpec] = {}
    rejected = []
    for index, part in enumerate(snapshot.accelerators):
        refusal = part_refusal(
            part,
            question=question,
            workload=workload,
            support=snapshot.support,
            porting_weeks=porting_weeks(part, question, rates),
        )
        if refusal is None:
            kept[index] = part
        else:
            rejected.append(refusal)
    return kept, rejected


def sized(
    kept: Mapping[int, AcceleratorSpec],
    workload: Workload,
    *,
    snapshot: CatalogueSnapshot,
    calibration: Calibration,
    points: Points = serving_point,
) -> Sizing:
    """Layouts of the workload on the parts kept, by their index, with the replicas it needs.

    Source: the sizing of the workload's kind.
    """
    parts, month = snapshot.accelerators, software_month(snapshot)
    if not kept:
        return nothing_sized()
    if workload.training is not None:
        demand = workload.training
        return size_training(
            parts, snapshot.systems, demand, calibration,
            precisions={i: training_formats(part, demand) for i, part in kept.items()},
            software_month=month, assumed=0, given=workload.given,
        )  # fmt: skip
    serving = workload.serving
    if serving is None:
        message = f"workload {workload.name!r} has neither a serving nor a training demand"
        raise ValueError(message)
    formats = {i: serving_formats(part, serving, workload) for i, part in kept.items()}
    if serving.model.kind in LLM_KINDS and serving.output_tokens > 0.0:
        layouts = serving_layouts(
            parts,
            serving.model,
            precisions=formats,
            engines={i: _engines(part, workload, snapshot) for i, part in kept.items()},
            bytes_per_weight=BYTES_PER_WEIGHT,
        )
        return size_llm_serving(
            layouts, parts, serving, calibration, software_month=month, assumed=0, points=points
        )
    return size_samples(
        parts, serving, calibration, precisions=formats, software_month=month, assumed=0
    )


def _engines(part: AcceleratorSpec, workload: Workload, snapshot: CatalogueSnapshot) -> list[str]:
    """Serving engines recorded for a part that the user can run; the vendor's own otherwise."""
    known = []
    for engine in SERVING_ENGINES:
        row = support_of(snapshot.support, part, engine)
        if row is not None and row.status in ("supported", "partial"):
            known.append(engine)
    wanted = [engine for engine in known if engine in workload.engines] or known
    return [engine for engine in wanted if engine in ENGINES][:2] or ["vendor"]


def _with_own_price(
    offers: tuple[OfferSpec, ...], workload: Workload, question: Question
) -> tuple[OfferSpec, ...]:
    """The user's own price in place of the market, where the price book has one."""
    price = own_usd_per_accelerator_h(question)
    if price is None:
        return offers
    slugs = sorted({offer.accelerator_slug for offer in offers if offer.accelerator_slug})
    if workload.given is not None:
        slugs = [workload.given.accelerator_slug]
    own = [
        own_price([offer for offer in offers if offer.accelerator_slug == slug], price)
        for slug in slugs
    ]
    return tuple(offer for offer in own if offer is not None)


def _gates(workload: Workload) -> dict[int, Gate]:
    if workload.serving is None:
        return {
            index: Gate(open=True, reason="Training format as you asked.")
            for index in range(len(PRECISIONS))
        }
    return {
        index: quality_gate(
            workload.serving.model, name, quality_loss_allowed=workload.quality_loss_allowed
        )
        for index, name in enumerate(PRECISIONS)
    }


def room_for(
    placements: Placements,
    offers: Sequence[OfferSpec],
    systems: Mapping[str, SystemSpec],
    power_w: np.ndarray,
    question: Question,
) -> tuple[Bools, dict[int, str]]:
    """Which placements the user's room can take; a reason for the first of each offer.

    Source: `fits.site_refusal`.
    """
    ok = np.ones(len(placements), dtype=bool)
    reasons: dict[int, str] = {}
    told: set[int] = set()
    owned = {Purchase.BUY, Purchase.QUOTE}
    for row in range(len(placements)):
        offer = offers[int(placements.offer[row])]
        system = systems.get(offer.system_slug)
        if offer.purchase not in owned:
            continue
        reason = site_refusal(
            system.name if system else offer.instance_type,
            systems=float(placements.instances[row]),
            power_w=float(power_w[row] * placements.instances[row]),
            rack_units=system.rack_units if system else None,
            site=question.site,
            liquid_only=system is not None and system.cooling == "liquid",
        )
        if reason is not None:
            ok[row] = False
            if offer.id not in told:
                told.add(offer.id)
                reasons[row] = reason
    return ok, reasons


def _refuse(
    part: AcceleratorSpec, workload: Workload, limit: str, reason: str, count: int = 1
) -> Rejection:
    return Rejection(
        family=part.family.value,
        accelerator=part.name,
        limit=limit,
        reason=reason,
        workload=workload.name,
        count=count,
    )


def _after_sizing(
    kept: Mapping[int, AcceleratorSpec],
    workload: Workload,
    sizing: Sizing,
    placements: Placements,
    offered: Market,
    ways_s: Mapping[str, float],
    systems: Sequence[SystemSpec],
) -> list[Rejection]:
    """Why a part that was sized has no plan that meets the targets: memory, speed or market."""
    rejected = []
    met = sizing.meets[placements.sizing]
    parts_met = set(sizing.accelerator[placements.sizing[met]].tolist())
    parts_placed = set(sizing.accelerator[placements.sizing].tolist())
    for index, part in kept.items():
        if index in parts_met:
            continue
        mine = np.flatnonzero(sizing.accelerator == index)
        fitting = mine[sizing.fits[mine]]
        good = mine[sizing.meets[mine]]
        if len(fitting) == 0:
            rejected.append(_memory_refusal(part, workload, sizing, mine, systems))
        elif len(good) == 0:
            refusal = _target_refusal(part, workload, sizing, fitting)
            rejected.append(_with_way(refusal, ways_s.get(part.slug, 0.0)))
        elif index not in parts_placed or len(good) > 0:
            rejected.append(_market_refusal(part, workload, offered, len(good)))
    return rejected


def _memory_refusal(
    part: AcceleratorSpec,
    workload: Workload,
    sizing: Sizing,
    mine: np.ndarray,
    systems: Sequence[SystemSpec],
) -> Rejection:
    if len(mine) == 0:
        reason = f"No layout of {model_of(workload).name} on {part.name} is known to work."
        return _refuse(part, workload, "layout", reason)
    if workload.training is not None:
        reason = _job_refusal(part, workload, workload.training, sizing, mine)
        return _refuse(part, workload, "memory", reason, len(mine))
    row = int(mine[np.argmin(sizing.needed_bytes[mine])])
    chips = int(sizing.chips_per_replica[row])
    reason = (
        f"{model_of(workload).name} needs {sizing.needed_bytes[row] / GIB:,.0f} GiB in "
        f"{PRECISIONS[int(sizing.precision[row])]}; {chips} x {part.name} hold "
        f"{chips * part.usable_memory_bytes / GIB:,.0f} GiB."
    )
    if workload.serving is not None and workload.serving.output_tokens > 0.0:
        needed, model = float(sizing.needed_bytes[row]), workload.serving.model
        spilled = spill_of(part, model, systems, needed_bytes=needed, chips=chips)
        reason = f"{reason} {spill_words(part, spilled, chips=chips)}".rstrip()
    return _refuse(part, workload, "memory", reason, len(mine))


def _job_refusal(
    part: AcceleratorSpec,
    workload: Workload,
    training: TrainingDemand,
    sizing: Sizing,
    mine: np.ndarray,
) -> str:
    """Why a job fits no number of accelerators: memory, or a batch too small to be shared out."""
    short = mine[sizing.needed_bytes[mine] > sizing.available_bytes[mine]]
    row = int(max(short if len(short) else mine, key=lambda r: sizing.chips_per_replica[r]))
    chips = int(sizing.chips_per_replica[row])
    states = _states_refusal(part, workload, chips)
    if states:
        return states
    reason = (
        f"On up to {chips:,} x {part.name} each would have to hold "
        f"{sizing.needed_bytes[row] / chips / GIB:,.1f} GiB and holds "
        f"{sizing.available_bytes[row] / chips / GIB:,.1f} GiB."
    )
    if len(short) == len(mine):
        return reason
    sequences = training.global_batch_tokens / max(training.seq_len, 1.0)
    more = f"More would hold it, but a batch of {sequences:,.0f} sequences leaves them idle."
    return f"{reason} {more}" if len(short) else more


def _states_refusal(part: AcceleratorSpec, workload: Workload, chips: int) -> str:
    """The arithmetic of a full training job whose weights and optimizer alone do not fit."""
    training = workload.training
    if training is None or training.task == "lora":
        return ""
    return memory_refusal(
        params=training.model.total_params,
        per_parameter_bytes=bytes_per_parameter(training.optimizer, precision=training.precision),
        accelerators=chips,
        memory_bytes=part.memory_bytes,
    )


def _with_way(refusal: Rejection, way_s: float) -> Rejection:
    """A missed target with what the way from the nearest offer of the part adds."""
    if way_s <= 0.0:
        return refusal
    added = f" The way from its nearest place to your users adds {way_s * 1e3:,.0f} ms."
    return replace(refusal, reason=refusal.reason + added)


def _target_refusal(
    part: AcceleratorSpec, workload: Workload, sizing: Sizing, fitting: np.ndarray
) -> Rejection:
    if workload.training is not None:
        quickest = fitting[np.argmin(sizing.wait_s[fitting])]
        hours = sizing.wait_s[quickest] / SECONDS_PER_HOUR
        return _refuse(
            part,
            workload,
            "deadline",
            f"The quickest set-up, {int(sizing.chips_per_replica[quickest])} x {part.name}, "
            f"takes {hours:,.0f} h.",
            len(fitting),
        )
    serving = workload.serving
    slo = serving.slo if serving is not None else None
    for name, meets, target, figure in (
        ("time to first token", sizing.meets_ttft, slo and slo.ttft_s, "ttft_p95_s"),
        ("time per output token", sizing.meets_tpot, slo and slo.tpot_s, "tpot_p95_s"),
    ):
        if target and not meets[fitting].any():
            best = sizing.figures[figure].value[fitting].min()
            return _refuse(
                part,
                workload,
                "latency",
                f"Its best {name} is {best * 1e3:,.0f} ms; you ask for {target * 1e3:,.0f} ms.",
                len(fitting),
            )
    best = sizing.wait_s[fitting].min()
    target = slo.e2e_s if slo is not None and slo.e2e_s else 0.0
    return _refuse(
        part,
        workload,
        "latency",
        f"Its quickest answer within all targets takes {best:,.2f} s; you ask for "
        f"{target:,.2f} s end to end."
        if target
        else "It meets each target alone, but no set-up meets all of them together.",
        len(fitting),
    )


def _excluded_places(
    parts: Sequence[AcceleratorSpec], workload: Workload, offered: Market
) -> list[Rejection]:
    """Offers kept out by where they stand, by family and reason, also where a part has others."""
    families = {part.slug: part.family.value for part in parts}
    counts: dict[tuple[str, str, str], int] = {}
    for refused in offered.refused:
        limit = _PLACE_LIMITS.get(refused.limit)
        if limit and refused.offer.accelerator_slug in families:
            key = (families[refused.offer.accelerator_slug], limit, refused.reason)
            counts[key] = counts.get(key, 0) + 1
    return [
        Rejection(
            family=family, accelerator=None, limit=limit, reason=reason,
            workload=workload.name, count=count,
        )
        for (family, limit, reason), count in sorted(counts.items())
    ]  # fmt: skip


def _market_refusal(
    part: AcceleratorSpec, workload: Workload, offered: Market, count: int
) -> Rejection:
    reasons: dict[str, int] = {}
    for refused in offered.refused:
        if refused.offer.accelerator_slug == part.slug:
            reasons[refused.reason] = reasons.get(refused.reason, 0) + 1
    if not reasons:
        sold = any(offer.accelerator_slug == part.slug for offer in offered.offers)
        asked = workload.given.accelerator_slug if workload.given is not None else part.slug
        reason = (
            f"You ask about one set-up of your own, and {part.name} is not in it."
            if asked != part.slug
            else f"No offer of {part.name} comes in a size that holds one copy of the model."
            if sold
            else f"The catalogue knows no place that rents or sells {part.name}."
        )
        return _refuse(part, workload, "offer", reason, count)
    reason, times = max(reasons.items(), key=lambda item: item[1])
    return _refuse(part, workload, "offer", reason, times)


def _availability_warning(name: str, serving: ServingDemand) -> list[str]:
    """An availability that one machine cannot promise."""
    if serving.redundancy != "none" or serving.availability <= WITHOUT_SPARE:
        return []
    return [
        f"{name}: {serving.availability:.3%} availability leaves "
        f"{(1.0 - serving.availability) * MINUTES_PER_MONTH:,.0f} minutes of outage a month; "
        "without a spare replica one lost machine takes longer. Ask for N+1."
    ]


def _reach_warnings(workload: Workload, sizing: Sizing) -> list[str]:
    """Targets that nothing in the catalogue reaches, with the best that is reached."""
    serving = workload.serving
    if serving is None or serving.is_batch or len(sizing) == 0 or not sizing.fits.any():
        return []
    fits = sizing.fits
    promised = _availability_warning(workload.name, serving)
    rows = (
        ("time to first token", sizing.meets_ttft, serving.slo.ttft_s, "ttft_p95_s"),
        ("time per output token", sizing.meets_tpot, serving.slo.tpot_s, "tpot_p95_s"),
    )
    warnings = [
        f"{workload.name}: no accelerator in the catalogue reaches a {name} of "
        f"{target * 1e3:,.0f} ms even unloaded; the best is "
        f"{sizing.figures[figure].value[fits].min() * 1e3:,.0f} ms. Ask for at least that."
        for name, meets, target, figure in rows
        if target is not None and not meets[fits].any()
    ]
    warnings += promised
    both = fits & sizing.meets_ttft & sizing.meets_tpot
    if serving.slo.e2e_s is not None and both.any() and not sizing.meets_e2e[both].any():
        warnings.append(
            f"{workload.name}: no set-up that meets the token targets answers within "
            f"{serving.slo.e2e_s:,.0f} s end to end; the best takes "
            f"{sizing.wait_s[both].min():,.1f} s. The plans meet the token targets only."
        )
    return warnings
