"""The ways to serve one workload that a fleet may use: candidates as pools, dominated ones out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.choice.eligibility import blocked_because
from advisor.engine.fleet.prices import UnitPrices, unit_prices
from advisor.engine.fleet.sizes import SizeClass, Speeds, speed_by_size
from advisor.engine.search.placement import MOST_AT_MARKET_PRICE, is_market, sold_by_the_chip
from advisor.engine.search.river import Priced
from advisor.engine.search.sizing import REDUNDANCY_EXTRA, REDUNDANCY_FACTOR
from advisor.engine.workload import Question
from catalog.specs import OfferSpec, Purchase
from catalog.units import SECONDS_PER_HOUR

BY_THE_HOUR = frozenset({Purchase.ON_DEMAND, Purchase.SPOT})
HELD = frozenset({Purchase.BUY, Purchase.RESERVED_1Y, Purchase.RESERVED_3Y})
NO_LIMIT = 1e6


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """Candidates of one workload that a fleet may use in part; columns of equal length."""

    rows: Ints  # of the workload's placements
    held: Bools  # paid in every hour
    size: Floats  # machines of one replica
    rate: Floats  # units a second of one replica; units an hour for jobs
    by_size: Floats  # (rows, classes): speed for each size of request over that for the mix
    spare: Floats
    most: Floats  # machines to be had
    prices: UnitPrices
    wait: Floats  # s, of an answer; 0 where it makes no difference

    def __len__(self) -> int:
        return len(self.rows)


def ways_of(
    priced: Priced,
    question: Question,
    *,
    low: bool = False,
    classes: Sequence[SizeClass] = (),
    speeds: Speeds | None = None,
    quick: bool = False,
) -> Ways:
    """Every candidate that may be recommended and is rented by the hour or held.

    Capacity blocks, and contracts with a least term, come as plans of their own. With `low`
    replicas work at the low end of their speed. With `quick` what answers quicker stays in.

    Source: rules of `choice.eligibility`; sizes and rates of the workload's sizing.
    """
    texts = blocked_because(priced, question)
    kinds = [priced.offers[int(offer)].purchase for offer in priced.placements.offer]
    bound = priced.cases.minimum_months > 0.0
    usable = [
        row
        for row, (text, kind) in enumerate(zip(texts, kinds, strict=True))
        if not text and (kind in HELD or (kind in BY_THE_HOUR and not bound[row]))
    ]
    usable_rows = np.array(usable, dtype=np.int64)
    wait = priced.wait_s if quick and not priced.workload.is_job else np.zeros(len(texts))
    rows = _leanest_of_each_offer(priced, usable_rows, wait)
    rate = _rates(priced, rows)
    if low:
        rate = rate * priced.sizing.capacity_low[priced.placements.sizing[rows]]
    serving = priced.workload.serving
    redundancy = serving.redundancy if serving is not None else "none"
    offers = [priced.offers[int(priced.placements.offer[row])] for row in rows]
    return Ways(
        rows=rows,
        held=np.array([offer.purchase in HELD for offer in offers], dtype=bool),
        size=_sizes(priced, rows, offers),
        by_size=np.ones((len(rows), max(len(classes), 1)))
        if speeds is None
        else speed_by_size(priced, rows, classes, speeds),
        rate=rate / REDUNDANCY_FACTOR.get(redundancy, 1.0),
        spare=np.full(len(rows), REDUNDANCY_EXTRA.get(redundancy, 0.0)),
        most=np.array([most_of(offer) for offer in offers], dtype=np.float64),
        prices=unit_prices(priced, rows),
        wait=wait[rows],
    )


def _leanest_of_each_offer(priced: Priced, rows: Ints, wait: Floats) -> Ints:
    """Rows that no row on the same offer beats in size, speed and wait of a replica at once."""
    offer = priced.placements.offer[rows]
    size = _sizes(priced, rows, [priced.offers[int(each)] for each in offer])
    rate = _rates(priced, rows)
    order = np.lexsort((wait[rows], -rate, size, offer))
    kept: list[int] = []
    last, best = -1, [(0.0, np.inf)]
    for place in order:
        speed, seconds = float(rate[place]), float(wait[rows[place]])
        if offer[place] != last:
            last, best = int(offer[place]), [(0.0, -np.inf)]
        if not any(other >= speed and quicker <= seconds for other, quicker in best):
            best.append((speed, seconds))
            kept.append(int(rows[place]))
    return np.array(sorted(kept), dtype=np.int64)


def most_of(offer: OfferSpec) -> float:
    """Machines of an offer that may be had: its quota, or what a market is assumed to have.

    Source: the catalogue; `MOST_AT_MARKET_PRICE`.
    """
    if offer.max_quantity is not None:
        return float(offer.max_quantity)
    return float(MOST_AT_MARKET_PRICE) if is_market(offer) else NO_LIMIT


def _sizes(priced: Priced, rows: Ints, offers: Sequence[OfferSpec]) -> Floats:
    """Machines of one replica: chips where sold so, a share of a machine, or several whole."""
    chips = priced.sizing.chips_per_replica[priced.placements.sizing[rows]].astype(np.float64)
    held = np.array([offer.accelerator_count for offer in offers], dtype=np.float64)
    by_chip = np.array([sold_by_the_chip(offer) for offer in offers], dtype=bool)
    shares = np.maximum(np.floor(held / np.maximum(chips, 1.0)), 1.0)
    whole = np.where(chips <= held, 1.0 / shares, priced.placements.instance_step[rows])
    if priced.workload.training is not None:
        whole = priced.placements.instances[rows]
    return np.asarray(np.where(by_chip, chips, whole))


def _rates(priced: Priced, rows: Ints) -> Floats:
    """Units of one replica: a second for live traffic, an hour for jobs; a run is a unit.

    Where waiting made the sizing add replicas, a replica counts for less: what it carried
    there at the peak.
    """
    if len(rows) == 0:  # nothing was sized, and there are no figures then
        return np.zeros(0)
    at, sizing = priced.placements.sizing[rows], priced.sizing
    serving = priced.workload.serving
    if serving is None:
        return np.asarray(1.0 / np.maximum(sizing.figures["hours"].value[at], 1e-9))
    replicas = np.maximum(sizing.replicas[at], 1).astype(np.float64)
    rate = sizing.figures["requests_per_s"].value[at] / replicas
    if priced.workload.is_job:
        return np.asarray(rate * SECONDS_PER_HOUR)
    alone = replicas / REDUNDANCY_FACTOR.get(serving.redundancy, 1.0)
    alone = np.maximum(alone - REDUNDANCY_EXTRA.get(serving.redundancy, 0.0), 1.0)
    asked = serving.requests_per_s_peak * (1.0 + serving.headroom_fraction)
    crowded = alone > np.ceil(asked / np.maximum(rate, 1e-12) - 1e-9)
    return np.asarray(np.where(crowded, np.minimum(asked / alone, rate), rate))


def undominated(ways: Ways, families: Sequence[str], *, needed: Floats) -> Bools:
    """Ways that no way by the hour beats in price, speed, wait, grain and quantity at once.

    A way is out where another of its family that is rented by the hour in whole machines is
    no dearer by the replica-hour, no slower, costs no more people and data, and is to be had
    in the number of replicas that the whole load takes (`needed`) or that this way has: each
    replica-hour may then be moved there at no cost. A machine that is held is paid in all
    hours, so its hours can only be moved cheaper; it stays where its loads, all together, are
    not beaten one by one.

    Source: definition of dominance; the exchange argument is stated here.
    """
    each = np.where(ways.held, ways.prices.held_hour, ways.prices.hour) * ways.size
    replicas = np.floor(ways.most / ways.size + 1e-9)
    speed = ways.rate[:, np.newaxis] * ways.by_size
    family, prices = np.array(families, dtype=np.str_), ways.prices
    order = np.lexsort((ways.held, -ways.rate, each))
    keep = np.ones(len(ways), dtype=bool)
    for place, one in enumerate(order):
        if not keep[one] or ways.held[one]:
            continue
        rest = order[place + 1 :]
        alike = (ways.size[rest] == ways.size[one]) & ~ways.held[rest]
        beaten = (
            (family[rest] == family[one])
            & (each[rest] >= each[one] - 1e-9)
            & (ways.wait[one] <= ways.wait[rest] * (1.0 + 1e-9))
            & (prices.data[rest] >= prices.data[one] - 0.01)
            & (prices.people[rest] >= prices.people[one] - 0.01)
            & (prices.porting[rest] >= prices.porting[one] - 0.01)
            & (speed[one] >= speed[rest] * (1.0 - 1e-9)).all(axis=1)
            & (np.minimum(needed[one], replicas[rest]) <= replicas[one])
            & ((ways.size[one] >= 1.0) | alike)
        )
        keep[rest[beaten]] = False
    return keep
