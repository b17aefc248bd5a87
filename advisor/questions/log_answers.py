"""What a log of requests answers by itself, and where it says something else than the user."""

from collections.abc import Mapping

import numpy as np

from advisor.engine.answers import Answers, AnswerSet, Origin, Row, Value
from advisor.engine.latency.kept import trace_of_log
from advisor.engine.latency.traffic import Trace
from advisor.engine.workload import Workload
from advisor.questions.items import BY_ID
from advisor.questions.logs import LOG
from advisor.questions.parsing import shown
from catalog.units import SECONDS_PER_DAY

SIDES = ("input_tokens", "output_tokens")
RATES = frozenset({"rps_mean", "peak_to_mean"})
APART = 0.25  # of a figure; nearer ones do not contradict
_TAIL = 0.95


def log_in(values: Mapping[str, Value]) -> Row | None:
    """The log among the answers to a workload; None without one."""
    value = values.get(LOG)
    rows = [each for each in value if isinstance(each, Mapping)] if isinstance(value, tuple) else []
    return rows[0] if rows else None


def log_of(answers: Answers, workload: Workload) -> Row | None:
    """A language model's own log, also for its share at one of several places; None without one."""
    for answered in answers.workloads:
        name = answered.text("workload_name")
        own = workload.name == name or workload.name.startswith(f"{name} (")
        if own and LOG in answered.asked and workload.kind == "infer_llm_realtime":
            return log_in(answered.values)
    return None


def log_figures(values: Mapping[str, Value]) -> dict[str, float]:
    """What the log says to questions that can be answered from it; nothing without a log.

    Its mean rate is an answer only where the log is what the load is known by. Its busiest
    minute stands for the busiest of a day where the load is known by it or it covers a day.
    """
    log = log_in(values)
    if log is None:
        return {}
    trace = trace_of_log(log)
    found = {"burstiness_cv": trace.gap_cv}
    decides = values.get("traffic_basis") == "trace_upload"
    if decides:
        found["rps_mean"] = trace.requests_per_s
    if decides or trace.duration_s >= SECONDS_PER_DAY:
        found["peak_to_mean"] = trace.busiest_minute[1]
    if values.get("workload") == "infer_llm_realtime":
        found |= _lengths(trace)
    return found


def _lengths(trace: Trace) -> dict[str, float]:
    found = {}
    for side, tokens in zip(SIDES, (trace.prompt_tokens, trace.output_tokens), strict=True):
        mean = float(tokens.mean())
        found[f"{side}_mean"] = mean
        found[f"{side}_p95"] = max(float(np.quantile(tokens, _TAIL)), mean)
    found["max_context_tokens"] = float((trace.prompt_tokens + trace.output_tokens).max())
    return found


def filled_from_log(
    values: Mapping[str, Value], origins: Mapping[str, Origin]
) -> Mapping[str, float]:
    """Figures of the log for questions that the user has not answered.

    Who types a mean length has its tail from that mean, and who types either has both his own.
    """
    typed = {question for question, origin in origins.items() if origin is Origin.GIVEN}
    for side in SIDES:
        pair = {f"{side}_mean", f"{side}_p95"}
        typed |= pair if pair & typed else set()
    return {key: value for key, value in log_figures(values).items() if key not in typed}


def contradictions(answered: AnswerSet) -> list[str]:
    """Where typed answers and the log differ by more than a quarter; findings, never verdicts."""
    found = []
    for question, said in log_figures(answered.values).items():
        if answered.origins[question] is not Origin.GIVEN or question not in answered.asked:
            continue
        typed = answered.number(question)
        if abs(typed - said) > APART * max(abs(typed), abs(said)):
            item = BY_ID[question]
            found.append(
                f"{item.label}: you typed {shown(item, typed)}, the log of requests has "
                f"{shown(item, _rounded(said))}. Your figure sizes the plan; simulations play "
                f"the log {'at your peak' if question in RATES else 'with its own'}."
            )
    return found


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
