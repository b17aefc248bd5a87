"""Store offers and append their prices; a price that was read is never overwritten."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max

from catalog.engine.prices import (
    PRICE_COLUMNS,
    amounts_text,
    has_price,
    offer_attributes,
    offer_key,
)
from catalog.engine.tables import Record, Refusal
from catalog.models import Offer, PricePoint
from catalog.services.bulk import insert_rows
from catalog.services.references import References
from catalog.services.rows import offer_refs
from catalog.services.upsert import Entry, Outcome, upsert


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """One row of a price list and its line."""

    line: int
    record: Record


def offer_values(records: Sequence[Record], refs: Mapping[str, Any], source: int) -> dict[str, Any]:
    """The columns of an offer from all rows about it; what no row says is left as stored."""
    last = records[-1]
    attributes = {n: v for n, v in offer_attributes(records).items() if v is not None}
    values = {
        "key": offer_key(last),
        "instance_type": last["instance_type"],
        "accelerator_count": last["accelerator_count"],
        "purchase": last["purchase"],
        "source_id": source,
        "read_on": last["observed_first"],
        **refs,
        **attributes,
    }
    return values if has_price(last) else {**values, "note": last["note"]}


def store_offers(
    observations: Iterable[Observation], references: References, *, file: str
) -> tuple[Outcome, Outcome]:
    """Store offers and append their prices: what happened to the offers, and to the prices."""
    refused: list[Refusal] = []
    groups: dict[str, list[Observation]] = {}
    refs: dict[str, Mapping[str, str | None]] = {}
    for seen in observations:
        key = offer_key(seen.record)
        try:
            refs.setdefault(key, offer_refs(seen.record, references))
        except ValueError as error:
            refused.append(Refusal(file=file, line=seen.line, reason=str(error)))
            continue
        groups.setdefault(key, []).append(seen)
    entries = []
    for key, seen_rows in groups.items():
        records = [seen.record for seen in seen_rows]
        last = records[-1]
        source = references.sources[last["source_title"], last["source_url"]]
        entries.append(
            Entry(line=seen_rows[-1].line, values=offer_values(records, refs[key], source))
        )
    offers = upsert(Offer, entries, file=file, key=("key",), first_history=False)
    bad_lines = {refusal.line for refusal in offers.refused}
    kept = [
        seen
        for rows in groups.values()
        if rows[-1].line not in bad_lines
        for seen in rows
        if has_price(seen.record)
    ]
    prices = append_prices(kept, references)
    prices.refused = refused
    return offers, prices


def append_prices(observations: Sequence[Observation], references: References) -> Outcome:
    """Append what is not there yet; an observation that differs from the last one is a change."""
    outcome = Outcome()
    ids = dict(Offer.objects.values_list("key", "pk"))
    there = set(
        PricePoint.objects.values_list(
            "offer_id", "source_id", "observed_first", "observed_last", "amounts"
        )
    )
    newest = _newest_amounts()
    new: list[dict[str, Any]] = []
    for seen in observations:
        record = seen.record
        offer = ids[offer_key(record)]
        source = references.sources[record["source_title"], record["source_url"]]
        amounts = amounts_text(record)
        first, last = record["observed_first"], record["observed_last"]
        if (offer, source, first, last, amounts) in there:
            outcome.unchanged += 1
            continue
        there.add((offer, source, first, last, amounts))
        if offer not in newest:
            outcome.added += 1
        elif newest[offer] != amounts:
            outcome.changed += 1
        else:
            outcome.unchanged += 1
        newest[offer] = amounts
        new.append(
            {
                "offer_id": offer,
                "source_id": source,
                "amounts": amounts,
                "observed_first": first,
                "observed_last": last,
                "currency": record["currency"] or "USD",
                "confidence": record["confidence"],
                "note": record["note"],
                **{name: record[name] for name in PRICE_COLUMNS},
            }
        )
    insert_rows(PricePoint, new)
    return outcome


def _newest_amounts() -> dict[int, str]:
    """The figures last recorded for each offer."""
    last = PricePoint.objects.values("offer_id").annotate(last=Max("pk")).values("last")
    return dict(PricePoint.objects.filter(pk__in=last).values_list("offer_id", "amounts"))
