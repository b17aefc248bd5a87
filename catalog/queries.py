"""Rows to values: the catalogue as a snapshot, its measurements, its spellings."""

import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import Count, Max, Model, QuerySet
from django.utils import timezone

from catalog.engine.assembly import assemble
from catalog.engine.schema import (
    ACCELERATORS,
    BENCHMARK_LIMITS,
    MEASUREMENTS_SERVING,
    MEASUREMENTS_TRAINING,
    MODEL_PRECISIONS,
    MODELS,
    OFFERS,
    PROVIDERS,
    REGION_COMPLIANCE,
    REGIONS,
    SUPPORT,
    SYSTEMS,
)
from catalog.engine.spellings import Spellings
from catalog.engine.tables import Record, Table
from catalog.engine.values import benchmark_limit, serving_measurement, training_measurement
from catalog.models import (
    Accelerator,
    BenchmarkLimit,
    ModelArchitecture,
    ModelPrecision,
    Offer,
    PricePoint,
    Provider,
    Region,
    RegionCompliance,
    ServingMeasurement,
    Snapshot,
    SoftwareSupport,
    Source,
    System,
    TrainingMeasurement,
    Vendor,
)
from catalog.specs import BenchmarkLimit as Limit
from catalog.specs import CatalogueSnapshot, Purchase
from catalog.specs import ServingMeasurement as Serving
from catalog.specs import TrainingMeasurement as Training

SOURCE = {"source_title": "source__title", "source_url": "source__url"}
OF_OFFER = (
    "provider",
    "region",
    "accelerator",
    "system",
    "model",
)
STATEFUL: tuple[type[Model], ...] = (
    Source,
    Vendor,
    Accelerator,
    System,
    ModelArchitecture,
    ModelPrecision,
    Provider,
    Region,
    RegionCompliance,
    SoftwareSupport,
    Offer,
)
KEPT_SNAPSHOTS = 4


def _records(rows: QuerySet[Any], table: Table, lookups: Mapping[str, str]) -> list[Record]:
    """A table's records as its file would give them; missing references are empty words."""
    names = [
        column.name
        for column in table.columns
        if column.name in lookups or _is_field(rows, column.name)
    ]
    empties = [next(c.empty for c in table.columns if c.name == name) for name in names]
    columns = [lookups.get(name, name) for name in names]
    return [
        {
            name: empty if value is None else value
            for name, value, empty in zip(names, row, empties, strict=True)
        }
        for row in rows.order_by("pk").values_list(*columns)
    ]


def _is_field(rows: QuerySet[Any], name: str) -> bool:
    return any(field.name == name for field in rows.model._meta.fields)


def _offer_records() -> list[Record]:
    """Every price observation with its offer, then the offers that have no public price."""
    own = {name: f"offer__{name}_id" for name in OF_OFFER}
    plain = ("instance_type", "accelerator_count", "purchase", "vcpus", "host_memory_gib")
    more = ("max_quantity", "lead_time_weeks", "available_from")
    lookups = {
        **own,
        **{name: f"offer__{name}" for name in (*plain, *more)},
        **SOURCE,
    }
    priced = _with_ids(PricePoint.objects.all(), lookups, "offer_id")
    quotes = Offer.objects.filter(purchase=Purchase.QUOTE)
    open_lookups = {
        **{name: f"{name}_id" for name in OF_OFFER},
        **SOURCE,
        "observed_first": "read_on",
        "observed_last": "read_on",
    }
    by_quote = _with_ids(quotes, open_lookups, "pk")
    empty = {c.name: c.empty for c in OFFERS.columns} | {"confidence": "none"}
    return priced + [{**empty, **record} for record in by_quote]


def _with_ids(rows: QuerySet[Any], lookups: Mapping[str, str], key: str) -> list[Record]:
    records = _records(rows, OFFERS, lookups)
    ids = rows.order_by("pk").values_list(key, flat=True)
    return [{**record, "id": number} for record, number in zip(records, ids, strict=True)]


def stored_tables() -> dict[str, Sequence[Record]]:
    """The stored catalogue in the shape of its files."""
    provider = {"provider": "provider_id"}
    return {
        "accelerators": _records(
            Accelerator.objects.all(), ACCELERATORS, {**SOURCE, "vendor": "vendor__name"}
        ),
        "systems": _records(
            System.objects.all(),
            SYSTEMS,
            {**SOURCE, "vendor": "vendor__name", "accelerator": "accelerator_id"},
        ),
        "models": _records(ModelArchitecture.objects.all(), MODELS, SOURCE),
        "model_precisions": _records(
            ModelPrecision.objects.all(), MODEL_PRECISIONS, {**SOURCE, "model": "model_id"}
        ),
        "providers": _records(Provider.objects.all(), PROVIDERS, SOURCE),
        "regions": _records(Region.objects.all(), REGIONS, {**SOURCE, **provider}),
        "region_compliance": _records(
            RegionCompliance.objects.all(),
            REGION_COMPLIANCE,
            {**SOURCE, **provider, "region": "region_id"},
        ),
        "offers": _offer_records(),
        "support": _records(
            SoftwareSupport.objects.all(), SUPPORT, {**SOURCE, "vendor": "vendor__name"}
        ),
    }


