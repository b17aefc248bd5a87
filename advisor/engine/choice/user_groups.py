"""Users parted into groups near each other, and what part of the traffic a group causes."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from advisor.engine.latency.distance import round_trips_s
from advisor.engine.latency.places import users_in
from advisor.engine.workload import Workload


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
