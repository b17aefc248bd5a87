"""Plain values of the answer: what was rejected, what is planned, with a range on each figure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

from catalog.specs import Figure
from costing.engine.cases import CostCases


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Something that is not in the answer, and the first limit it broke."""

    family: str
    accelerator: str | None  # name, or None where a whole family or group is meant
    limit: str  # short id of the limit: "memory", "weights", "residency", ...
    reason: str
    workload: str = ""
    count: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One line of a cost breakdown over the whole horizon, in USD."""

    label: str
    usd: float
    low: float
    high: float
    evidence: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetItem:
    """One line of what to get: how many of what, bought how, where, for which workload."""

    what: str
    count: int
    purchase: str
    provider: str
    region: str
    workload: str
    usd_per_month: float | None
    machine_hours_per_week: float | None = None  # of what is paid by the hour as the load moves


_OFFER = ("provider", "region", "system", "purchase")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One whole way to run a workload, or a fleet of them."""

    id: str
    name: str
    workload: str
    kind: str  # serving, training, fleet
    family: str
    accelerator: str
    accelerator_slug: str
    accelerator_count: int
    system: str
    system_count: int
    provider: str
    provider_kind: str
    region: str
    country: str
    purchase: str
    precision: str
    engine: str
    parallelism: Mapping[str, int]
    meets_targets: bool
    price_open: bool
    price: Mapping[str, object]
    cost_breakdown: tuple[CostLine, ...]
    figures: Mapping[str, Figure]
    fleet: tuple[FleetItem, ...]
    quality_gate: str
    porting_weeks: float | None
    notes: tuple[str, ...] = ()
    extra: Mapping[str, object] = field(default_factory=dict)
    case: CostCases | None = None  # the one row its cost was computed from; None for a fleet
    pool_cases: tuple[CostCases, ...] = ()  # the same of each pool, where two serve together
    speed_range: tuple[float, float] = (1.0, 1.0)  # low and high end, as factors of the speed

    @property
    def costed(self) -> tuple[CostCases, ...]:
        """The rows its cost is the sum of; none for a fleet."""
        return self.pool_cases if self.case is None else (self.case,)

    @property
    def offers(self) -> tuple[tuple[str, ...], ...]:
        """Seller, region, machine and terms of each row of `costed`: where equal, so are prices."""
        pools = self.extra.get("pools")
        if isinstance(pools, list):
            return tuple(tuple(str(pool[name]) for name in _OFFER) for pool in pools)
        return (tuple(str(getattr(self, name)) for name in _OFFER),)

    def value(self, figure: str) -> float | None:
        """The central value of one of the plan's figures, None where unknown or absent."""
        known = self.figures.get(figure)
        return None if known is None else known.value

    def as_dict(self) -> dict[str, object]:
        """The plan as JSON carries it: figures stand beside the plain fields."""
        plain: dict[str, object] = {
            "id": self.id,
            "name": self.name,
            "workload": self.workload,
            "kind": self.kind,
            "family": self.family,
            "accelerator": self.accelerator,
            "accelerator_slug": self.accelerator_slug,
            "accelerator_count": self.accelerator_count,
            "system": self.system,
            "system_count": self.system_count,
            "provider": self.provider,
            "provider_kind": self.provider_kind,
            "region": self.region,
            "country": self.country,
            "purchase": self.purchase,
            "precision": self.precision,
            "engine": self.engine,
            "parallelism": dict(self.parallelism),
            "meets_targets": self.meets_targets,
            "price_open": self.price_open,
            "price": dict(self.price),
            "cost_breakdown": [_plain(line) for line in self.cost_breakdown],
            "fleet": [_plain(item) for item in self.fleet],
            "quality_gate": self.quality_gate,
            "porting_weeks": self.porting_weeks,
            "notes": list(self.notes),
        }
        figures = {name: figure.as_dict() for name, figure in self.figures.items()}
        return plain | figures | dict(self.extra)


def _plain(line: CostLine | FleetItem) -> dict[str, object]:
    """A flat value by field: `dataclasses.asdict` would copy every text and number in it."""
    return {each.name: getattr(line, each.name) for each in fields(line)}
