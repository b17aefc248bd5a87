"""Load real price feeds: known accelerators, sane prices, a new price point for each change."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

from django.db import transaction
from django.utils import timezone

from catalog.engine.feeds import EMPTY_OFFER, Feed, Finder, Reading, check_band, known_accelerator
from catalog.engine.gpuhunt import read_gpuhunt
from catalog.engine.prices import offer_key
from catalog.engine.schema import OFFERS
from catalog.engine.skypilot import read_skypilot
from catalog.engine.spellings import Spellings
from catalog.engine.tables import BadTable, Record, Refusal, read_table
from catalog.models import Offer, Provider, Region
from catalog.queries import accelerator_names
from catalog.services.bulk import insert_rows
from catalog.services.offers import Observation, append_prices, offer_values
from catalog.services.references import References
from catalog.services.rows import offer_refs
from catalog.services.upsert import Outcome
from catalog.specs import Purchase

Format = Literal["skypilot", "gpuhunt", "csv"]
FORMATS: tuple[Format, ...] = ("skypilot", "gpuhunt", "csv")
LARGEST_FILE_BYTES = 100_000_000
BATCH = 500
SOURCES = {
    "skypilot": ("SkyPilot catalogue, {}", "https://github.com/skypilot-org/skypilot-catalog"),
    "gpuhunt": ("gpuhunt catalogue, {}", "https://github.com/dstackai/gpuhunt"),
}
# Sellers that the feeds name and the shipped catalogue need not hold.
FEED_PROVIDERS = {
    "cloudrift": "CloudRift",
    "crusoe": "Crusoe",
    "cudo": "Cudo Compute",
    "do": "DigitalOcean",
    "fluidstack": "FluidStack",
    "hotaisle": "Hot Aisle",
    "hyperbolic": "Hyperbolic",
    "hyperstack": "Hyperstack",
    "ibm": "IBM Cloud",
    "jarvislabs": "JarvisLabs",
    "lium": "Lium",
    "mithril": "Mithril",
    "ovhcloud": "OVHcloud",
    "paperspace": "Paperspace",
    "primeintellect": "Prime Intellect",
    "seeweb": "Seeweb",
    "shadeform": "Shadeform",
    "simplepod": "SimplePod",
    "spheron": "Spheron",
    "tensordock": "TensorDock",
    "yotta": "Yotta",
}
SAME_AS = {"do": "digitalocean", "datacrunch": "verda", "lambdalabs": "lambda", "vastai": "vast"}


@dataclass(slots=True, kw_only=True)
class PriceReport:
    """What a price import did; prices, not rows: a row may hold two, a price many zones."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    skipped: int = 0
    refused: list[Refusal] = field(default_factory=list)
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceFile:
    """A feed's file: its name, with folders where they tell the seller, and its text."""

    name: str
    content: str


def read_price_file(path: Path) -> PriceFile:
    """A file from disk; raises BadTable where it is missing, too large or not text."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            message = f"{path.name}: larger than {LARGEST_FILE_BYTES:,} bytes"
            raise BadTable(message)
        return PriceFile(name=str(path), content=path.read_text(encoding="utf-8"))
    except OSError as problem:
        message = f"{path}: {problem.strerror}"
        raise BadTable(message) from None
    except UnicodeDecodeError:
        message = f"{path.name}: not UTF-8 text"
        raise BadTable(message) from None


def uploaded_price_file(name: str, content: bytes) -> PriceFile:
    """A file that somebody sent; raises BadTable where it is not text."""
    try:
        return PriceFile(name=name, content=content.decode("utf-8"))
    except UnicodeDecodeError:
        message = f"{name}: not UTF-8 text"
        raise BadTable(message) from None


def provider_of(name: str, known: Iterable[str]) -> str:
    """The seller that a file's name or folder tells; raises BadTable where none does."""
    names = {*known, *FEED_PROVIDERS, *SAME_AS}
    for part in reversed(Path(name).parts):
        for word in re.split(r"[^a-z0-9]+", part.lower()):
            if word in names:
                return SAME_AS.get(word, word)
    message = f"{name}: the name tells no provider; say it with --provider"
    raise BadTable(message)


def import_prices(
    files: Sequence[PriceFile],
    *,
    form: Format,
    provider: str = "",
    observed_on: date | None = None,
    dry_run: bool = False,
) -> PriceReport:
    """Append the prices of feed files; nothing that was recorded before is overwritten.

    Raises BadTable where a file is no such feed; then nothing of any file is taken.
    """
    day = observed_on or timezone.now().date()
    find = _cached(Spellings(accelerator_names(), models=False))
    report = PriceReport(dry_run=dry_run)
    with transaction.atomic():
        references = References()
        for file in files:
            reading = _read(file, form, provider, day, find, references)
            outcome = _store(file.name, reading, references)
            report.added += outcome.added
            report.changed += outcome.changed
            report.unchanged += outcome.unchanged
            report.skipped += reading.skipped
            report.refused += sorted(reading.refused + outcome.refused, key=lambda r: r.line)
        transaction.set_rollback(dry_run)
    return report


