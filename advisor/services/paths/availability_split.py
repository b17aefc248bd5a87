"""Failures of a plan at several places: each place as its users have it, and all of them."""

from math import prod

from advisor.models import Job
from advisor.services.advice import Worked, reopened
from advisor.services.paths import availability
from advisor.services.paths.asked import read_values
from advisor.services.paths.documents import Document, Row, nines_text, table
from advisor.services.paths.subject import subject_in
from catalog.units import HOURS_PER_MONTH

_MINUTES_PER_MONTH = HOURS_PER_MONTH * 60.0


def split_plans(run: Job) -> list[tuple[str, str]]:
    """Plans of a run at several places, by id and name, best first."""
    plans = (run.result or {}).get("plans", ())
    return [(str(each["id"]), str(each["name"])) for each in plans if each.get("places")]


def recommended_split(run: Job) -> str:
    """Id of the recommended plan where it stands at several places; nothing otherwise."""
    best = (run.result or {}).get("recommendation") or {}
    return str(best["id"]) if best.get("places") else ""


def split_failures(run: Job, plan_id: str) -> Document:
    """What a plan at several places reaches for a user, and how often every place serves."""
    return split_failures_in(reopened(run), plan_id)


def split_failures_in(worked: Worked, plan_id: str) -> Document:
    """The same among values that no row stands behind.

    A place serves its own users; nobody takes them over when it is out. A user drawn at random
    is served with the mean of the places' availabilities by their share of the traffic; that all
    places serve at once is their product, were they to fail independently.
    """
    split = worked.splits[plan_id]
    documents = []
    for site in split.sites:
        subject = subject_in(worked, site.plan.id)
        values = read_values(availability.fields(subject), {})
        documents.append(availability.answer(subject, values))
    reached = [float(each["availability"]) for each in documents]
    user = sum(site.share * each for site, each in zip(split.sites, reached, strict=True))
    every = prod(reached)
    worst = min(range(len(reached)), key=reached.__getitem__)
    rows = [
        Row(
            label=site.where,
            note=f"users in {', '.join(site.users)}: {site.plan.name}",
            cells=[site.share, each, (1.0 - each) * _MINUTES_PER_MONTH],
        )
        for site, each in zip(split.sites, reached, strict=True)
    ]
    rows.append(Row(label="A user anywhere", cells=[1.0, user, (1.0 - user) * _MINUTES_PER_MONTH]))
    return {
        "findings": [
            f"A user anywhere is served within the targets {nines_text(user)} of the time, "
            f"{(1.0 - user) * _MINUTES_PER_MONTH:,.0f} minutes a month short.",
            f"Every place serves its own users at once {nines_text(every)} of the time, if places "
            "fail independently of each other; a push of software or settings that all share makes "
            "them fail together, and then more often all serve.",
            f"The place that fails most is {split.sites[worst].where}: "
            f"{nines_text(reached[worst])}. Nobody takes over the users of a place that is out: "
            "no place has machines for another's peak. Choose a place below to change its figures.",
        ],
        "availability": user,
        "tables": [
            table(
                "places",
                "Place by place",
                "Each place with the figures taken for it; choose its plan to see its causes, "
                "spares and zones.",
                "Place",
                {
                    "Share of the traffic": "fraction",
                    "Within the targets": "availability",
                    "Minutes a month short": "count",
                },
                rows,
            )
        ],
        "charts": [],
        "basis": documents[0]["basis"],
    }
