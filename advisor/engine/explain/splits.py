"""A figure of a plan at several places: the trees of its places under one root."""

from collections.abc import Sequence
from dataclasses import replace

from advisor.engine.choice.split_plan import MIXED, SUMMED, Site, known_percentiles
from advisor.engine.errors import NotExplained
from advisor.engine.explain.plans import Explained
from advisor.engine.explain.terms import Term
from advisor.engine.explain.words import label_of
from advisor.engine.latency.mixture import mixture_quantile
from advisor.engine.plan import Plan


def explain_split(
    plan: Plan, figure: str, sites: Sequence[Site], explained: Sequence[Explained]
) -> Explained:
    """One figure of a split from the trees of the same figure at its places, in their order.

    Sums show their formula. A percentile over all users is the value of `mixture_quantile`,
    with each place's share, its tree of this percentile and its others as they stand.
    What binds is what binds at the place with the largest share. Raises NotExplained for other
    figures.

    Source: `choice.split_plan.split_figures`.
    """
    known = plan.figures[figure]
    if figure not in SUMMED and figure.partition("_")[0] not in MIXED:
        message = f"“{figure}” of plan {plan.id} is not made from figures of its places"
        raise NotExplained(message)
    parts = [
        replace(_numbered(each.term, number), symbol=f"{figure}_{number}", name=site.where)
        for number, (site, each) in enumerate(zip(sites, explained, strict=True), start=1)
    ]
    added = figure in SUMMED
    root = Term(
        id="t0",
        name=label_of(figure, "serving"),
        symbol=figure,
        value=known.value or 0.0,
        unit=known.unit,
        formula=" + ".join(part.symbol for part in parts) if added else "",
        children=tuple(parts) if added else (*_given(sites, figure), *parts),
        evidence="" if added else known.evidence.value,
        source=known.source,
        method="" if added else mixture_quantile.__name__,
    )
    largest = max(range(len(sites)), key=lambda at: sites[at].share)
    return replace(explained[largest], figure=figure, term=root)


def _numbered(term: Term, number: int) -> Term:
    """A place's tree with ids that are its own among all places."""
    children = tuple(_numbered(child, number) for child in term.children)
    return replace(term, id=f"p{number}{term.id}", children=children)


def _given(sites: Sequence[Site], figure: str) -> list[Term]:
    """Shares of the traffic, and the percentiles of each place that are not unfolded."""
    names = known_percentiles([site.plan for site in sites], figure.partition("_")[0])
    found = []
    for number, site in enumerate(sites, start=1):
        people = ", ".join(site.users)
        rows = [(f"share_{number}", site.share, "fraction", f"share of the traffic: {people}")]
        rows += [
            (f"{name}_{number}", site.plan.value(name) or 0.0, "s", f"{name} at {site.where}")
            for name in names
            if name != figure
        ]
        found += [
            Term(
                id=f"p{number}{symbol}", name=words, symbol=symbol, value=value, unit=unit,
                formula="", children=(), evidence="estimated" if unit == "s" else "reported",
                source="the place's own figure" if unit == "s" else "people by country",
            )
            for symbol, value, unit, words in rows
        ]  # fmt: skip
    return found
