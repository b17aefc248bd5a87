"""Plans of a whole answer sized by the user's log: they keep the targets, one replica fewer not."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.engine.choice.log_sizing import Played, play
from advisor.engine.latency.kept import trace_of_log
from advisor.engine.latency.published import FOLDER
from advisor.engine.plan import Plan
from advisor.engine.search.river import software_month
from advisor.questions import read_answers
from advisor.questions.log_answers import log_of
from advisor.services.advice import Worked, worked
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates

RATES = {  # requests/s on average, and targets in milliseconds that need four replicas or more
    "azure2023_conv": (60, 1_000, 40),
    "azure2023_code": (10, 2_000, 100),
    "mooncake_conversation": (9, 30_000, 400),
    "mooncake_synthetic": (8, 60_000, 600),
}


@cache
def answered(slug: str, **changes: Any) -> Worked:
    """Llama 3.1 70B for a published log, its rate and targets typed."""
    mean, first_ms, gap_ms = RATES[slug]
    answers: dict[str, Any] = {
        "model_ref": "llama3.1-70b", "traffic_basis": "trace_upload", "rps_mean": mean,
        "slo_ttft_ms": first_ms, "slo_itl_ms": gap_ms, "slo_percentile": "p99",
        "accel_families_allowed": ["gpu"], "redundancy": "none", "headroom_pct": 0,
        "trace_file": (FOLDER / f"{slug}.csv").read_text(encoding="utf-8"),
    }  # fmt: skip
    answers |= changes
    snapshot = shipped_snapshot()
    return worked(
        read_answers({"answers": answers}, today=snapshot.as_of),
        snapshot,
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )


def recommended(slug: str) -> Plan:
    plan = answered(slug).decisions[0].recommended
    assert plan is not None
    return plan


@cache
def played(slug: str, *, lost: int) -> Played:
    """The recommended plan of the answer under its log, with some replicas lost."""
    done, plan = answered(slug), recommended(slug)
    workload = done.question.workloads[0]
    log = log_of(done.answers, workload)
    assert log is not None
    shape = {**plan.parallelism, "replicas": plan.parallelism["replicas"] - lost}
    found = play(
        replace(plan, parallelism=shape), workload, trace_of_log(log),
        parts=done.snapshot.accelerators, calibration=done.calibration,
        software_month=software_month(done.snapshot),
    )  # fmt: skip
    assert found is not None
    return found


@pytest.mark.parametrize("slug", RATES)
def test_the_plan_recommended_for_a_log_has_four_replicas_or_more_here(slug: str) -> None:
    assert recommended(slug).parallelism["replicas"] >= 4


@pytest.mark.parametrize("slug", RATES)
def test_the_plan_recommended_for_a_log_keeps_its_p99_under_it(slug: str) -> None:
    found = played(slug, lost=0)

    assert (found.fewest, found.alone) == (found.replicas, ())


@pytest.mark.parametrize("slug", RATES)
def test_with_one_replica_fewer_it_does_not(slug: str) -> None:
    found = played(slug, lost=1)

    assert found.fewest > found.replicas


def test_the_answer_says_how_much_spare_capacity_the_log_needs() -> None:
    said = "\n".join(answered("azure2023_code").decisions[0].warnings)

    assert re.search(r"Its bursts are worse .*: [1-9]\d\d % of spare capacity", said)


def test_a_target_that_single_requests_miss_is_named() -> None:
    done = answered(
        "mooncake_synthetic", model_ref="llama3.1-8b", rps_mean=None, slo_ttft_ms=300,
        slo_percentile="p95",
    )  # fmt: skip
    said = "\n".join(done.decisions[0].warnings)

    assert "single requests miss the target for the first token by themselves" in said
