"""Several products on one pool of replicas, or a pool each: what it costs and who waits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from advisor.engine.cases import Floats, Ints
from advisor.engine.latency.outcome import Interval, Outcome, percentile, percentile_interval
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.simulator import simulate
from advisor.engine.latency.traffic import Arrivals, Lengths, Requests, drawn_requests, merged

MOST_REPLICAS = 512
_LOADS = (0.05, 40.0)  # multiples of the traffic between which a load is sought


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One product's own traffic."""

    name: str
    requests_per_s: float
    cv: float
    prompts: Lengths
    outputs: Lengths


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Traffic:
    """All products' requests in the order of arrival, and whose each is."""

    products: tuple[Product, ...]
    requests: Requests
    of: Ints

    def of_product(self, number: int) -> Requests:
        """One product's requests alone."""
        return self.requests.rows(np.flatnonzero(self.of == number))

    def faster(self, factor: float) -> "Traffic":
        """The same requests arriving so many times as fast."""
        arrival = self.requests.arrival_s / factor
        return replace(self, requests=replace(self.requests, arrival_s=arrival))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What one product, or all together, see."""

    name: str
    requests: int
    p50_s: float
    p99: Interval
    over_limit: float  # share of requests that take longer than the limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to run the products: replicas of each pool, and what each product sees."""

    replicas: tuple[int, ...]  # one figure where the pool is shared
    lines: tuple[Line, ...]  # one a product
    together: Line

    @property
    def total(self) -> int:
        """Replicas in all."""
        return sum(self.replicas)


def traffic_of(products: Sequence[Product], *, count: int, seed: int) -> Traffic:
    """About so many requests of all products together, each by its share of the rate.

    Source: `drawn_requests` for each product.
    """
    total = sum(product.requests_per_s for product in products)
    span_s = count / total
    streams = []
    for number, product in enumerate(products):
        drawn = drawn_requests(
            Arrivals(requests_per_s=product.requests_per_s, cv=product.cv),
            product.prompts,
            product.outputs,
            count=int(product.requests_per_s * span_s * 1.5) + 50,
            seed=seed + number,
        )
        # All streams end together, so that none is alone at the end.
        streams.append(drawn.rows(np.flatnonzero(drawn.arrival_s <= span_s)))
    requests, of = merged(streams)
    return Traffic(products=tuple(products), requests=requests, of=of)


def shared_way(traffic: Traffic, pool: Pool, *, replicas: int, limit_s: float) -> Way:
    """All products on one pool.

    Source: `simulate`.
    """
    done = simulate(traffic.requests, replace(pool, replicas=replicas))
    lines = tuple(
        _line(product.name, done.rows(traffic.of == number), limit_s)
        for number, product in enumerate(traffic.products)
    )
    return Way(replicas=(replicas,), lines=lines, together=_line("all", done, limit_s))


def dedicated_way(traffic: Traffic, pool: Pool, *, replicas: Sequence[int], limit_s: float) -> Way:
    """Each product on a pool of its own.

    Source: `simulate` for each product.
    """
    of_each = [
        simulate(traffic.of_product(number), replace(pool, replicas=count))
        for number, count in enumerate(replicas)
    ]
    lines = tuple(
        _line(product.name, done, limit_s)
        for product, done in zip(traffic.products, of_each, strict=True)
    )
    return Way(
        replicas=tuple(replicas), lines=lines, together=_line("all", _joined(of_each), limit_s)
    )


def fewest_shared(traffic: Traffic, pool: Pool, *, target_s: float, limit_s: float) -> Way | None:
    """The smallest shared pool in which every product's p99 keeps the target; None if none does.

    Source: bisection over replicas, from the pool's own number.
    """

    def keeps(way: Way) -> bool:
        return all(line.p99.value <= target_s for line in way.lines)

    found = _fewest(
        lambda count: keeps(shared_way(traffic, pool, replicas=count, limit_s=limit_s)),
        start=pool.replicas,
    )
    if found is None:
        return None
    return shared_way(traffic, pool, replicas=found, limit_s=limit_s)


def fewest_dedicated(
    traffic: Traffic, pool: Pool, *, target_s: float, limit_s: float
) -> Way | None:
    """The smallest pool of each product that keeps the target for it.

    Source: bisection over replicas, product by product.
    """
    counts = []
    for number in range(len(traffic.products)):
        found = _fewest(
            partial(_alone_keeps, traffic.of_product(number), pool, target_s),
            start=pool.replicas // len(traffic.products),
        )
        if found is None:
            return None
        counts.append(found)
    return dedicated_way(traffic, pool, replicas=counts, limit_s=limit_s)


