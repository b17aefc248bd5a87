"""What the latency page says of Poisson arrivals beside the load as it comes."""

from collections.abc import Mapping
from typing import Any

from advisor.templatetags.quantities import number, seconds

Document = Mapping[str, Any]
_ALIKE = 1.05  # times as long; nearer ones are not told apart


def arrivals_told(result: Document) -> str:
    """The load that was simulated, in words."""
    trace = result["trace"]
    if trace is not None:
        return f"{trace['name']} as recorded"
    cv = result["change"]["burstiness_cv"]
    return f"Gaps with a CV of {number(result['burstiness_cv'] if cv is None else cv)}"


def poisson_finding(result: Document, row: Document) -> str:
    """How far Poisson arrivals would have misled; nothing where there is nothing to compare."""
    even = result.get("poisson")
    if even is None:
        return ""
    who = "your log" if result["trace"] is not None else "your burstiness"
    if not row["settles"]:
        return "More arrives than is served, by any law of arrivals."
    said = [_first_token(who, row, even)]
    needed, would = result["fewest_replicas"], even["fewest_replicas"]
    if needed is not None and would is not None:
        said.append(
            f"Sized for Poisson arrivals the pool would have {number(would)} "
            f"{'replica' if would == 1 else 'replicas'}; {who} needs {number(needed)}."
            if would != needed
            else f"Either way {number(needed)} {'replica is' if needed == 1 else 'replicas are'} "
            "needed."
        )
    return " ".join(said)


def _first_token(who: str, row: Document, even: Document) -> str:
    worst = max(("ttft", "tpot"), key=lambda figure: _times(row, even, figure))
    real, promised = (each[f"{worst}_p99_s"]["value"] for each in (row, even))
    if not real or not promised:
        return ""
    what = "first token" if worst == "ttft" else "time per output token"
    times = real / promised
    if times > _ALIKE:
        return (
            f"With Poisson arrivals of the same rate and lengths the p99 of the {what} would be "
            f"{seconds(promised)}; under {who} it is {seconds(real)}. Poisson under-estimates it "
            f"by a factor of {number(times, 2)}."
        )
    return (
        f"Poisson arrivals of the same rate and lengths do not under-estimate {who}: the p99 of "
        f"the {what} would be {seconds(promised)}, and is {seconds(real)}."
    )


def _times(row: Document, even: Document, figure: str) -> float:
    real, promised = (each[f"{figure}_p99_s"]["value"] for each in (row, even))
    return float(real / promised) if real and promised else 0.0
