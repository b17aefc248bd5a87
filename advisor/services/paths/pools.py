"""Sharing: several products on one pool, or a pool each, by simulation of their traffic."""

from dataclasses import dataclass

from advisor.engine.latency.pool import Pool
from advisor.engine.latency.pools import (
    Line,
    Product,
    SetUp,
    Traffic,
    Way,
    article_set_up,
    best_split,
    dedicated_way,
    fewest_dedicated,
    fewest_shared,
    shared_way,
    traffic_of,
)
from advisor.engine.latency.traffic import Lengths
from advisor.services.paths.asked import Field, Values
from advisor.services.paths.documents import Document, Row, chart, percent_text, table
from advisor.services.paths.subject import Subject
from catalog.units import MILLISECOND, PERCENT

PRODUCTS = 4
COUNT = 4000
SEED = 3
ARTICLE = {
    "claim": "5 to 10 % of peak requests passed 2 s on shared pools; splitting pools by product "
    "cost 15 % more and cut p99 from 2,200 to 700 ms",
    "source": "AI 4U article, AI Infrastructure 2026; a claim, no measurement of it was found",
}
ARTICLE_TARGET_MS = 700.0
ARTICLE_LIMIT_S, ARTICLE_OVER, ARTICLE_DEARER = 2.0, 0.075, 0.15
_EXAMPLE = ((60.0, 1.0, 1.0), (30.0, 1.0, 1.0), (10.0, 4.0, 2.0))
"""Share of the requests, burstiness and prompt length in means of three products: an example
with a bursty neighbour, to be replaced by one's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    """Products on a plan's replicas."""

    subject: Subject
    traffic: Traffic
    pool: Pool
    replicas: int
    scale: float  # replicas of the plan for each simulated one
    limit_s: float
    target_s: float
    dearer: float
    over: float


def fields(subject: Subject) -> list[Field]:
    """What may be changed: limits, and up to four products."""
    found = [
        Field(id="target_ms", label="Target", help="ms to the first token, at p99 of each product",
              value=ARTICLE_TARGET_MS, low=1.0, high=3.6e6),
        Field(id="limit_s", label="Slow is", help="seconds to the first token and more",
              value=ARTICLE_LIMIT_S, low=0.01, high=3600.0),
        Field(id="over_pct", label="Slow requests", help="% on the article's shared pool",
              value=ARTICLE_OVER / PERCENT, low=0.1, high=50.0),
        Field(id="dearer_pct", label="Dearer", help="% more for pools apart",
              value=ARTICLE_DEARER / PERCENT, low=0.0, high=300.0),
    ]  # fmt: skip
    for number in range(1, PRODUCTS + 1):
        share, cv, longer = _EXAMPLE[number - 1] if number <= len(_EXAMPLE) else (0.0, 1.0, 1.0)
        found += _product_fields(subject, number, share, cv, longer)
    return found


def _product_fields(
    subject: Subject, number: int, share: float, cv: float, longer: float
) -> list[Field]:
    group, demand = f"Product {number}", subject.demand
    most = max(demand.max_context_tokens, 16.0)
    prompt = min(max(demand.input_tokens * longer, 1.0), most)
    return [
        Field(id=f"name_{number}", label="Name", help="empty: no product",
              value=f"Product {number}" if share else "", group=group),
        Field(id=f"share_{number}", label="Requests", help="% of the peak", value=share,
              low=0.0, high=1000.0, group=group),
        Field(id=f"cv_{number}", label="Burstiness", help="CV of the gaps; 1 is random",
              value=cv, low=0.0, high=20.0, group=group),
        Field(id=f"prompt_{number}", label="Prompt", help="tokens, mean", value=round(prompt),
              low=1.0, high=1e7, group=group, whole=True),
        Field(id=f"output_{number}", label="Answer", help="tokens, mean",
              value=max(round(demand.output_tokens), 1), low=1.0, high=1e6, group=group,
              whole=True),
    ]  # fmt: skip


