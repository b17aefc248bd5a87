"""Plans of a whole answer sized by the user's log: they keep the targets, one replica fewer not."""

import re
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.engine.choice.log_sizing import Played, Player
from advisor.engine.latency.kept import trace_of_log
from advisor.engine.latency.published import FOLDER
from advisor.engine.latency.traffic import Trace
from advisor.engine.plan import Plan
from advisor.engine.search.river import software_month
from advisor.questions import read_answers
from advisor.questions.log_answers import log_of
from advisor.services.advice import Worked, worked
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates

TARGETS = {  # first token and time per output token, milliseconds
    "azure2023_conv": (1_000, 40),
    "azure2023_code": (2_000, 100),
    "mooncake_conversation": (30_000, 400),
    "mooncake_synthetic": (60_000, 600),
}
AT = [  # requests/s on average that need four replicas or more
    ("azure2023_conv", 60),
    ("azure2023_code", 10),
    ("azure2023_code", 12),
    ("mooncake_conversation", 8),
    ("mooncake_conversation", 10),
    ("mooncake_conversation", 12),
    ("mooncake_conversation", 14),
    ("mooncake_synthetic", 8),
    ("mooncake_synthetic", 12),
]


@cache
def answered(slug: str, mean: float, **changes: Any) -> Worked:
    """Llama 3.1 70B for a published log, its rate and targets typed."""
    first_ms, gap_ms = TARGETS[slug]
    answers: dict[str, Any] = {
        "model_ref": "llama3.1-70b", "traffic_basis": "trace_upload", "rps_mean": mean,
        "slo_ttft_ms": first_ms, "slo_itl_ms": gap_ms, "slo_percentile": "p99",
        "accel_families_allowed": ["gpu"], "redundancy": "none", "headroom_pct": 0,
        "disagg_allowed": "no",
        "trace_file": (FOLDER / f"{slug}.csv").read_text(encoding="utf-8"),
    }  # fmt: skip
    answers |= {name: list(v) if isinstance(v, tuple) else v for name, v in changes.items()}
    snapshot = shipped_snapshot()
    return worked(
        read_answers({"answers": answers}, today=snapshot.as_of),
        snapshot,
        calibration=shipped_calibration(),
        rates=shipped_rates(),
    )


def recommended(slug: str, mean: float) -> Plan:
    plan = answered(slug, mean).decisions[0].recommended
    assert plan is not None
    return plan


@cache
def played(slug: str, mean: float, *, lost: int) -> Played:
    """The recommended plan of the answer under its log, with some replicas lost."""
    done, plan = answered(slug, mean), recommended(slug, mean)
    workload = done.question.workloads[0]
    log = log_of(done.answers, workload)
    assert log is not None
    shape = {**plan.parallelism, "replicas": plan.parallelism["replicas"] - lost}
    player = Player(
        trace=trace_of_log(log), parts=done.snapshot.accelerators, calibration=done.calibration,
        software_month=software_month(done.snapshot),
    )  # fmt: skip
    found = player.play(replace(plan, parallelism=shape), workload)
    assert found is not None
    return found


@pytest.mark.parametrize(("slug", "mean"), AT)
def test_the_plan_recommended_for_a_log_has_four_replicas_or_more_here(
    slug: str, mean: float
) -> None:
    assert recommended(slug, mean).parallelism["replicas"] >= 4


@pytest.mark.parametrize(("slug", "mean"), AT)
def test_the_plan_recommended_for_a_log_keeps_its_p99_under_it(slug: str, mean: float) -> None:
    found = played(slug, mean, lost=0)

    assert (found.fewest, found.alone) == (found.replicas, {})


@pytest.mark.parametrize(("slug", "mean"), AT)
def test_with_one_replica_fewer_it_does_not(slug: str, mean: float) -> None:
    found = played(slug, mean, lost=1)

    assert not found.kept


def test_spare_capacity_the_user_asked_for_stays_beside_what_the_log_needs() -> None:
    spare = answered("azure2023_conv", 60, headroom_pct=90).decisions[0]
    assert spare.recommended is not None

    peak = 60 * log_trace().busiest_minute[1]
    assert (spare.recommended.value("requests_per_s") or 0.0) >= 1.9 * peak
    assert re.search(r"as [\d,]+ replicas would: the rest is for", "\n".join(spare.warnings))


def log_trace() -> Trace:
    done = answered("azure2023_conv", 60)
    log = log_of(done.answers, done.question.workloads[0])
    assert log is not None
    return trace_of_log(log)


def test_the_answer_says_how_much_spare_capacity_the_log_needs() -> None:
    said = "\n".join(answered("azure2023_code", 10).decisions[0].warnings)

    assert re.search(r"Its bursts are worse .*: .* with \d+ % of spare capacity", said)


def test_a_target_that_single_requests_miss_is_named_with_how_many_do() -> None:
    done = answered(
        "mooncake_synthetic", 0, model_ref="llama3.1-8b", rps_mean=None, slo_ttft_ms=300,
        slo_percentile="p95",
    )  # fmt: skip
    said = "\n".join(done.decisions[0].warnings)

    share = re.search(r"miss the target for the first token \((\d+\.\d) % of them\)", said)
    assert share is not None
    assert 5.0 < float(share[1]) < 100.0


def test_plans_with_separate_pools_are_sized_by_the_log_and_say_so() -> None:
    plans = [
        plan
        for plan in answered("mooncake_conversation", 12, disagg_allowed="yes").decisions[0].plans
        if "pools" in plan.extra
    ]

    assert plans
    for plan in plans:
        assert plan.notes[0].startswith(
            "Your log of requests was played on it: it keeps every target under it"
        )


def test_each_place_of_a_split_is_sized_by_the_log() -> None:
    done = answered(
        "azure2023_conv", 60, user_regions=("DE", "US", "JP"), slo_ttft_ms=400,
    )  # fmt: skip
    sites = [site for split in done.splits.values() for site in split.sites]

    assert sites
    for site in sites:
        assert "your log of requests was played" in site.plan.notes[0]
