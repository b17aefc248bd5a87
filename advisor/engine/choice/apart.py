"""Plans with prefill and decode on machines of their own: which pairs are weighed, and priced."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import ENGINES, Floats, Ints
from advisor.engine.choice.eligibility import blocked_because
from advisor.engine.search.candidates import Layout, serving_layouts
from advisor.engine.search.fits import deployment_kind
from advisor.engine.search.formats import serving_formats
from advisor.engine.search.placement import is_market, place
from advisor.engine.search.placement import rows_of as placement_rows
from advisor.engine.search.pricing import priced_cases
from advisor.engine.search.reach import levels_of, tightened
from advisor.engine.search.river import LLM_KINDS, Priced, room_for, software_month
from advisor.engine.search.size_apart import Pools, prefill_points, size_apart
from advisor.engine.search.size_training import node_of
from advisor.engine.search.sizing import Sizing
from advisor.engine.search.sizing import rows_of as sizing_rows
from advisor.engine.serving.performance import ServingPoint
from advisor.engine.training.parameters import DEFAULTS
from advisor.engine.workload import Question, ServingDemand, Workload
from catalog.specs import (
    BYTES_PER_WEIGHT,
    PRECISIONS,
    AcceleratorSpec,
    CatalogueSnapshot,
    OfferSpec,
    SystemSpec,
)
from costing.engine.cases import take
from costing.engine.tco import cost_breakdown

PARTS_OF_EACH = 10  # parts tried for prefill, and for decode
PREFILL_LAYOUTS, DECODE_LAYOUTS = 2, 12  # of a part, format and engine in each role
PAIRS_OF_PARTS = 4  # of each two parts, that are placed on offers
SHOWN = 3  # cheapest pairs of parts that become plans
ENGINES_APART = frozenset({"vllm", "sglang", "tensorrt-llm"})
"""Serving software that hands a KV cache from prefill to decode machines.

Source: vLLM documentation, "Disaggregated Prefilling (experimental)"; SGLang documentation, "PD
Disaggregation"; TensorRT-LLM documentation, "Disaggregated Serving"; all read 2026-11-25.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two pools at one place: each among candidates of its own role, with its row there."""

    prefill: Priced
    prefill_row: int
    decode: Priced
    decode_row: int
    handed_bytes: float
    hand_over_s: float

    @property
    def total_usd(self) -> float:
        """Cost of both pools over the horizon."""
        first = float(self.prefill.cost.total_usd[self.prefill_row])
        return first + float(self.decode.cost.total_usd[self.decode_row])


def may_be_apart(workload: Workload) -> bool:
    """Whether prefill and decode may be on machines of their own: allowed, and there are both.

    Source: the answer `disagg_allowed`.
    """
    serving = workload.serving
    return (
        serving is not None
        and workload.disaggregation_allowed
        and workload.given is None
        and serving.model.kind in LLM_KINDS
        and serving.output_tokens > 1.0
    )


def pairs_of(
    priced: Priced, question: Question, *, snapshot: CatalogueSnapshot, calibration: Calibration
) -> tuple[Pair, ...]:
    """The cheapest pairs of pools that may be recommended, one for each two parts.

    Taken are the parts that prefill cheapest by the token and those with the cheapest memory
    bandwidth, at prices of the wide search. A pair is of one vendor, one number format and one
    engine, at one place: no engine documents a KV cache handed to another vendor's part. What an
    assessment pays once (storage, traffic out, people, porting) is paid by the decode pool.

    Source: rules stated here; sizes as in `size_apart`.
    """
    serving = priced.workload.serving
    if serving is None or not may_be_apart(priced.workload) or not len(priced.placements):
        return ()
    usd = _usd_per_accelerator(priced)
    found: list[Pair] = []
    for way_s, only in levels_of(priced.reach, serving.slo):
        near = tightened(priced.workload, way_s).serving
        pools = None
        if near is not None:
            pools = _sized(priced, near, usd, snapshot=snapshot, calibration=calibration)
        if pools is not None:
            found += _placed(priced, question, _promising(pools, usd), snapshot, only)
    return _best(found)


def _sized(
    priced: Priced,
    serving: ServingDemand,
    usd: Floats,
    *,
    snapshot: CatalogueSnapshot,
    calibration: Calibration,
) -> Pools | None:
    """The short list's pairs, sized; None where there is none."""
    month = software_month(snapshot)
    first, second = _short_list(priced, serving, usd, calibration, month)
    vendor = [part.vendor for part in priced.parts]
    pairs = [
        (at, to)
        for at, one in enumerate(first)
        for to, two in enumerate(second)
        if one.precision == two.precision
        and one.engine == two.engine
        and vendor[one.accelerator] == vendor[two.accelerator]
    ]
    if not pairs:
        return None
    rows = np.array(pairs, dtype=np.int64).T
    return size_apart(
        first, second, (rows[0], rows[1]), priced.parts, serving, calibration,
        network_bytes_per_s=network_bytes_per_s(priced.parts, snapshot.systems),
        software_month=month,
    )  # fmt: skip