def answer(subject: Subject, values: Values) -> Document:
    """Both ways at the plan's size and at the fewest replicas, and the article's comparison."""
    case = _case(subject, values)
    shared = shared_way(case.traffic, case.pool, replicas=case.replicas, limit_s=case.limit_s)
    counts = best_split(
        case.traffic, case.pool, total=max(case.replicas, len(case.traffic.products))
    )
    apart = dedicated_way(case.traffic, case.pool, replicas=counts, limit_s=case.limit_s)
    fewest = (
        fewest_shared(case.traffic, case.pool, target_s=case.target_s, limit_s=case.limit_s),
        fewest_dedicated(case.traffic, case.pool, target_s=case.target_s, limit_s=case.limit_s),
    )
    article = article_set_up(
        case.traffic, case.pool, replicas=case.replicas, over_limit=case.over,
        limit_s=case.limit_s, dearer=case.dearer,
    )  # fmt: skip
    return {
        "findings": [
            _same_words(case, shared, apart),
            _fewest_words(case, *fewest),
            _article_words(case, article),
        ],
        "claim": ARTICLE,
        "tables": [
            _products(case, "same", "The same machines both ways", shared, apart),
            _sizes(case, *fewest),
            _article_table(case, article),
        ],
        "charts": [_chart(case, shared, apart)],
        "basis": [],
    }


def _case(subject: Subject, values: Values) -> _Case:
    served, replicas, part = subject.simulated
    most = max(subject.demand.max_context_tokens, 16.0)
    peak = subject.demand.requests_per_s_peak * part
    products = [
        Product(
            name=str(values[f"name_{number}"]).strip(),
            requests_per_s=peak * values[f"share_{number}"] * PERCENT,
            cv=values[f"cv_{number}"],
            prompts=_lengths(values[f"prompt_{number}"], most),
            outputs=_lengths(values[f"output_{number}"], most),
        )
        for number in range(1, PRODUCTS + 1)
        if str(values[f"name_{number}"]).strip() and values[f"share_{number}"] > 0.0
    ]
    if not products:
        products = [
            Product(
                name=subject.workload.name, requests_per_s=peak, cv=subject.demand.burstiness_cv,
                prompts=served.prompts, outputs=served.outputs,
            )
        ]  # fmt: skip
    return _Case(
        subject=subject,
        traffic=traffic_of(products, count=COUNT, seed=SEED),
        pool=served.pool(replicas=replicas),
        replicas=replicas,
        scale=subject.replicas / replicas,
        limit_s=values["limit_s"],
        target_s=values["target_ms"] * MILLISECOND,
        dearer=values["dearer_pct"] * PERCENT,
        over=values["over_pct"] * PERCENT,
    )


def _lengths(mean: float, most: float) -> Lengths:
    """Lengths with the questionnaire's own default spread: p95 three times the mean."""
    return Lengths(mean_tokens=mean, p95_tokens=3.0 * mean, most_tokens=max(most, mean))


def _ms(seconds: float) -> str:
    if seconds == float("inf"):
        return "never"
    return f"{seconds:,.1f} s" if seconds >= 10.0 else f"{seconds * 1e3:,.0f} ms"  # noqa: PLR2004


def _worst(way: Way) -> Line:
    return max(way.lines, key=lambda line: line.p99.value)


def _same_words(case: _Case, shared: Way, apart: Way) -> str:
    calm = min(shared.lines, key=lambda line: line.p99.value)
    there = next(line for line in apart.lines if line.name == calm.name)
    return (
        f"On the plan's {_count(case.subject.replicas)}, shared, the slowest product's p99 to "
        f"the first token is {_ms(_worst(shared).p99.value)} and {calm.name}'s "
        f"{_ms(calm.p99.value)}; parted, they are {_ms(_worst(apart).p99.value)} and "
        f"{_ms(there.p99.value)}."
    )


def _fewest_words(case: _Case, shared: Way | None, apart: Way | None) -> str:
    if shared is None or apart is None:
        return f"No number of replicas brings every product's p99 under {_ms(case.target_s)}."
    more = apart.total / shared.total - 1.0
    words = (
        "as many"
        if more == 0.0
        else f"{percent_text(abs(more))} {'more' if more > 0.0 else 'fewer'}"
    )
    return (
        f"To keep p99 under {_ms(case.target_s)} for every product, one pool needs "
        f"{_count(round(shared.total * case.scale))} and pools apart "
        f"{round(apart.total * case.scale):,}: "
        f"{words}."
    )


def _count(replicas: int) -> str:
    return "1 replica" if replicas == 1 else f"{replicas:,} replicas"


