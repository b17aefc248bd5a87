"""gpuhunt's CSV: one row for each purchase kind of an instance in a place."""

import re
from collections.abc import Mapping
from decimal import Decimal

from catalog.engine.feeds import (
    Feed,
    Finder,
    Quote,
    Reading,
    cell,
    check_band,
    check_names,
    check_order,
    feed_rows,
    joined_zones,
    known_accelerator,
    price,
)
from catalog.engine.gcp import slice_chips
from catalog.engine.tables import Refusal
from catalog.specs import Purchase

COLUMNS = (
    "instance_name",
    "location",
    "price",
    "cpu",
    "memory",
    "gpu_count",
    "gpu_name",
    "gpu_memory",
    "spot",
    "disk_size",
    "gpu_vendor",
    "flags",
    "cpu_arch",
    "provider_data",
)
NEEDED = ("instance_name", "location", "price", "gpu_count", "gpu_name", "spot")
GCP_ZONE = re.compile(r"^([a-z]+-[a-z]+\d+)-[a-z0-9]+$")
SPOT = {"true": True, "false": False, "1": True, "0": False}
Key = tuple[str, str, str, Decimal]


def read_gpuhunt(content: str, feed: Feed, find: Finder) -> Reading:
    """Price observations of a gpuhunt file, with or without its header line."""
    reading = Reading()
    quotes: list[Quote] = []
    for line, row in feed_rows(content, feed.file, NEEDED, without_header=COLUMNS):
        try:
            if "" in row and len(row) == 1:
                raise ValueError(row[""])
            quote = _quote(line, row, feed, find)
        except ValueError as problem:
            reading.refused.append(Refusal(file=feed.file, line=line, reason=str(problem)))
            continue
        if quote is None:
            reading.skipped += 1
        else:
            quotes.append(quote)
    sound, refused = _in_order(quotes, feed)
    reading.refused = sorted([*reading.refused, *refused], key=lambda refusal: refusal.line)
    reading.observations = joined_zones(sound, feed)
    return reading


def _accelerator(row: Mapping[str, str], find: Finder) -> tuple[str, Decimal]:
    """Slug and number; memory tells variants of one name apart, slices carry their number."""
    name = row["gpu_name"].strip()
    count = cell(row, "gpu_count") or Decimal(0)
    if chips := slice_chips(name):
        family = name.lower().removeprefix("tpu-").split("-")[0]
        return known_accelerator(f"tpu-{family}", find), chips * max(count, Decimal(1))
    memory = cell(row, "gpu_memory")
    if memory and (slug := find(f"{name}-{memory.normalize():f}GB")):
        return slug, count
    return known_accelerator(name, find), count


def _quote(line: int, row: Mapping[str, str], feed: Feed, find: Finder) -> Quote | None:
    """The row's price; None for a row without accelerator."""
    if not row["gpu_name"].strip() or not cell(row, "gpu_count"):
        return None
    slug, count = _accelerator(row, find)
    spot = row["spot"].strip().lower()
    if spot not in SPOT:
        message = f"spot “{row['spot']}” is neither True nor False"
        raise ValueError(message)
    usd_per_h = price(row, "price")
    if usd_per_h is None:
        message = "price is missing"
        raise ValueError(message)
    check_band(slug, count, usd_per_h)
    place = row["location"].strip()
    if feed.provider == "gcp" and (match := GCP_ZONE.match(place)):
        place = match[1]
    instance = row["instance_name"].strip() or row["gpu_name"].strip()
    check_names(instance, place)
    return Quote(
        line=line,
        region=place,
        instance_type=instance,
        accelerator=slug,
        accelerator_count=count,
        purchase=Purchase.SPOT if SPOT[spot] else Purchase.ON_DEMAND,
        usd_per_h=usd_per_h,
        vcpus=cell(row, "cpu"),
        host_memory_gib=cell(row, "memory"),
    )


def _in_order(quotes: list[Quote], feed: Feed) -> tuple[list[Quote], list[Refusal]]:
    """Quotes without those whose spot price is above the same instance's on-demand price."""
    on_demand: dict[Key, Decimal] = {}
    for quote in quotes:
        if quote.purchase == Purchase.ON_DEMAND and quote.usd_per_h is not None:
            on_demand[_key(quote)] = quote.usd_per_h
    wrong: dict[Key, str] = {}
    for quote in quotes:
        if quote.purchase == Purchase.SPOT:
            try:
                check_order(on_demand.get(_key(quote)), quote.usd_per_h)
            except ValueError as problem:
                wrong[_key(quote)] = str(problem)
    refused = [
        Refusal(file=feed.file, line=quote.line, reason=wrong[_key(quote)])
        for quote in quotes
        if _key(quote) in wrong
    ]
    return [quote for quote in quotes if _key(quote) not in wrong], refused


def _key(quote: Quote) -> Key:
    return (quote.region, quote.instance_type, quote.accelerator, quote.accelerator_count)
