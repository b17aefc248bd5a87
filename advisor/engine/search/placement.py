"""Sized layouts put on the offers that sell their part: how many instances of what."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.search.fits import WHOLE_MACHINE
from advisor.engine.search.sizing import Sizing
from catalog.specs import AcceleratorSpec, OfferSpec

MOST_AT_MARKET_PRICE = 64
"""Accelerators assumed to be had at the cheapest price of a market (assumed: eight machines)."""
MOST_IN_ONE_MACHINE = 8
_RACK_FABRIC = 9  # a link domain above a node's eight spans instances
_FREE = np.inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Placements:
    """Pairs of a sizing row and an offer, one a row."""

    sizing: Ints
    offer: Ints
    instances: Floats
    instance_step: Floats  # instances that one replica takes at least
    accelerators: Floats  # paid for, idle ones of a whole instance included
    spans_instances: Bools

    def __len__(self) -> int:
        return len(self.sizing)


def sold_by_the_chip(offer: OfferSpec) -> bool:
    """Whether a price is per accelerator of a machine or slice of any allowed size."""
    text = offer.instance_type.lower()
    return "per-gpu" in text or "per chip" in text or "per-chip" in text


def is_market(offer: OfferSpec) -> bool:
    """The cheapest single offer of a market: machines of other owners, not joined by a fabric."""
    return "per-gpu" in offer.instance_type.lower() and offer.provider_kind == "neocloud"


def _most(offer: OfferSpec) -> float:
    if offer.max_quantity is not None:
        return float(offer.max_quantity)
    return float(MOST_AT_MARKET_PRICE) if is_market(offer) else _FREE


def place(
    sizing: Sizing,
    offers: Sequence[OfferSpec],
    parts: Sequence[AcceleratorSpec],
    *,
    only: Ints | None = None,
) -> Placements:
    """Every sized layout on every offer of its part that can hold it; `only` names some offers.

    A replica that fits an instance shares it with others; a larger one takes whole instances,
    where its tensor-parallel group stays inside one or the link domain spans them. Offers
    below one accelerator hold no replica. Quantity limits of the offer are kept; the cheapest
    price of a market holds for a few machines that nothing joins.

    Source: allocation rule stated here; there is no published formula behind it.
    """
    index = {part.slug: number for number, part in enumerate(parts)}
    offered = np.array([index.get(offer.accelerator_slug, -1) for offer in offers], dtype=np.int64)
    if only is not None:
        offered[np.setdiff1d(np.arange(len(offers)), only)] = -1
    rows: list[NDArray[np.int64]] = []
    columns: list[NDArray[np.int64]] = []
    for part in np.unique(sizing.accelerator):
        mine, theirs = np.flatnonzero(sizing.accelerator == part), np.flatnonzero(offered == part)
        rows.append(np.repeat(mine, len(theirs)))
        columns.append(np.tile(theirs, len(mine)))
    row = np.concatenate(rows) if rows else np.zeros(0, dtype=np.int64)
    column = np.concatenate(columns) if columns else np.zeros(0, dtype=np.int64)
    return _counted(sizing, row, column, offers, parts)


def _counted(
    sizing: Sizing,
    row: Ints,
    column: Ints,
    offers: Sequence[OfferSpec],
    parts: Sequence[AcceleratorSpec],
) -> Placements:
    held = np.array([offer.accelerator_count for offer in offers], dtype=np.float64)[column]
    by_chip = np.array([sold_by_the_chip(offer) for offer in offers], dtype=bool)[column]
    most = np.array([_most(offer) for offer in offers])[column]
    market = np.array([is_market(offer) for offer in offers], dtype=bool)[column]
    domain = np.array([part.scale_up_domain for part in parts])[sizing.accelerator[row]]
    chips = sizing.chips_per_replica[row].astype(np.float64)
    replicas = sizing.replicas[row].astype(np.float64)
    shares = chips <= held
    per_instance = np.where(shares, np.floor(held / chips), 1.0)
    step = np.where(by_chip, chips, np.where(shares, 1.0, np.ceil(chips / np.maximum(held, 1.0))))
    instances = np.where(
        by_chip, chips * replicas, np.where(shares, np.ceil(replicas / per_instance), replicas)
    )
    instances = np.where(shares | by_chip, instances, replicas * step)
    joined = (sizing.tensor[row] <= held) | (domain >= _RACK_FABRIC)
    joined &= held >= WHOLE_MACHINE  # smaller machines have no fabric between them
    whole = held >= 1.0
    one_machine = ~market | (chips <= MOST_IN_ONE_MACHINE)
    possible = (by_chip & whole & one_machine) | shares | (joined & whole & ~by_chip)
    keep = np.flatnonzero(possible & (instances <= most))
    return Placements(
        sizing=row[keep],
        offer=column[keep],
        instances=instances[keep],
        instance_step=step[keep],
        accelerators=np.where(by_chip, instances, instances * held)[keep],
        spans_instances=(~shares & ~by_chip)[keep],
    )


def leanest(placements: Placements, sizing: Sizing) -> Ints:
    """Rows worth pricing: of each offer and format the fewest instances and the fastest.

    For one offer, cost rises with the number of instances alone, so of all layouts in one
    format only the leanest can be cheapest; the fastest one stays for the trade-off. Rows
    that miss a target come after those that meet all.

    Source: dominance argument stated here.
    """
    precision = sizing.precision[placements.sizing]
    misses = ~sizing.meets[placements.sizing]
    unfit = ~sizing.fits[placements.sizing]
    wait = sizing.wait_s[placements.sizing]
    kept: list[NDArray[np.int64]] = []
    for key in ((wait, placements.instances), (placements.instances, wait)):
        order = np.lexsort((key[0], key[1], misses, unfit, precision, placements.offer))
        group = placements.offer[order] * 64 + precision[order]
        first = np.concatenate(([True], group[1:] != group[:-1])) if len(order) else order > 0
        kept.append(order[first])
    rows = np.unique(np.concatenate(kept))
    return np.asarray(rows[~unfit[rows]], dtype=np.int64)


def joined(parts: Sequence[Placements], first_rows: Sequence[int]) -> Placements:
    """Placements of several sizings, each beginning at a row of the joined one.

    Source: definition.
    """
    if len(parts) == 1:
        return parts[0]
    return Placements(
        sizing=np.concatenate(
            [part.sizing + first for part, first in zip(parts, first_rows, strict=True)]
        ),
        offer=np.concatenate([part.offer for part in parts]),
        instances=np.concatenate([part.instances for part in parts]),
        instance_step=np.concatenate([part.instance_step for part in parts]),
        accelerators=np.concatenate([part.accelerators for part in parts]),
        spans_instances=np.concatenate([part.spans_instances for part in parts]),
    )


def rows_of(placements: Placements, rows: Ints) -> Placements:
    """Some rows of the placements."""
    return Placements(
        sizing=placements.sizing[rows],
        offer=placements.offer[rows],
        instances=placements.instances[rows],
        instance_step=placements.instance_step[rows],
        accelerators=placements.accelerators[rows],
        spans_instances=placements.spans_instances[rows],
    )
