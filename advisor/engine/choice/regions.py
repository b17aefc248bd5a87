"""One workload at several places: users go to the place that is theirs, and the plans add up."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from advisor.engine.choice.decision import Decision
from advisor.engine.choice.fleet import greedy_fleet
from advisor.engine.latency.distance import round_trips_s
from advisor.engine.latency.places import users_in
from advisor.engine.plan import Plan
from advisor.engine.workload import Question, Workload
from catalog.specs import Figure

MOST_PLACES = 4  # more are run by few, and each adds its own spare machine
Answer = Callable[[Workload, Question], Decision]
_AT_WORST = "the slowest of the places: no percentile over all users is longer"


def user_groups(countries: Sequence[str], *, count: int) -> list[tuple[str, ...]]:
    """Countries parted into groups near each other, so many of them, by round trip.

    The two groups whose farthest members are nearest are joined until `count` are left
    (complete linkage). Countries without a city on record stay out.

    Source: complete-linkage clustering, L. Kaufman and P. J. Rousseeuw, "Finding Groups in
    Data", Wiley 1990, chapter 5.
    """
    single = {code: users for code in dict.fromkeys(countries) if (users := users_in([code]))}
    groups: list[tuple[str, ...]] = [(code,) for code in single]
    way = {
        (a, b): float(np.max(round_trips_s(single[a], single[b].places)))
        for a in single
        for b in single
    }

    def apart(pair: tuple[int, int]) -> float:
        return max(way[a, b] for a in groups[pair[0]] for b in groups[pair[1]])

    while len(groups) > max(count, 1):
        pairs = [(i, j) for i in range(len(groups)) for j in range(i + 1, len(groups))]
        first, second = min(pairs, key=apart)
        groups[first] = (*groups[first], *groups.pop(second))
    return groups


def share_of_users(group: Sequence[str], countries: Sequence[str]) -> float:
    """The group's share of all users, by people.

    Source: as `latency.places.users_in`.
    """
    users = users_in(countries)
    if users is None:
        return 0.0
    inside = np.array([place.country in set(group) for place in users.places])
    return float(users.shares[inside].sum())


def with_share(workload: Workload, share: float, *, name: str) -> Workload:
    """The part of a serving workload that some of its users cause; everything else as it was.

    Source: arithmetic; the shape of traffic is taken to be the same everywhere.
    """
    serving = workload.serving
    if serving is None:
        return workload
    part = replace(
        serving,
        requests_per_s_mean=serving.requests_per_s_mean * share,
        requests_per_s_peak=serving.requests_per_s_peak * share,
        requests_per_month=serving.requests_per_month * share,
    )
    return replace(workload, name=name, serving=part)


def split_over(
    workload: Workload, question: Question, answer: Answer, *, count: int
) -> tuple[Plan, tuple[Decision, ...]] | None:
    """The workload at `count` places, each for its own users, as one plan; None where one fails.

    Each group of countries is answered as a workload of its own with its share of the traffic,
    so its region, count and price follow from the same rules as any other answer's. The plan's
    latencies are those of the slowest place.

    Source: sum over the groups.
    """
    groups = user_groups(question.user_countries, count=count)
    if len(groups) < count:
        return None
    parts = [
        with_share(
            workload,
            share_of_users(group, question.user_countries),
            name=f"{workload.name} ({', '.join(group)})",
        )
        for group in groups
    ]
    decisions = tuple(
        answer(part, replace(question, user_countries=group))
        for part, group in zip(parts, groups, strict=True)
    )
    plan = greedy_fleet(decisions, parts, name=workload.name)
    if plan is None:
        return None
    chosen = [d.recommended for d in decisions if d.recommended is not None]
    named = replace(
        plan,
        id="split",
        workload=workload.name,
        figures={**plan.figures, **_slowest(chosen)},
        notes=(
            f"Traffic is split over {count} places, each with its own users: "
            + "; ".join(_words(p, d) for p, d in zip(parts, decisions, strict=True))
            + ".",
            *plan.notes,
        ),
    )
    return named, decisions


def fewest_places(
    workload: Workload, question: Question, answer: Answer
) -> tuple[Plan, tuple[Decision, ...]] | None:
    """The split over the fewest places that has a plan everywhere; None where none has.

    Source: counts tried in order, to MOST_PLACES.
    """
    for count in range(2, min(len(set(question.user_countries)), MOST_PLACES) + 1):
        found = split_over(workload, question, answer, count=count)
        if found is not None:
            return found
    return None


def with_split(
    decision: Decision, workload: Workload, question: Question, answer: Answer
) -> Decision:
    """A decision with the split as its recommendation, where one place alone has no plan.

    Source: as `fewest_places`.
    """
    live = workload.serving is not None and not workload.serving.is_batch
    if decision.recommended is not None or not live or len(question.user_countries) <= 1:
        return decision
    found = fewest_places(workload, question, answer)
    if found is None:
        return decision
    plan, _ = found
    why = f"No single place reaches all users within the targets. {plan.notes[0]}"
    return replace(
        decision,
        recommended=plan,
        plans=(plan, *decision.plans),
        warnings=(*decision.warnings, why),
        refusal="",
    )


def _slowest(plans: Sequence[Plan]) -> dict[str, Figure]:
    names = [
        name
        for name in plans[0].figures
        if name.startswith(("ttft_", "tpot_", "e2e_", "network_"))
        and all(plan.value(name) is not None for plan in plans)
    ]
    return {
        name: replace(
            max((plan.figures[name] for plan in plans), key=lambda f: f.value or 0.0),
            source=_AT_WORST,
        )
        for name in names
    }


def _words(part: Workload, decision: Decision) -> str:
    plan = decision.recommended
    if plan is None or part.serving is None:
        return part.name
    where = " ".join(each for each in (plan.provider, plan.region) if each)
    return f"{part.name} with {part.serving.requests_per_s_peak:,.1f} requests/s at {where}"