def _cached(spellings: Spellings) -> Finder:
    found: dict[str, str | None] = {}

    def find(text: str) -> str | None:
        if text not in found:
            found[text] = spellings.find(text)
        return found[text]

    return find


def _read(
    file: PriceFile,
    form: Format,
    provider: str,
    day: date,
    find: Finder,
    references: References,
) -> Reading:
    if form == "csv":
        return _read_csv(file, find)
    seller = provider or provider_of(file.name, references.providers)
    _ensure_provider(seller, form, references)
    title, url = SOURCES[form]
    feed = Feed(
        file=Path(file.name).name,
        provider=seller,
        observed_on=day,
        source_title=title.format(seller),
        source_url=url,
    )
    reader = read_skypilot if form == "skypilot" else read_gpuhunt
    return reader(file.content, feed, find)


def _read_csv(file: PriceFile, find: Finder) -> Reading:
    """Our own columns; those that may be empty may also be missing from the file."""
    table = replace(OFFERS, name=Path(file.name).stem)
    rows, refused = read_table(file.content, table, lenient=True)
    reading = Reading(refused=refused)
    for line, record in rows:
        try:
            reading.observations.append((line, _checked(record, find)))
        except ValueError as problem:
            reading.refused.append(Refusal(file=table.file, line=line, reason=str(problem)))
    return reading


def _checked(record: Record, find: Finder) -> Record:
    slug = known_accelerator(record["accelerator"], find) if record["accelerator"] else ""
    if slug and record["usd_per_h"] is not None:
        check_band(slug, record["accelerator_count"], record["usd_per_h"])
    return {**EMPTY_OFFER, **record, "accelerator": slug}


def _ensure_provider(slug: str, form: str, references: References) -> None:
    """A seller that only the feed knows gets a row that says so."""
    if slug in references.providers:
        return
    title, url = SOURCES[form]
    key = (title.format(slug), url)
    references.add_sources([key])
    Provider.objects.create(
        slug=slug,
        name=FEED_PROVIDERS.get(slug, slug),
        kind="neocloud",
        source_id=references.sources[key],
        note="Known from a price feed only.",
    )
    references.providers.add(slug)


def _ensure_regions(observations: Sequence[Observation], references: References) -> None:
    """Places that only the feed names get a row without country."""
    new: dict[str, Region] = {}
    for seen in observations:
        record = seen.record
        slug = record["region"]
        known = record["provider"] in references.providers
        if slug and known and slug not in references.regions and slug not in new:
            code = slug.removeprefix(f"{record['provider']}/")
            new[slug] = Region(
                slug=slug,
                provider_id=record["provider"],
                code=code,
                name=code,
                source_id=references.sources[record["source_title"], record["source_url"]],
                note="Known from a price feed only.",
            )
    Region.objects.bulk_create(new.values(), batch_size=BATCH)
    references.regions |= set(new)


def _store(file: str, reading: Reading, references: References) -> Outcome:
    """Offers that are not there yet, then the prices; stored offers stay as they are."""
    seen = [Observation(line=line, record=record) for line, record in reading.observations]
    references.add_sources((s.record["source_title"], s.record["source_url"]) for s in seen)
    _ensure_regions(seen, references)
    there = set(Offer.objects.values_list("key", flat=True))
    sound: list[Observation] = []
    refused: list[Refusal] = []
    new: dict[str, dict[str, Any]] = {}
    for one in seen:
        key = offer_key(one.record)
        if key not in there and key not in new:
            try:
                refs = offer_refs(one.record, references)
            except ValueError as problem:
                name = Path(file).name
                refused.append(Refusal(file=name, line=one.line, reason=str(problem)))
                continue
            source = references.sources[one.record["source_title"], one.record["source_url"]]
            new[key] = offer_values([one.record], refs, source)
        sound.append(one)
    insert_rows(Offer, new.values())
    priced = [one for one in sound if one.record["purchase"] != Purchase.QUOTE]
    by_quote = {offer_key(one.record) for one in sound if one.record["purchase"] == Purchase.QUOTE}
    outcome = append_prices(priced, references)
    outcome.added += len(by_quote & new.keys())
    outcome.unchanged += len(by_quote - new.keys())
    outcome.refused = refused
    return outcome
