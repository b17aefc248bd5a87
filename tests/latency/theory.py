"""Queues with known answers run through the simulator, their means estimated with controls."""

from dataclasses import dataclass

import numpy as np
from scipy.special import betainc, gammainc, stdtrit

from advisor.engine.cases import Floats
from advisor.engine.latency.outcome import Interval, Outcome
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.simulator import simulate
from advisor.engine.latency.step_times import steady_steps
from advisor.engine.latency.traffic import Requests

STEP_S = 1e-4  # of a mean service of one second
WINDOWS = {0.5: (1, 2, 4, 8, 16, 32), 0.9: (1, 4, 16, 64, 256, 1024)}


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A run of M/M/c or M/D/1 with mean service one second."""

    gaps_s: Floats
    service_s: Floats
    servers: int
    load: float
    outcome: Outcome


def queue(*, servers: int, load: float, even: bool, count: int, seed: int) -> Queue:
    random = np.random.default_rng(seed)
    gaps = random.exponential(1.0 / (load * servers), count)
    tokens = np.full(count, round(1 / STEP_S)) if even else random.geometric(STEP_S, count)
    # A prompt takes no time; alone in its replica its own step does not either.
    requests = Requests(
        arrival_s=np.cumsum(gaps),
        prompt_tokens=np.ones(count, dtype=np.int64),
        output_tokens=tokens + (1 if servers == 1 else 0),
        session=np.zeros(count, dtype=np.int64),
    )
    steps = steady_steps(step_s=STEP_S, max_batch=servers)
    return Queue(
        gaps_s=gaps,
        service_s=np.asarray(tokens * STEP_S, dtype=np.float64),
        servers=servers,
        load=load,
        outcome=simulate(requests, Pool(steps=steps)),
    )


def mean_wait(found: Queue, *, confidence: float = 0.99, batches: int = 200) -> Interval:
    """Mean wait by batch means, what it owes to chance in the input regressed out.

    Controls are the gaps, the services, and the positive parts of the work that came in a
    window less the time it took to come: their means are known, by the Beta or the Gamma law.

    Source: A. M. Law, "Simulation Modeling and Analysis", 5th ed., McGraw-Hill 2015, section
    11.4; the windows are the terms of Spitzer's identity for the waiting time.
    """
    even = bool(found.service_s.std() == 0.0)
    gap = 1.0 / (found.load * found.servers)
    share = 1.0 / found.servers
    net = np.concatenate([[0.0], found.service_s[:-1] * share]) - found.gaps_s
    reached = np.concatenate([[0.0], np.cumsum(net)])
    columns, expected = [found.gaps_s], [gap]
    if not even:
        columns.append(found.service_s)
        expected.append(1.0)
    for window in WINDOWS[found.load]:
        grown = np.maximum(reached[window:] - reached[:-window], 0.0)
        columns.append(np.concatenate([np.zeros(window - 1), grown]))
        expected.append(_excess(window, share, gap, even=even))
    start = len(net) // 20
    waits = found.outcome.ttft_s[start:]
    controls = np.column_stack(columns)[start:]
    return _controlled(waits, controls, np.array(expected), confidence, batches)


def _excess(window: int, service: float, gap: float, *, even: bool) -> float:
    """Mean positive part of a sum of services less a sum of gaps."""
    if even:
        whole = window * service
        less = window * gap * gammainc(window + 1, whole / gap)
        return float(whole * gammainc(window, whole / gap) - less)
    odds = service / (service + gap)
    more = window * service * betainc(window, window + 1, odds)
    return float(more - window * gap * betainc(window + 1, window, odds))


def _controlled(
    values: Floats, controls: Floats, expected: Floats, confidence: float, batches: int
) -> Interval:
    means = np.array([each.mean() for each in np.array_split(values, batches)])
    off = np.array([each.mean(axis=0) for each in np.array_split(controls, batches)]) - expected
    design = np.column_stack([np.ones(batches), off / off.std(axis=0)])
    solved = np.linalg.lstsq(design, means, rcond=None)[0]
    residual = means - design @ solved
    free = batches - design.shape[1]
    spread = np.sqrt(residual @ residual / free * np.linalg.pinv(design.T @ design)[0, 0])
    half = float(stdtrit(free, 0.5 + 0.5 * confidence) * spread)
    return Interval(
        value=float(solved[0]), low=float(solved[0]) - half, high=float(solved[0]) + half
    )