def _promising(pools: Pools, usd: Floats) -> Pools:
    """Of each two parts the pairs that are cheapest at the least price of an accelerator."""
    estimate = sum(
        usd[pool.accelerator] * pool.chips_per_replica * pool.replicas
        for pool in (pools.prefill, pools.decode)
    )
    meets = pools.prefill.meets & pools.decode.meets
    seen: dict[tuple[int, int], int] = {}
    found = []
    for row in np.argsort(estimate, kind="stable").tolist():
        key = (int(pools.prefill.accelerator[row]), int(pools.decode.accelerator[row]))
        if meets[row] and seen.get(key, 0) < PAIRS_OF_PARTS:
            seen[key] = seen.get(key, 0) + 1
            found.append(row)
    kept = np.array(found, dtype=np.int64)
    return Pools(
        prefill=sizing_rows(pools.prefill, kept),
        decode=sizing_rows(pools.decode, kept),
        handed_bytes=pools.handed_bytes[kept],
        hand_over_s=pools.hand_over_s[kept],
    )


def network_bytes_per_s(parts: Sequence[AcceleratorSpec], systems: Sequence[SystemSpec]) -> Floats:
    """What one accelerator of each part has for traffic to other machines, one direction.

    The network cards of the part's usual machine at the share of their rate that training
    reaches, at most the host link; nan where no machine's cards are published.

    Source: the catalogue's systems; efficiency as in `training.parameters`.
    """
    cards = np.array([node_of(part, systems)[1] for part in parts], dtype=np.float64)
    host = np.array([part.host_link_bytes_per_s or np.inf for part in parts])
    return np.asarray(np.minimum(DEFAULTS["scale_out"] * cards, host))


def _short_list(
    priced: Priced, serving: ServingDemand, usd: Floats, calibration: Calibration, month: float
) -> tuple[list[Layout], list[Layout]]:
    """Layouts of the parts that prefill cheapest, and of those with the cheapest bandwidth."""
    known = set(priced.sizing.accelerator.tolist())
    kept = {index: part for index, part in enumerate(priced.parts)
            if index in known and np.isfinite(usd[index])}  # fmt: skip
    layouts = _layouts(kept, priced, serving)
    if not layouts:
        return [], []
    point = prefill_points(layouts, priced.parts, serving, calibration, software_month=month)
    width = np.array([part.memory_bandwidth_bytes_per_s or np.nan for part in priced.parts])
    widest = set(sorted(kept, key=lambda index: float(usd[index] / width[index]))[:PARTS_OF_EACH])
    fitting = [
        layout
        for layout, fits in zip(layouts, point.fits, strict=True)
        if fits and layout.accelerator in widest
    ]
    smallest = sorted(fitting, key=lambda layout: layout.chips)
    return _cheapest(layouts, point, usd), _few(smallest, DECODE_LAYOUTS)


def _usd_per_accelerator(priced: Priced) -> Floats:
    """The least cost of one accelerator of each part over the horizon; infinite where unsold."""
    usd = np.full(len(priced.parts), np.inf)
    part = priced.sizing.accelerator[priced.placements.sizing]
    each = priced.cost.total_usd / np.maximum(priced.placements.accelerators, 1.0)
    np.minimum.at(usd, part, np.where(np.isfinite(each), each, np.inf))
    return usd


def _layouts(
    kept: dict[int, AcceleratorSpec], priced: Priced, serving: ServingDemand
) -> list[Layout]:
    """Layouts in formats that need no quality test, on engines that can hand a cache over."""
    sizing = priced.sizing
    used = {
        index: sorted({
            ENGINES[int(engine)] for engine in sizing.engine[sizing.accelerator == index]
        } & ENGINES_APART)
        for index in kept
    }  # fmt: skip
    formats = {
        index: [
            name
            for name in serving_formats(part, serving, priced.workload)
            if priced.gates[PRECISIONS.index(name)].open
        ]
        for index, part in kept.items()
    }
    return serving_layouts(
        priced.parts, serving.model, precisions=formats, engines=used,
        bytes_per_weight=BYTES_PER_WEIGHT,
    )  # fmt: skip


