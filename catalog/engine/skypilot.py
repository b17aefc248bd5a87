"""The SkyPilot catalogue's vms.csv: two prices a row, zones, slices, split hosts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
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
from catalog.engine.gcp import Row, gcp_parts, hosts_for, slice_chips
from catalog.engine.tables import Refusal
from catalog.specs import Purchase

NEEDED = ("InstanceType", "AcceleratorName", "AcceleratorCount", "Region", "Price")
# What the catalogue's fetcher writes for a v6e slice whose price it could not find.
NO_PRICE_KNOWN = Decimal(700)
MOST_PER_V6E_CHIP = Decimal(500)
SAME_PRICE = "Spot equal to on demand in this feed: no discount."
RESERVED_ONLY = "The feed has no hourly price: sold by reservation, capacity block or quote."
NO_ACCELERATOR = re.compile(r"^(|nan|none)$", re.IGNORECASE)


def read_skypilot(content: str, feed: Feed, find: Finder) -> Reading:
    """Price observations of a vms.csv; prices of a region's zones become one with a span."""
    reading = Reading()
    rows: list[Row] = []
    for line, whole in feed_rows(content, feed.file, NEEDED):
        if "" in whole and len(whole) == 1:
            reading.refused.append(Refusal(file=feed.file, line=line, reason=whole[""]))
            continue
        rows.append((line, whole))
    accelerators, hosts = gcp_parts(rows) if feed.provider == "gcp" else (rows, {})
    quotes: list[Quote] = []
    for line, row in accelerators:
        if NO_ACCELERATOR.match(row["AcceleratorName"].strip()):
            continue
        try:
            found, problems = _quotes(line, row, find, hosts)
        except ValueError as problem:
            found, problems = [], [str(problem)]
        quotes += found
        reading.refused += [Refusal(file=feed.file, line=line, reason=p) for p in problems]
    used = {quote.line for quote in quotes} | {refusal.line for refusal in reading.refused}
    reading.skipped = sum(1 for line, _ in rows if line not in used)
    reading.observations = joined_zones(quotes, feed)
    return reading


def _prices(
    row: Mapping[str, str], chips: Decimal, name: str
) -> tuple[dict[Purchase, Decimal], list[str]]:
    """A row's believable prices by purchase kind, and why the others are not."""
    found: dict[Purchase, Decimal] = {}
    problems: list[str] = []
    for kind, column in ((Purchase.ON_DEMAND, "Price"), (Purchase.SPOT, "SpotPrice")):
        try:
            value = price(row, column)
        except ValueError as problem:
            problems.append(str(problem))
            continue
        if value is None:
            continue
        if "v6e" in name and (value == NO_PRICE_KNOWN or value / chips >= MOST_PER_V6E_CHIP):
            problems.append(f"{column} {value} is the feed's mark for “no price known”")
            continue
        found[kind] = value
    check_order(found.get(Purchase.ON_DEMAND), found.get(Purchase.SPOT))
    return found, problems


def _quotes(
    line: int, row: Mapping[str, str], find: Finder, hosts: Mapping[str, list[Row]]
) -> tuple[list[Quote], list[str]]:
    """Quotes of one row with an accelerator; raises ValueError where none of it can be used."""
    name, instance = row["AcceleratorName"].strip(), row["InstanceType"].strip()
    chips = slice_chips(name) or cell(row, "AcceleratorCount")
    if not chips:
        message = "AcceleratorCount is missing or zero"
        raise ValueError(message)
    slug = known_accelerator(re.sub(r"^(tpu-v\d+\w*)-\d+$", r"\1", name), find)
    found, problems = _prices(row, chips, name)
    region = row["Region"].strip()
    check_names(instance, region)
    if not found and problems:
        return [], problems
    if slice_chips(name) or instance:
        shapes: Iterable[tuple[str, Mapping[str, str] | None]] = [(instance or name, None)]
    else:
        shapes = hosts_for(name, chips, row, hosts)
    same = found.get(Purchase.SPOT) == found.get(Purchase.ON_DEMAND)
    prices: Mapping[Purchase, Decimal | None] = found or {Purchase.QUOTE: None}
    quotes: list[Quote] = []
    for shape, host in shapes:
        for kind, value in prices.items():
            try:
                quote = _quote(line, row, slug, chips, kind, value, shape, host)
            except ValueError as problem:
                problems.append(f"{shape} {kind}: {problem}")
                continue
            quotes.append(replace(quote, note=SAME_PRICE) if same and kind == "spot" else quote)
    return quotes, problems


def _quote(
    line: int,
    row: Mapping[str, str],
    slug: str,
    chips: Decimal,
    kind: Purchase,
    value: Decimal | None,
    shape: str,
    host: Mapping[str, str] | None,
) -> Quote:
    """One price with its host's added, checked against what the accelerator costs elsewhere."""
    usd_per_h = value
    if value is not None and host is not None:
        column = "SpotPrice" if kind == Purchase.SPOT else "Price"
        of_host = price(host, column)
        if of_host is None:
            message = f"the host has no {column}"
            raise ValueError(message)
        usd_per_h = value + of_host
    if usd_per_h is not None:
        check_band(slug, chips, usd_per_h)
    about = host if host is not None else row
    return Quote(
        line=line,
        region=row["Region"].strip(),
        instance_type=shape,
        accelerator=slug,
        accelerator_count=chips,
        purchase=kind,
        usd_per_h=usd_per_h,
        vcpus=cell(about, "vCPUs"),
        host_memory_gib=cell(about, "MemoryGiB"),
        note=RESERVED_ONLY if kind == Purchase.QUOTE else "",
    )
