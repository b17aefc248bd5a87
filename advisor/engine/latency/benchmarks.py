"""Published serving benchmarks run through the simulator, under the benchmarks' own loads."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from advisor.engine.cases import Bools, Floats, Ints
from advisor.engine.latency.model_steps import steps_of_columns
from advisor.engine.latency.outcome import Outcome, percentile
from advisor.engine.latency.pool import Pool
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
_COUNT, _BISECTIONS, _REACH = 4_000, 7, np.log(8.0)


def simulated(
    published: PublishedCases, columns: Mapping[str, Floats], rows: Ints, *, seed: int = 0
) -> dict[str, Floats]:
    """FIGURES of some published cases by simulation; nan for the others and for separate prefill.

    A fixed concurrency is run as its client does: all clients start at once and send ten
    prompts each, lengths even from 80 to 100 % of the nominal; the first prompts meet a cold
    engine. A limited rate is the highest random one whose p99 keeps the limits; output lengths
    are lognormal with a 95th percentile of twice the mean, which is assumed.

    Source: InferenceMAX, benchmark client configuration (`--num-prompts $((CONC * 10))`,
    random range ratio 0.8, request rate inf); MLPerf Inference LoadGen, server scenario.
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
            rate = float(start[row] / replicas[row])
            done = _at_limits(steps, *lengths, rate=rate, limits_s=limits, seed=seed)
        else:
            clients = max(round(float(cases.concurrency[row] / replicas[row])), 1)
            cold_s = float(of["cold_s"][row])
            done = _closed(steps, *lengths, clients=clients, cold_s=cold_s, seed=seed)
        if done is not None:
            found["ttft_mean_s"][row] = done.ttft_s.mean()
            found["tpot_mean_s"][row] = np.nanmean(done.tpot_s)
            found["ttft_p99_s"][row] = percentile(done.ttft_s, 0.99)
            found["tpot_p99_s"][row] = percentile(done.tpot_s, 0.99)
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
    steps: StepTimes,
    prompt: float,
    output: float,
    *,
    rate: float,
    limits_s: tuple[float, float],
    seed: int,
) -> Outcome | None:
    """Bisection on the logarithm of the rate around the closed form's."""
    drawn = drawn_requests(
        Arrivals(requests_per_s=1.0),
        Lengths(mean_tokens=prompt),
        Lengths(mean_tokens=output, p95_tokens=_OUTPUT_P95 * output),
        count=_COUNT,
        seed=seed,
    )
    low, high, best = np.log(rate) - _REACH, np.log(rate) + _REACH, None
    for _ in range(_BISECTIONS):
        middle = 0.5 * (low + high)
        done = simulate(at_rate(drawn, float(np.exp(middle))), Pool(steps=steps)).settled()
        kept = (
            percentile(done.ttft_s, 0.99) <= limits_s[0]
            and percentile(done.tpot_s, 0.99) <= limits_s[1]
        )
        low, high = (middle, high) if kept else (low, middle)
        best = done if kept else best
    return best
