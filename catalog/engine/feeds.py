"""Price feeds in general: rows by header name, refusals with line numbers, sane prices only."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from statistics import median

from catalog.engine.schema import OFFERS
from catalog.engine.shipped import shipped_snapshot
from catalog.engine.tables import BadTable, Record, Refusal
from catalog.specs import Purchase

Band = tuple[float, float]
Finder = Callable[[str], str | None]
# Beyond thrice the span of known list prices a figure is a wrong field rather than a price.
BAND_WIDTH = 3.0
ANY_ACCELERATOR: Band = (0.01, 300.0)
ROUNDING = Decimal("1.001")  # feeds round on-demand and spot prices differently
LONGEST_NAME = 200
EMPTY_OFFER: Record = {column.name: column.empty for column in OFFERS.columns}


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """Where a feed's prices come from and when they were read."""

    file: str
    provider: str
    observed_on: date
    source_title: str
    source_url: str


@dataclass(slots=True, kw_only=True)
class Reading:
    """What a feed's file says: price observations, refused rows, rows about no accelerator."""

    observations: list[tuple[int, Record]] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """One price of one row, before the zones of a region are put together."""

    line: int
    region: str
    instance_type: str
    accelerator: str
    accelerator_count: Decimal
    purchase: Purchase
    usd_per_h: Decimal | None
    vcpus: Decimal | None = None
    host_memory_gib: Decimal | None = None
    note: str = ""


def feed_rows(
    content: str, file: str, needed: Sequence[str], *, without_header: Sequence[str] = ()
) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows by header name with line numbers; raises BadTable for a file of another shape.

    `without_header` names the columns of files that may come bare, in their fixed order.
    """
    if not content.strip():
        message = f"{file}: the file is empty"
        raise BadTable(message)
    reader = csv.reader(io.StringIO(content.removeprefix("\ufeff")), strict=True)
    try:
        header = [name.strip() for name in next(reader)]
        missing = [name for name in needed if name not in header]
        if missing and len(header) == len(without_header) and len(missing) == len(needed):
            yield 1, dict(zip(without_header, header, strict=True))
            header = list(without_header)
        elif missing:
            message = f"{file}, line 1: the header lacks {', '.join(missing)}"
            raise BadTable(message)
        before = reader.line_num
        for cells in reader:
            line, before = before + 1, reader.line_num
            if not cells:
                continue
            if len(cells) < len(header) and before > content.count("\n"):
                message = f"{file}, line {line}: the file ends in the middle of a row; cut off?"
                raise BadTable(message)
            if len(cells) != len(header):
                yield line, {"": f"has {len(cells)} cells, the header has {len(header)}"}
                continue
            yield line, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        message = f"{file}, line {reader.line_num}: not valid CSV ({error}); is the file cut off?"
        raise BadTable(message) from None


def cell(row: Mapping[str, str], name: str) -> Decimal | None:
    """A number of a feed; None where empty; raises ValueError where it is no number."""
    text = row.get(name, "").strip()
    if not text or text.lower() in {"nan", "none"}:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        message = f"{name} “{text}” is not a number"
        raise ValueError(message) from None
    if not value.is_finite() or value < 0:
        message = f"{name} “{text}” is not a number from zero up"
        raise ValueError(message)
    return value


def price(row: Mapping[str, str], name: str) -> Decimal | None:
    """A price of a feed; None where it has none; zero is refused, for nothing is free."""
    value = cell(row, name)
    if value == 0:
        message = f"{name} is zero: a price that is not known"
        raise ValueError(message)
    return value


def check_order(on_demand: Decimal | None, spot: Decimal | None) -> None:
    """Raises ValueError where spot is dearer than on demand: one of them is wrong."""
    if on_demand is not None and spot is not None and spot > on_demand * ROUNDING:
        message = f"spot {spot} is above on-demand {on_demand}: neither can be trusted"
        raise ValueError(message)


@cache
def price_bands() -> Mapping[str, Band]:
    """USD per accelerator-hour between which a rent is believed, from the shipped list prices."""
    rents: dict[str, list[float]] = {}
    for offer in shipped_snapshot().offers:
        if offer.usd_per_h is not None and offer.accelerator_count:
            each = offer.usd_per_h / offer.accelerator_count
            rents.setdefault(offer.accelerator_slug, []).append(each)
    return {slug: (min(r) / BAND_WIDTH, max(r) * BAND_WIDTH) for slug, r in rents.items()}


def check_band(accelerator: str, count: Decimal, usd_per_h: Decimal) -> None:
    """Raises ValueError where a rent per accelerator is outside what is believed."""
    low, high = price_bands().get(accelerator, ANY_ACCELERATOR)
    each = float(usd_per_h) / float(count)
    if not low <= each <= high:
        message = f"{each:.4g} USD per {accelerator} and hour is outside {low:.3g} to {high:.3g}"
        raise ValueError(message)


def known_accelerator(name: str, find: Finder) -> str:
    """The catalogue's slug of a feed's accelerator; raises ValueError where there is none."""
    slug = find(name)
    if slug is None:
        message = f"accelerator “{name}” is not in the catalogue"
        raise ValueError(message)
    return slug


def check_names(*names: str) -> None:
    """Raises ValueError where a name is longer than any real one."""
    for name in names:
        if len(name) > LONGEST_NAME:
            message = f"a name of {len(name)} characters"
            raise ValueError(message)


def joined_zones(quotes: Sequence[Quote], feed: Feed) -> list[tuple[int, Record]]:
    """One observation per region, instance and purchase: the median of its zones, with span."""
    groups: dict[tuple[str, str, str, Decimal, Purchase], list[Quote]] = {}
    for quote in quotes:
        key = (
            quote.region,
            quote.instance_type,
            quote.accelerator,
            quote.accelerator_count,
            quote.purchase,
        )
        groups.setdefault(key, []).append(quote)
    return [(group[0].line, _record(group, feed)) for group in groups.values()]


def _record(group: Sequence[Quote], feed: Feed) -> Record:
    first = group[0]
    prices = [quote.usd_per_h for quote in group if quote.usd_per_h is not None]
    spread = len(set(prices)) > 1
    return {
        **EMPTY_OFFER,
        "provider": feed.provider,
        "region": f"{feed.provider}/{first.region}" if first.region else "",
        "instance_type": first.instance_type,
        "accelerator": first.accelerator,
        "accelerator_count": first.accelerator_count,
        "purchase": first.purchase.value,
        "vcpus": first.vcpus or None,
        "host_memory_gib": first.host_memory_gib or None,
        "usd_per_h": median(prices) if prices else None,
        "low_usd": min(prices) if spread else None,
        "high_usd": max(prices) if spread else None,
        "currency": "USD",
        "observed_first": feed.observed_on,
        "observed_last": feed.observed_on,
        "confidence": "official" if prices else "none",
        "source_title": feed.source_title,
        "source_url": feed.source_url,
        "note": f"Median of {len(prices)} zones. {first.note}".strip() if spread else first.note,
    }