def _cheapest(layouts: Sequence[Layout], point: ServingPoint, usd: Floats) -> list[Layout]:
    """The cheapest layouts by the prompt, of the parts that prefill cheapest."""
    chips = np.array([layout.chips for layout in layouts], dtype=np.float64)
    part = np.array([layout.accelerator for layout in layouts], dtype=np.int64)
    each = usd[part] * chips / np.maximum(point.requests_per_s.value, 1e-12)
    each = np.where(point.fits, each, np.inf)
    order = [int(row) for row in np.argsort(each, kind="stable") if np.isfinite(each[row])]
    parts = list(dict.fromkeys(layouts[row].accelerator for row in order))[:PARTS_OF_EACH]
    return _few(
        [layouts[row] for row in order if layouts[row].accelerator in set(parts)], PREFILL_LAYOUTS
    )


def _few(layouts: Sequence[Layout], most: int) -> list[Layout]:
    """The first layouts of each part, format and engine."""
    seen: dict[tuple[int, int, int], int] = {}
    kept = []
    for layout in layouts:
        key = (layout.accelerator, layout.precision, layout.engine)
        seen[key] = seen.get(key, 0) + 1
        if seen[key] <= most:
            kept.append(layout)
    return kept


def _placed(
    priced: Priced, question: Question, pools: Pools, snapshot: CatalogueSnapshot, only: Ints
) -> list[Pair]:
    """Each pair on the cheapest offers of both parts at each place, that may be recommended."""
    first = _priced_pool(priced, pools.prefill, question, snapshot, only, alone=False)
    second = _priced_pool(priced, pools.decode, question, snapshot, only, alone=True)
    places = [place_of(offer) for offer in priced.offers]
    best = [_cheapest_at(each, question, places) for each in (first, second)]
    return [
        Pair(
            prefill=first, prefill_row=best[0][key], decode=second, decode_row=best[1][key],
            handed_bytes=float(pools.handed_bytes[key[0]]),
            hand_over_s=float(pools.hand_over_s[key[0]]),
        )
        for key in best[0]
        if key[1] and key in best[1]
    ]  # fmt: skip


def place_of(offer: OfferSpec) -> str:
    """Where both pools must stand; empty where that is not known or no network joins machines.

    Source: the catalogue's offers.
    """
    if deployment_kind(offer) == "on_prem":
        return "on_prem"
    return "" if offer.region is None or is_market(offer) else offer.region.slug


def _priced_pool(
    priced: Priced,
    sizing: Sizing,
    question: Question,
    snapshot: CatalogueSnapshot,
    only: Ints,
    *,
    alone: bool,
) -> Priced:
    """Candidates of one role, placed and priced; `alone` pays what is paid once as well."""
    placements = place(sizing, priced.offers, priced.parts, only=only)
    meets = sizing.meets[placements.sizing]
    placements = placement_rows(placements, np.flatnonzero(meets))
    cases = priced_cases(
        placements, sizing, priced.offers, parts=priced.parts, systems=priced.systems,
        question=question, workload=priced.workload, rates=priced.rates, as_of=snapshot.as_of,
    )  # fmt: skip
    fits = room_for(
        placements, priced.offers, priced.systems, cases.power_w_per_instance, question
    )[0]
    placements, cases = placement_rows(placements, np.flatnonzero(fits)), take(cases, fits)
    if not alone:
        none = np.zeros(len(placements))
        cases = replace(
            cases, storage_bytes=none, egress_bytes_per_month=none,
            inter_region_usd_per_month=none, ops_fte=none, porting_weeks=none,
        )  # fmt: skip
    return replace(
        priced, sizing=sizing, placements=placements, cases=cases,
        cost=cost_breakdown(cases, priced.rules),
    )  # fmt: skip


def _cheapest_at(
    priced: Priced, question: Question, places: Sequence[str]
) -> dict[tuple[int, str], int]:
    """The cheapest row of each pair and place that may be recommended."""
    texts = blocked_because(priced, question)
    cost = priced.cost.total_usd
    found: dict[tuple[int, str], int] = {}
    for row in np.argsort(cost, kind="stable").tolist():
        if not texts[row] and np.isfinite(cost[row]):
            key = (int(priced.placements.sizing[row]), places[int(priced.placements.offer[row])])
            found.setdefault(key, row)
    return found


def _best(pairs: Sequence[Pair]) -> tuple[Pair, ...]:
    """The cheapest pair of each two parts, the cheapest of them."""
    seen: dict[tuple[int, int], Pair] = {}
    for pair in sorted(pairs, key=lambda pair: pair.total_usd):
        parts = (_part(pair.prefill, pair.prefill_row), _part(pair.decode, pair.decode_row))
        seen.setdefault(parts, pair)
    return tuple(seen.values())[:SHOWN]


def _part(priced: Priced, row: int) -> int:
    return int(priced.sizing.accelerator[priced.placements.sizing[row]])
