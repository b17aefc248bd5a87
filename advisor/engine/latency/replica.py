"""One replica with continuous batching, moved from event to event by closed sums."""

from array import array
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import inf, sqrt
from typing import TypeAlias

from advisor.engine.latency.step_times import StepTimes

_INDEX_BITS = 26  # 67 million requests; keys then stay short integers
_INDEX = (1 << _INDEX_BITS) - 1
NEVER = -1.0
Times: TypeAlias = "array[float]"
Counts: TypeAlias = "array[int]"


@dataclass(slots=True, kw_only=True)
class Work:
    """The requests of a simulation, shared by the replicas that fill in the times.

    Plain arrays, because a replica reads and writes single entries. `compute` is what is left
    of the prompt to compute (0: it came computed, with its first token), `hold` the KV tokens
    it takes once computed, `left` the output tokens still to come.
    """

    arrival_s: Times
    visible_s: Times
    compute: Counts
    hold: Counts
    left: Counts
    first_s: Times
    end_s: Times
    late_s: Times
    preemptions: Counts


def replica(  # noqa: C901, PLR0912, PLR0915 - one loop: local variables are what makes it fast
    work: Work, steps: StepTimes, pending: list[int], following: Iterator[int] | None = None
) -> Generator[tuple[int, float], float, None]:
    """A replica as a coroutine: send it a time, it works up to there and says how many ended.

    It also says until when no more will end unless it gets more requests. `pending` holds its
    requests in the order of arrival and may grow between sends, by requests that become
    visible at or after the time sent. Stretches in which
    nothing can change are summed in closed form: k steps of B requests with K KV tokens take
    k (fixed + slope K) + slope B k (k - 1) / 2. In a closed loop each request that ends starts
    the next of `following` at once.

    Source: arithmetic of the sums; scheduling as in StepTimes.
    """
    visible, compute, hold, left = work.visible_s, work.compute, work.hold, work.left
    first, end, preemptions = work.first_s, work.end_s, work.preemptions
    late, late_each, admit = work.late_s, steps.prefill_late_s, steps.admit_s
    fixed, slope = steps.fixed_s.tolist(), steps.per_kv_token_s.tolist()
    lin, quad, each = steps.prefill_s, steps.prefill_s2, steps.prefill_request_s
    alone, chunk, most = steps.idle_prefill_s, steps.chunk_tokens, steps.max_batch
    capacity = steps.kv_capacity_tokens
    bounded, reserves = capacity < inf, steps.reserves_output
    grows = bounded and not reserves
    t, n, batch, kv, used = 0.0, 0, 0, 0, 0
    running: list[int] = []  # heap of (step at which it ends, request)
    again: list[int] = []  # pre-empted, the last one resumes first
    admitted: dict[int, int] = {}  # order of admission, kept where memory may run out
    head, partial, at, ended, admissions = 0, -1, 0, 0, 0
    due = -1  # step at which the next request ends
    ready: list[int] = []  # prompts through in this step
    limit = yield 0, inf
    while True:
        if t >= limit:
            quiet = t
            if running and partial < 0 and not again and (head == len(pending) or batch == most):
                k = due - n
                if not grows or used + k * batch <= capacity:
                    growth = slope[batch] * (kv + 0.5 * batch * (k - 1))
                    quiet = t + k * (fixed[batch] + growth)
            limit = yield ended, quiet
            continue
        while n == due:
            i = heappop(running) & _INDEX
            due = running[0] >> _INDEX_BITS if running else -1
            end[i] = t + late[i]
            batch -= 1
            ended += 1
            context = hold[i] + left[i] - 1
            kv -= context
            used -= context
            if following is not None:
                j = next(following, -1)
                if j >= 0:
                    work.arrival_s[j] = end[i]
                    visible[j] = end[i] + steps.request_s
                    _insert(pending, j, visible)
        if not batch and partial < 0 and not again:
            if head == len(pending):
                limit = yield ended, inf
                continue
            if visible[pending[head]] > t:
                t = visible[pending[head]]
                continue
        blocked = False
        while grows and used + batch > capacity:
            blocked = True  # who was just pre-empted does not come back in the same step
            if partial >= 0:
                i, partial, at = partial, -1, 0
                used -= hold[i]
            else:
                key = max(running, key=lambda k: admitted[k & _INDEX])
                running.remove(key)
                heapify(running)
                due = running[0] >> _INDEX_BITS if running else -1
                i = key & _INDEX
                made = left[i] - ((key >> _INDEX_BITS) - n)
                kv -= hold[i] + made - 1
                used -= hold[i] + made - 1
                hold[i] += made
                compute[i] = hold[i]
                left[i] -= made
                batch -= 1
            preemptions[i] += 1
            again.append(i)
        room = chunk - batch if chunk > batch else 1
        extra = 0.0
        if partial >= 0:
            remaining = compute[partial] - at
            if remaining > room:  # whole steps of one long prompt
                k = (remaining - 1) // room
                if batch:
                    k = min(k, due - n)
                    if grows:
                        k = min(k, int(capacity - used) // batch)
                    each_s = fixed[batch] + slope[batch] * (kv + 0.5 * batch * (k - 1))
                else:
                    each_s = alone
                stop = at + k * room
                t += k * each_s + lin * (stop - at) + quad * (stop * stop - at * at)
                at = stop
                n += k
                kv += k * batch
                if grows:
                    used += k * batch
                continue
            extra = lin * remaining + quad * (compute[partial] ** 2 - at * at)
            ready.append(partial)
            room -= remaining
            partial, at = -1, 0
        while room > 0 and not blocked:
            if batch + len(ready) >= most:
                blocked = True
                break
            if again:
                i = again[-1]
            elif head < len(pending) and visible[pending[head]] <= t:
                i = pending[head]
            else:
                break
            if bounded:
                takes = hold[i] + (left[i] - 1 if reserves else 0)
                grown = 0 if reserves else batch + (compute[i] == 0)
                if used + takes + grown > capacity:
                    blocked = True
                    break
                used += takes
                admitted[i] = admissions
                admissions += 1
            if again:
                again.pop()
            else:
                head += 1
            p = compute[i]
            if p == 0:
                batch += 1
                room -= 1
                kv += hold[i]
                heappush(running, (n + left[i] - 1) << _INDEX_BITS | i)
                due = running[0] >> _INDEX_BITS
            elif p <= room:
                extra += each + p * (lin + quad * p)
                room -= p
                ready.append(i)
            else:
                extra += each + room * (lin + quad * room)
                partial, at, room = i, room, 0
        if ready or partial >= 0:
            once = fixed[batch] + slope[batch] * kv if batch else alone
            t += extra + once
            n += 1
            kv += batch
            if grows:
                used += batch
            own = admit * batch + (alone - once if alone > once else 0.0)
            for i in ready:
                if first[i] < 0.0:
                    late[i] = own + late_each * compute[i]
                    first[i] = t + late[i]
                batch += 1
                kv += hold[i]
                heappush(running, (n + left[i] - 1) << _INDEX_BITS | i)
            if ready:
                due = running[0] >> _INDEX_BITS
                ready.clear()
            continue
        k = due - n
        if grows:
            k = min(k, int(capacity - used) // batch)
        once, growth = fixed[batch] + slope[batch] * kv, slope[batch] * batch
        dt = k * (once + 0.5 * growth * (k - 1))
        if not blocked:  # the next arrival may join at the first step that ends after it
            gap = limit
            if head < len(pending) and visible[pending[head]] < limit:
                gap = visible[pending[head]]
            gap -= t
            if dt > gap:
                b = once - 0.5 * growth
                k = int(2.0 * gap / (b + sqrt(b * b + 2.0 * growth * gap)))
                while (dt := k * (once + 0.5 * growth * (k - 1))) < gap:
                    k += 1
        t += dt
        n += k
        kv += k * batch
        if grows:
            used += k * batch


def _insert(pending: list[int], request: int, visible_s: Times) -> None:
    """Keep the requests of a closed loop in the order in which they become visible."""
    place = len(pending)
    while place and visible_s[pending[place - 1]] > visible_s[request]:
        place -= 1
    pending.insert(place, request)