def best_split(traffic: Traffic, pool: Pool, *, total: int) -> list[int]:
    """So many replicas over the products so that the slowest product is as quick as it gets.

    Half are shared out by tokens, the rest go one after the other (a thirtieth of the total at
    once where there are many) to the product with the longest p99.

    Source: greedy rule.
    """
    products = range(len(traffic.products))
    alone = [traffic.of_product(number) for number in products]
    counts = shared_out(max(total // 2, len(alone)), _tokens(traffic))
    slow = [_p99(simulate(alone[n], replace(pool, replicas=counts[n]))) for n in products]
    while sum(counts) < total:
        worst = int(np.argmax(slow))
        counts[worst] += min(max(total // 30, 1), total - sum(counts))
        slow[worst] = _p99(simulate(alone[worst], replace(pool, replicas=counts[worst])))
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUp:
    """The article's comparison played with these products: what the simulator finds for it."""

    load: float  # multiple of the products' traffic at which the shared pool is that slow
    shared: Way
    dedicated: Way  # with so many more replicas
    dearer: float  # replicas more, as a fraction


def article_set_up(
    traffic: Traffic,
    pool: Pool,
    *,
    replicas: int,
    over_limit: float,
    limit_s: float,
    dearer: float,
) -> SetUp | None:
    """A shared pool loaded until a share of requests exceeds the limit, then split and enlarged.

    The load is found by bisection on the same requests; the split has `dearer` more replicas,
    at least one a product, as `best_split` shares them out. None where even an idle pool
    is slower than that, no load makes so many slow, or there are too few replicas.

    Source: the comparison is the AI 4U article's; the figures are the simulation's.
    """
    total = max(round(replicas * (1.0 + dearer)), replicas + 1)
    if total < len(traffic.products):
        return None

    def shared_at(load: float) -> Way:
        return shared_way(traffic.faster(load), pool, replicas=replicas, limit_s=limit_s)

    low, high = _LOADS
    if shared_at(low).together.over_limit > over_limit:
        return None
    for _ in range(12):
        middle = (low * high) ** 0.5
        enough = shared_at(middle).together.over_limit >= over_limit
        low, high = (low, middle) if enough else (middle, high)
    shared = shared_at(high)
    if shared.together.over_limit < over_limit:
        return None
    loaded = traffic.faster(high)
    split = best_split(loaded, pool, total=total)
    return SetUp(
        load=high,
        shared=shared,
        dedicated=dedicated_way(loaded, pool, replicas=split, limit_s=limit_s),
        dearer=total / replicas - 1.0,
    )


def shared_out(total: int, weights: Floats) -> list[int]:
    """Whole replicas by weight, at least one each, adding up to the total.

    Source: largest remainders, H. P. Young, "Equity", Princeton 1994, chapter 3.
    """
    rest = total - len(weights)
    exact = weights / weights.sum() * rest
    counts = np.floor(exact).astype(int)
    for place in np.argsort(counts - exact, kind="stable")[: rest - int(counts.sum())]:
        counts[place] += 1
    return [int(count) + 1 for count in counts]


def _tokens(traffic: Traffic) -> Floats:
    """Tokens of each product, in and out."""
    tokens = traffic.requests.prompt_tokens + traffic.requests.output_tokens
    each = np.bincount(traffic.of, weights=tokens, minlength=len(traffic.products))
    return each.astype(np.float64)


def _alone_keeps(requests: Requests, pool: Pool, target_s: float, replicas: int) -> bool:
    return _p99(simulate(requests, replace(pool, replicas=replicas))) <= target_s


def _fewest(keeps: Callable[[int], bool], *, start: int) -> int | None:
    """The fewest replicas that keep a target: halving and doubling from a start, then between."""
    high = max(start, 1)
    while high > 1 and keeps(high // 2):
        high //= 2
    low = high // 2
    while not keeps(high):
        low, high = high, 2 * high
        if high > MOST_REPLICAS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return high


def _joined(parts: Sequence[Outcome]) -> Outcome:
    """Outcomes of several pools as one, in the order of arrival."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts]) for name in Outcome.__slots__
    }
    together = Outcome(**columns)
    return together.rows(np.argsort(together.arrival_s, kind="stable"))


def _line(name: str, done: Outcome, limit_s: float) -> Line:
    waits = done.settled().ttft_s
    return Line(
        name=name,
        requests=len(done),
        p50_s=percentile(waits, 0.5),
        p99=percentile_interval(waits, 0.99),
        over_limit=float((waits > limit_s).mean()) if len(waits) else 0.0,
    )


def _p99(done: Outcome) -> float:
    return percentile(done.settled().ttft_s, 0.99)
