"""Published serving benchmarks run through the simulator, under the benchmarks' own loads."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.latency.load import SATURATED
from advisor.engine.latency.model_steps import steps_of_columns
from advisor.engine.latency.outcome import Outcome, percentile
from advisor.engine.latency.pool import Pool
from advisor.engine.latency.setups import filled, requests_to_fill
from advisor.engine.latency.simulator import simulate, simulate_closed
from advisor.engine.latency.step_times import StepTimes
from advisor.engine.latency.traffic import Arrivals, Lengths, at_rate, drawn_requests
from advisor.engine.serving.footprint import decode_replicas
from advisor.engine.serving.outcomes import is_limited, predicted
from advisor.engine.serving.published import LENGTH_OF_NOMINAL, PublishedCases, with_prompts

FIGURES = ("ttft_mean_s", "tpot_mean_s", "ttft_p99_s", "tpot_p99_s")
ROUNDS = 10  # prompts for each client of a closed loop
_LEAST_OF_NOMINAL = 0.8
_OUTPUT_P95 = 2.0  # of the mean; the benchmarks publish no spread, prompts are taken as even
LOADGEN_S = 600.0
"""How long a limited rate must last.

Source: `*.Server.min_duration = 600000`, mlperf.conf of MLPerf Inference LoadGen."""
_LEAST_COUNT, _MOST_COUNT, _MOST_REPLICAS = 4_000, 8_000, 4  # requests of one replica
_REACH, _NEAR = np.log(8.0), 0.01  # of the logarithm of the rate: searched, told apart


def simulated(
    published: PublishedCases, columns: Mapping[str, Floats], rows: Ints, *, seed: int = 0
) -> dict[str, Floats]:
    """FIGURES of some published cases by simulation; nan for the others and for separate prefill.

    A fixed concurrency is run as its client does: all clients start at once and send ten
    prompts each, lengths even from 80 to 100 % of the nominal; the first prompts meet a cold
    engine. A limited rate is the highest random one whose p99 keeps the limits for LOADGEN_S,
    through up to four of the replicas and within what they serve without end; output lengths
    are lognormal with a 95th percentile of twice the mean, which is assumed.

    Source: InferenceMAX, benchmark client configuration (`--num-prompts $((CONC * 10))`,
    random range ratio 0.8, request rate inf; percentiles between neighbours); MLPerf Inference
    LoadGen, server scenario.
    """
    size = len(published.cases)
    of = {name: np.broadcast_to(np.asarray(v), size) for name, v in columns.items()}
    limited, start = is_limited(published), predicted(published, columns)["requests_per_s"]
    published = with_prompts(published, of["prompt"])
    cases, replicas = published.cases, decode_replicas(published.cases)
    found = {name: np.full(size, np.nan) for name in FIGURES}
    for row in rows[~_apart(published)[rows]].tolist():
        steps = steps_of_columns(cases, of, row)
        lengths = float(cases.input_tokens[row]), float(cases.output_tokens[row])
        if limited[row]:
            limits = float(published.ttft_p99_limit_s[row]), float(published.tpot_p99_limit_s[row])
            pool = Pool(steps=steps, replicas=int(np.clip(round(replicas[row]), 1, _MOST_REPLICAS)))
            rate = float(start[row] / replicas[row]) * pool.replicas
            done = _at_limits(pool, *lengths, rate=rate, limits_s=limits, seed=seed)
        else:
            clients = max(round(float(cases.concurrency[row] / replicas[row])), 1)
            cold_s = float(of["cold_s"][row])
            done = _closed(steps, *lengths, clients=clients, cold_s=cold_s, seed=seed)
        if done is not None:
            found["ttft_mean_s"][row] = done.ttft_s.mean()
            found["tpot_mean_s"][row] = np.nanmean(done.tpot_s)
            found["ttft_p99_s"][row] = np.quantile(done.ttft_s, 0.99)
            found["tpot_p99_s"][row] = np.nanquantile(done.tpot_s, 0.99)
    return found


def _apart(published: PublishedCases) -> Bools:
    """Rows with chips that only prefill: a closed loop through two stations is not simulated."""
    chips = published.cases.prefill_accelerators
    return np.zeros(len(published.cases), dtype=bool) if chips is None else chips > 0


def _closed(
    steps: StepTimes, prompt: float, output: float, *, clients: int, cold_s: float, seed: int
) -> Outcome:
    """A benchmark's closed loop, from the start of its engine on.

    The first prompts of all clients wait for an engine that is not warm: kernels are compiled
    for shapes when these first come, after the client's one prompt of trial.

    Source: compilation in the hot path: vllm-project/vllm pull request 22215, sgl-project/sglang
    issue 4773; how long by the calibration, which reads it from published means and tails.
    """
    random = np.random.default_rng(seed)
    count = ROUNDS * clients
    low, high = _LEAST_OF_NOMINAL / LENGTH_OF_NOMINAL, 1.0 / LENGTH_OF_NOMINAL
    prompts, outputs = (
        np.maximum(np.rint(mean * random.uniform(low, high, count)), 1.0).astype(np.int64)
        for mean in (prompt, output)
    )
    done = simulate_closed(prompts, outputs, Pool(steps=steps), concurrency=clients)
    return _held_up(done, clients, cold_s)


def _held_up(done: Outcome, first: int, wait_s: float) -> Outcome:
    """The same run where the first so many prompts wait before anything starts."""
    later = np.where(np.arange(len(done)) < first, 0.0, wait_s)
    return replace(
        done,
        arrival_s=done.arrival_s + later,
        first_token_s=done.first_token_s + wait_s,
        end_s=done.end_s + wait_s,
    )


def _at_limits(
    pool: Pool,
    prompt: float,
    output: float,
    *,
    rate: float,
    limits_s: tuple[float, float],
    seed: int,
) -> Outcome | None:
    """The highest rate that lasts and keeps the limits; None where none near `rate` does.

    A rate above what full replicas serve keeps its limits only until the queue has built up:
    no submitter's run is valid there twice, so the search stops at SATURATED.
    """
    least, most = (each * pool.replicas for each in (_LEAST_COUNT, _MOST_COUNT))
    drawn = drawn_requests(
        Arrivals(requests_per_s=1.0),
        Lengths(mean_tokens=prompt),
        Lengths(mean_tokens=output, p95_tokens=_OUTPUT_P95 * output),
        count=int(np.clip(rate * LOADGEN_S, least, most)),
        seed=seed,
    )

    def kept(log_rate: float) -> Outcome | None:
        done = simulate(at_rate(drawn, float(np.exp(log_rate))), pool)
        tails = (percentile(done.ttft_s, 0.99), percentile(done.tpot_s, 0.99))
        return done if all(t <= s for t, s in zip(tails, limits_s, strict=True)) else None

    some = slice(0, requests_to_fill(pool.steps))
    full = filled(replace(pool, replicas=1), drawn.prompt_tokens[some], drawn.output_tokens[some])
    high = float(np.log(max(SATURATED * full.requests_per_s * pool.replicas, 1e-12)))
    best = kept(high)
    if best is not None:
        return best
    low = min(float(np.log(rate)), high) - _REACH
    while high - low > _NEAR:
        middle = 0.5 * (low + high)
        done = kept(middle)
        low, high = (low, middle) if done is None else (middle, high)
        best = best if done is None else done
    return best