def _article_words(case: _Case, found: SetUp | None) -> str:
    head = (
        "The article says that 5 to 10 % of requests passed 2 s on shared pools, and that parting "
        "them cost 15 % more and cut p99 from 2,200 to 700 ms. "
    )
    if found is None:
        return (
            head + "With these products no load makes that share slow on a shared pool of this "
            "size, so there is nothing to compare."
        )
    before, after = found.shared.together.p99.value, found.dedicated.together.p99.value
    quicker = "cuts" if after < before else "does not cut"
    calm = min(found.dedicated.lines, key=lambda line: line.p99.value)
    then = next(line for line in found.shared.lines if line.name == calm.name)
    return (
        head + f"Here a shared pool is that slow at {found.load:.2g} times this traffic; then "
        f"parting it with {percent_text(found.dearer)} more machines {quicker} the p99 of all "
        f"requests: {_ms(before)} before, {_ms(after)} after. {calm.name} alone goes from "
        f"{_ms(then.p99.value)} to {_ms(calm.p99.value)}."
    )


def _products(case: _Case, name: str, title: str, shared: Way, apart: Way) -> Document:
    rows = [
        Row(
            label=one.name,
            cells=[one.p50_s, one.p99.value, one.over_limit, two.p50_s, two.p99.value,
                   two.over_limit, count * case.scale],
        )
        for one, two, count in zip(shared.lines, apart.lines, apart.replicas, strict=True)
    ]  # fmt: skip
    one, two = shared.together, apart.together
    rows.append(
        Row(
            label="All requests",
            cells=[one.p50_s, one.p99.value, one.over_limit, two.p50_s, two.p99.value,
                   two.over_limit, apart.total * case.scale],
            chosen=True,
        )
    )  # fmt: skip
    return table(
        name,
        title,
        f"Time to the first token, without the way to the users. Slow: {case.limit_s:g} s and "
        "more. Pools apart are sized so that the slowest product is as quick as it gets.",
        "Product",
        {
            "Shared, median": "s",
            "Shared, p99": "s",
            "Shared, slow": "fraction",
            "Apart, median": "s",
            "Apart, p99": "s",
            "Apart, slow": "fraction",
            "Replicas apart": "count",
        },
        rows,
    )


def _sizes(case: _Case, shared: Way | None, apart: Way | None) -> Document:
    usd = case.subject.usd_per_replica_month
    rows = []
    for label, way in (("One pool", shared), ("A pool for each product", apart)):
        if way is None:
            rows.append(Row(label=label, cells=[None, None, None]))
            continue
        total = round(way.total * case.scale)
        cost = None if usd is None else usd * total
        rows.append(Row(label=label, cells=[float(total), cost, _worst(way).p99.value]))
    return table(
        "sizes",
        "The fewest machines both ways",
        f"So that p99 to the first token stays under {_ms(case.target_s)} for every product; "
        "unknown where no number of replicas does.",
        "Way",
        {"Replicas": "count", "Cost a month": "USD", "Slowest product, p99": "s"},
        rows,
    )


def _article_table(case: _Case, found: SetUp | None) -> Document:
    rows = [
        Row(
            label="What the article claims",
            cells=["5 to 10 %", 2.2, 0.7, "15 %"],
            note="its own figures, unmeasured",
        )
    ]
    if found is not None:
        rows.append(
            Row(
                label="What the simulation finds",
                note=f"at {found.load:.2g} times this traffic",
                cells=[
                    percent_text(found.shared.together.over_limit, 1),
                    found.shared.together.p99.value,
                    found.dedicated.together.p99.value,
                    percent_text(found.dearer),
                ],
                chosen=True,
            )
        )
    return table(
        "article",
        "The article's comparison",
        "The same requests on a shared pool loaded until that share is slow, and on pools apart "
        "with so many more machines.",
        "",
        {"Slow when shared": "text", "p99 shared": "s", "p99 apart": "s", "Dearer by": "text"},
        rows,
    )


def _chart(case: _Case, shared: Way, apart: Way) -> Document:
    names = [line.name for line in shared.lines]
    return chart(
        "products",
        "First token at p99, product by product",
        "What a product's neighbours do to it, on the same machines.",
        x="Product",
        y="Seconds, p99",
        kind="bar",
        log=True,
        series={
            "Shared": (names, [line.p99.value for line in shared.lines]),
            "Apart": (names, [line.p99.value for line in apart.lines]),
        },
        rule=("Target", case.target_s),
    )
