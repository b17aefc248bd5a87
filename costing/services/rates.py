"""The only writers of rates and currencies: the import of their files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from django.db import transaction

from catalog.engine.tables import FIXTURES, Record, Refusal, Table, read_file
from catalog.models import Source
from catalog.services.upsert import Entry, Outcome, upsert
from costing.engine.kept import packed_rates, rates_digest
from costing.engine.rates import CURRENCIES, RATES, CurrencyRate, Rates
from costing.models import Currency, KeptRates, Rate

SourceIds = Mapping[tuple[str, str], int]


@dataclass(slots=True, kw_only=True)
class RatesReport:
    """What an import did, by table."""

    tables: dict[str, Outcome] = field(default_factory=dict)

    @property
    def refused(self) -> list[Refusal]:
        """All refused rows."""
        return [refusal for outcome in self.tables.values() for refusal in outcome.refused]


def import_rates(folder: Path = FIXTURES, *, dry_run: bool = False) -> RatesReport:
    """Bring rates and currencies in step with a folder's files; rows not in them stay.

    Running it again changes nothing. Each sound row is taken and each refused one named; a
    file that is no table raises BadTable, and nothing at all is changed.
    """
    read = [(table, model, *read_file(folder, table)) for table, model in _TARGETS]
    report = RatesReport()
    with transaction.atomic():
        sources = _sources(record for _, _, lines, _ in read for _, record in lines)
        for table, model, lines, refused in read:
            entries = [Entry(line=at, values=_values(record, sources)) for at, record in lines]
            outcome = upsert(model, entries, file=table.file, key=table.key)
            outcome.refused = refused + outcome.refused
            report.tables[table.name] = outcome
        transaction.set_rollback(dry_run)
    return report


def ensure_rates() -> bool:
    """Load the shipped rates where none are stored yet; true where that was needed."""
    if Rate.objects.exists():
        return False
    import_rates()
    return True


def keep_rates(rates: Rates, currencies: Mapping[str, CurrencyRate]) -> str:
    """Keep these figures for the runs computed with them; their digest."""
    digest = rates_digest(rates, currencies)
    if not KeptRates.objects.filter(digest=digest).exists():
        KeptRates.objects.get_or_create(
            digest=digest, defaults={"content": packed_rates(rates, currencies)}
        )
    return digest


_TARGETS: tuple[tuple[Table, type[Rate] | type[Currency]], ...] = (
    (RATES, Rate),
    (CURRENCIES, Currency),
)


def _sources(records: Iterable[Record]) -> SourceIds:
    wanted = dict.fromkeys((record["source_title"], record["source_url"]) for record in records)
    return {
        (title, url): Source.objects.get_or_create(title=title, url=url)[0].pk
        for title, url in wanted
    }


def _values(record: Record, sources: SourceIds) -> dict[str, object]:
    plain = {
        name: value for name, value in record.items() if name not in {"source_title", "source_url"}
    }
    return {**plain, "source_id": sources[record["source_title"], record["source_url"]]}
