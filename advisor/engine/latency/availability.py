"""How often enough replicas are up: machines that fail, zones that go out, pools that take over."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import binom

from advisor.engine.cases import Floats
from catalog.units import SECONDS_PER_HOUR

MOST_SPARES = 12  # machines beyond what the load needs that are worth trying


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """How one unit, one zone and one region fail: shares of time and mean lengths, hours.

    `common_share` of a unit's failures take the other units of its zone with them (the beta
    factor). `push_down` is the share of the time in which a push of software or configuration
    that all units share has taken the whole pool out, in whatever zones it stands.

    Source: beta-factor model, IEC 61508-6:2010, annex D.
    """

    unit_mtbf_h: float
    unit_repair_h: float
    zone_down: float
    zone_outage_h: float
    region_down: float
    region_outage_h: float
    common_share: float = 0.0
    push_down: float = 0.0
    push_outage_h: float = 0.0

    @property
    def alone_mtbf_h(self) -> float:
        """Running time between failures of a unit that concern nothing else."""
        return self.unit_mtbf_h / max(1.0 - self.common_share, 1e-12)

    @property
    def unit_up(self) -> float:
        """Share of the time a unit runs, what it shares with others apart."""
        return self.alone_mtbf_h / (self.alone_mtbf_h + self.unit_repair_h)

    @property
    def common_down(self) -> float:
        """Share of the time in which a failure of one unit keeps its whole zone down."""
        common_h = self.common_share * self.unit_repair_h
        return common_h / (self.unit_mtbf_h + common_h)

    @property
    def zone_up(self) -> float:
        """Share of the time in which nothing shared in a zone is out."""
        return (1.0 - self.zone_down) * (1.0 - self.common_down)

    @property
    def pool_up(self) -> float:
        """Share of the time in which nothing shared by all zones is out."""
        return (1.0 - self.region_down) * (1.0 - self.push_down)

    def without_common_causes(self) -> "Failures":
        """The same units failing independently of each other and of everything shared."""
        return replace(self, common_share=0.0, push_down=0.0, zone_down=0.0, region_down=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Units that fail as one, spread as evenly as they go over zones of one region.

    A unit is a machine with all its replicas, or the machines that one replica spans.
    """

    units: int
    zones: int

    @property
    def of_zones(self) -> list[int]:
        """Units in each zone, the fullest first."""
        whole, rest = divmod(self.units, self.zones)
        return [whole + (zone < rest) for zone in range(self.zones)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """A second pool elsewhere that takes over: another family, provider or region.

    It is up with the share `up` of the time, independent of the first region, and takes over
    `takes_over_s` into an outage. `full` says that it carries the whole load within the
    targets; else it serves degraded.
    """

    up: float
    takes_over_s: float
    full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of the time: within the targets, served slower or by a smaller model, not served."""

    full: float
    degraded: float
    down: float


def unit_failures(
    *,
    accelerators: int,
    accelerator_mtbf_h: float,
    repair_h: float,
    zone_down: float,
    zone_outage_h: float,
    region_down: float,
    region_outage_h: float,
    interrupted_per_h: float = 0.0,
    restart_h: float = 0.0,
    common_share: float = 0.0,
    push_down: float = 0.0,
    push_outage_h: float = 0.0,
) -> Failures:
    """Failures of a unit of some accelerators; any one of them takes it out.

    Spot interruptions are failures of their own, repaired in `restart_h`; a notice long enough
    to start another machine makes that zero. Rates add up; the repair is their mean.

    Source: exponential lives in series, R. E. Barlow and F. Proschan, "Statistical Theory of
    Reliability and Life Testing", Holt 1975, chapter 2; rates as A. Grattafiori et al.,
    arXiv:2407.21783, who find them proportional to the accelerators.
    """
    broken = accelerators / accelerator_mtbf_h
    rate = broken + interrupted_per_h
    return Failures(
        unit_mtbf_h=1.0 / rate,
        unit_repair_h=(broken * repair_h + interrupted_per_h * restart_h) / rate,
        zone_down=zone_down,
        zone_outage_h=zone_outage_h,
        region_down=region_down,
        region_outage_h=region_outage_h,
        common_share=common_share,
        push_down=push_down,
        push_outage_h=push_outage_h,
    )


def up_distribution(layout: Layout, failures: Failures) -> Floats:
    """Chance of each number of units being up at a moment, index 0 to all of them.

    Units fail alone or with their zone, zones with the region or by a push they share; an
    outage takes all that is inside.

    Source: binomial law in each zone, mixed with its outage, convolved over zones.
    """
    total = np.ones(1)
    for units in layout.of_zones:
        up = binom.pmf(np.arange(units + 1), units, failures.unit_up)
        up = failures.zone_up * up
        up[0] += 1.0 - failures.zone_up
        total = np.convolve(total, up)
    total = failures.pool_up * total
    total[0] += 1.0 - failures.pool_up
    return np.asarray(total)


def availability(layout: Layout, failures: Failures, needed: Sequence[int]) -> float:
    """Share of the time in which as many units are up as the hour needs.

    `needed` holds the units of each hour of the day, or one figure for always.

    Source: `up_distribution`.
    """
    at_least = np.concatenate([np.cumsum(up_distribution(layout, failures)[::-1])[::-1], [0.0]])
    wanted = np.minimum(np.asarray(needed, dtype=np.int64), layout.units + 1)
    return float(np.clip(at_least[wanted], 0.0, 1.0).mean())


def shares_of_time(
    layout: Layout,
    failures: Failures,
    *,
    needed: Sequence[int],
    degraded_needed: Sequence[int],
    standby: Standby | None = None,
) -> Shares:
    """How much of the time is full, degraded and down.

    With fewer units than `needed` the pool still serves degraded (longer queues, a smaller
    model) while it has `degraded_needed`. A standby pool steps in for what the first one
    cannot serve, except in the time it takes to take over, once in every outage.

    Source: arithmetic on `availability`; the outage's mean length from `failures`.
    """
    full = availability(layout, failures, needed)
    down = 1.0 - max(availability(layout, failures, degraded_needed), full)
    if standby is not None:
        late = min(standby.takes_over_s / SECONDS_PER_HOUR / _outage_h(layout, failures), 1.0)
        covered = standby.up * (1.0 - late)
        down *= 1.0 - covered
        full += (1.0 - full) * covered if standby.full else 0.0
    return Shares(full=full, degraded=max(1.0 - full - down, 0.0), down=down)


def _outage_h(layout: Layout, failures: Failures) -> float:
    """Mean length of an outage of the whole pool: of the causes, weighted by their share."""
    zone = failures.zone_down**layout.zones
    causes = (
        (failures.region_down, failures.region_outage_h),
        (failures.push_down, failures.push_outage_h),
        (failures.common_down**layout.zones, failures.unit_repair_h / layout.zones),
        (zone, failures.zone_outage_h / layout.zones),
        ((1.0 - failures.unit_up) ** layout.units, failures.unit_repair_h / layout.units),
    )
    weight = sum(share for share, _ in causes)
    return sum(share * hours for share, hours in causes) / weight if weight > 0.0 else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """What a cause of failure takes of the time, counted on top of those before it."""

    name: str
    availability: float  # with this cause and those before it
    short: float  # share of the time that it adds


def by_cause(layout: Layout, failures: Failures, needed: Sequence[int]) -> tuple[Cause, ...]:
    """Availability as causes are added: units alone, common causes, zones, region, pushes.

    Source: `availability`, once for each.
    """
    alone = failures.without_common_causes()
    common = replace(alone, common_share=failures.common_share)
    zones = replace(common, zone_down=failures.zone_down)
    region = replace(zones, region_down=failures.region_down)
    steps = {"alone": alone, "common": common, "zone": zones, "region": region, "push": failures}
    found, before = [], 1.0
    for name, so_far in steps.items():
        reached = availability(layout, so_far, needed)
        found.append(Cause(name=name, availability=reached, short=max(before - reached, 0.0)))
        before = reached
    return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The smallest layout that meets a target, and what it reaches."""

    layout: Layout
    spares: int
    availability: float


def smallest_layout(
    failures: Failures, *, needed: Sequence[int], target: float, most_zones: int
) -> Found | None:
    """Fewest units, then fewest zones, that are enough for a share of the time; None if none.

    Every number of spares to MOST_SPARES is tried in up to `most_zones` zones.

    Source: search over `availability`.
    """
    peak = max(needed)
    for spares in range(MOST_SPARES + 1):
        for zones in range(1, min(most_zones, peak + spares) + 1):
            layout = Layout(units=peak + spares, zones=zones)
            reached = availability(layout, failures, needed)
            if reached >= target:
                return Found(layout=layout, spares=spares, availability=reached)
    return None


def best_within(failures: Failures, *, needed: Sequence[int], most_zones: int) -> Found:
    """What the most spares and zones that are tried reach: the ceiling of a place.

    Source: search over `availability`.
    """
    peak = max(needed)
    found = [
        Found(layout=layout, spares=MOST_SPARES, availability=reached)
        for zones in range(1, most_zones + 1)
        for layout in [Layout(units=peak + MOST_SPARES, zones=zones)]
        for reached in [availability(layout, failures, needed)]
    ]
    return max(found, key=lambda each: each.availability)
