"""The same scheduling one step at a time, as plainly as it can be said: what to check against."""

from collections import deque
from dataclasses import dataclass, field

from advisor.engine.latency.step_times import StepTimes


@dataclass
class Running:
    index: int
    prompt: int
    left: int
    context: int = 0
    made: int = 0


@dataclass
class Result:
    first: dict[int, float] = field(default_factory=dict)
    end: dict[int, float] = field(default_factory=dict)
    late: dict[int, float] = field(default_factory=dict)
    preempted: dict[int, int] = field(default_factory=dict)


def naive_replica(  # noqa: C901, PLR0912 - plain, in one piece
    arrivals: list[tuple[float, int, int]], steps: StepTimes, *, clients: int | None = None
) -> Result:
    """Each step of one replica; arrivals are (time, prompt, output) in order.

    With `clients` the times are ignored: so many start at zero, each end starts the next.
    """
    out = Result()
    waiting: deque[tuple[float, Running]] = deque()
    todo = deque(Running(i, p, o) for i, (_, p, o) in enumerate(arrivals))
    for i, (at, _, _) in enumerate(arrivals):
        if clients is None or i < clients:
            start = 0.0 if clients is not None else at
            waiting.append((start + steps.request_s, todo.popleft()))
    resumed: list[Running] = []
    running: list[Running] = []  # in the order of admission
    filling: tuple[Running, int] | None = None
    t = 0.0
    while running or waiting or resumed or filling:
        if not running and not resumed and filling is None and waiting[0][0] > t:
            t = waiting[0][0]
        held = sum(r.context for r in running) + (filling[0].prompt if filling else 0)
        if steps.reserves_output:
            held += sum(r.left - 1 - r.made for r in running)
            held += (filling[0].left - 1) if filling else 0
        growth = 0 if steps.reserves_output else len(running)
        stopped = False
        while held + growth > steps.kv_capacity_tokens:
            stopped = True
            if filling is not None:
                victim, filling = filling[0], None
                held -= victim.prompt
            else:
                victim = running.pop()
                held -= victim.context
                growth -= 1
                victim.prompt, victim.left = victim.context + 1, victim.left - victim.made - 1
                victim.made = 0
            out.preempted[victim.index] = out.preempted.get(victim.index, 0) + 1
            resumed.append(victim)
        room = max(steps.chunk_tokens - len(running), 1)
        seconds, ready = 0.0, []
        decoding = len(running)

        def piece(start: int, stop: int) -> float:
            return steps.prefill_s * (stop - start) + steps.prefill_s2 * (stop**2 - start**2)

        if filling is not None:
            each, at = filling
            stop = min(at + room, each.prompt)
            seconds += piece(at, stop)
            room -= stop - at
            filling = (each, stop) if stop < each.prompt else None
            if filling is None:
                ready.append(each)
            else:
                room = 0
        while room > 0 and not stopped and decoding + len(ready) < steps.max_batch:
            if resumed:
                each = resumed[-1]
            elif waiting and waiting[0][0] <= t:
                each = waiting[0][1]
            else:
                break
            takes = each.prompt + (each.left - 1 if steps.reserves_output else 0)
            if held + takes + growth > steps.kv_capacity_tokens:
                break
            if resumed:
                resumed.pop()
            else:
                waiting.popleft()
            held += takes
            stop = min(room, each.prompt)
            seconds += steps.prefill_request_s + piece(0, stop)
            room -= stop
            if stop < each.prompt:
                filling = (each, stop)
            else:
                ready.append(each)
        context = sum(r.context for r in running)
        if decoding:
            seconds += steps.fixed_s[decoding] + steps.per_kv_token_s[decoding] * context
        else:
            seconds += steps.idle_prefill_s
        t += float(seconds)
        for each in running:
            each.context += 1
            each.made += 1
        for each in ready:
            if each.index not in out.first:
                base = steps.idle_prefill_s
                if decoding:
                    base = float(steps.fixed_s[decoding] + steps.per_kv_token_s[decoding] * context)
                late = max(steps.idle_prefill_s - base, 0.0) + steps.admit_s * decoding
                out.late[each.index] = late + steps.prefill_late_s * each.prompt
                out.first[each.index] = t + out.late[each.index]
            each.context, each.made = each.prompt, 0
            running.append(each)
        for each in [r for r in running if r.made == r.left - 1]:
            out.end[each.index] = t + out.late[each.index]
            running.remove(each)
            if clients is not None and todo:
                waiting.append((out.end[each.index] + steps.request_s, todo.popleft()))
                waiting = deque(sorted(waiting, key=lambda item: item[0]))
    return out