def catalogue_state() -> str:
    """A text that changes whenever the stored catalogue does."""
    parts = []
    for model in STATEFUL:
        found = model._default_manager.aggregate(rows=Count("pk"), last=Max("changed_at"))
        parts.append(f"{found['rows']}@{found['last']}")
    prices = PricePoint.objects.aggregate(last=Max("pk"), at=Max("recorded_at"))
    return "|".join([*parts, f"{prices['last']}@{prices['at']}"])


class _Shelf:
    """The last few snapshots by the state and day they show, shared by threads."""

    def __init__(self) -> None:
        self._snapshots: OrderedDict[tuple[str, date], CatalogueSnapshot] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: tuple[str, date]) -> CatalogueSnapshot:
        """The snapshot of a state on a day, computed once."""
        with self._lock:
            if key not in self._snapshots:
                self._snapshots[key] = assemble(stored_tables(), key[1])
            self._snapshots.move_to_end(key)
            while len(self._snapshots) > KEPT_SNAPSHOTS:
                self._snapshots.popitem(last=False)
            return self._snapshots[key]


_shelf = _Shelf()


def snapshot(as_of: date | None = None) -> CatalogueSnapshot:
    """The catalogue as known on a day, by default today; one object while nothing changes."""
    return _shelf.get((catalogue_state(), as_of or timezone.now().date()))


def kept_snapshot(digest: str) -> CatalogueSnapshot:
    """The state that a finished run was computed from; raises Snapshot.DoesNotExist."""
    return Snapshot.objects.get(digest=digest).to_snapshot()


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """A row's slug, name and published spellings."""

    slug: str
    name: str
    aliases: tuple[str, ...]


def _names(rows: QuerySet[Any]) -> list[Name]:
    found: Iterable[tuple[str, str, list[str]]] = rows.values_list("slug", "name", "aliases")
    return [Name(slug=slug, name=name, aliases=tuple(aliases)) for slug, name, aliases in found]


def accelerator_names() -> list[Name]:
    """Every accelerator's spellings."""
    return _names(Accelerator.objects.order_by("slug"))


def model_names() -> list[Name]:
    """Every model's spellings."""
    return _names(ModelArchitecture.objects.order_by("slug"))


def find_accelerator(text: str) -> str | None:
    """The slug that a published spelling of an accelerator means, None where unknown."""
    return Spellings(accelerator_names(), models=False).find(text)


def find_model(text: str) -> str | None:
    """The slug that a published spelling of a model means, None where unknown."""
    return Spellings(model_names(), models=True).find(text)


def provider_spellings() -> dict[str, str]:
    """Each provider's slug, name and aliases in lower case: the slug that its offers carry."""
    return {
        spelling.lower(): each.slug
        for each in _names(Provider.objects.order_by("slug"))
        for spelling in (each.slug, each.name, *each.aliases)
    }


def maker_spellings() -> dict[str, str]:
    """Each maker of accelerators, its slug, name and aliases in lower case: its name."""
    rows = Vendor.objects.filter(accelerators__isnull=False).distinct().order_by("slug")
    return {
        spelling.lower(): each.name
        for each in _names(rows)
        for spelling in (each.slug, each.name, *each.aliases)
    }


def _measured(rows: QuerySet[Any], table: Table) -> list[Record]:
    lookups = {**SOURCE, "accelerator": "accelerator_id", "model_slug": "architecture_id"}
    return _records(rows, table, lookups)


def serving_measurements() -> tuple[Serving, ...]:
    """Every stored serving measurement."""
    rows = ServingMeasurement.objects.all()
    return tuple(serving_measurement(record) for record in _measured(rows, MEASUREMENTS_SERVING))


def training_measurements() -> tuple[Training, ...]:
    """Every stored training measurement."""
    rows = TrainingMeasurement.objects.all()
    return tuple(training_measurement(record) for record in _measured(rows, MEASUREMENTS_TRAINING))


def own_measurements() -> frozenset[str]:
    """Ids of the measurements that the installation made itself."""
    serving = ServingMeasurement.objects.filter(own=True).values_list("id", flat=True)
    training = TrainingMeasurement.objects.filter(own=True).values_list("id", flat=True)
    return frozenset([*serving, *training])


def benchmark_limits() -> tuple[Limit, ...]:
    """Latency limits of the benchmarks, their models looked up by spelling."""
    models = Spellings(model_names(), models=True)
    rows = _records(
        BenchmarkLimit.objects.all(), BENCHMARK_LIMITS, {"source_title": "source__title"}
    )
    return tuple(
        benchmark_limit(record, model_slug=models.find(record["model"]) or "") for record in rows
    )
