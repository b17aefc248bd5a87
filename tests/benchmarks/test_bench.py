"""The benchmarks run and give figures; how fast is for `manage.py bench` to say."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command

from advisor.management import bench_latency, bench_money, benchmarks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _loaded(catalogue: None) -> None:
    """The shipped catalogue stands in the database."""


def test_candidates_are_counted() -> None:
    assert benchmarks.candidates_per_s(rows=20_000) > 0.0


def test_growth_is_told_as_size_seconds_and_megabytes() -> None:
    [[size, seconds, peak_mb]] = benchmarks.candidates_growth([20_000])

    assert size == 20_000
    assert seconds > 0.0
    assert peak_mb > 0.0


def test_estimates_and_imported_rows_are_counted() -> None:
    assert benchmarks.estimates_per_s(rows=200) > 0.0
    assert benchmarks.import_rows_per_s(rows=200) > 0.0


def test_simulated_requests_and_a_what_if_are_timed() -> None:
    assert bench_latency.simulated_requests_per_s(count=2_000) > 0.0
    assert bench_latency.whatif_seconds() > 0.0


def test_futures_are_timed_by_their_number() -> None:
    [[draws, seconds, peak_mb]] = bench_money.montecarlo_growth([50])

    assert draws == 50
    assert seconds > 0.0
    assert peak_mb > 0.0


def test_the_command_writes_the_agreed_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("candidates_per_s", "estimates_per_s", "import_rows_per_s"):
        monkeypatch.setattr(benchmarks, name, lambda: 1.0)
    monkeypatch.setattr(bench_money, "montecarlo_seconds", lambda: 1.0)
    monkeypatch.setattr(bench_latency, "simulated_requests_per_s", lambda: 1.0)
    monkeypatch.setattr(bench_latency, "whatif_seconds", lambda: 1.0)
    monkeypatch.setattr(benchmarks, "PRESETS", ["article_finetune_4xh100_72h"])
    target = tmp_path / "bench.json"

    call_command("bench", "--json", str(target), stdout=io.StringIO())

    keys = {"candidates_per_s", "answer_s", "estimates_per_s", "montecarlo_s", "import_rows_per_s"}
    keys |= {"simulated_requests_per_s", "whatif_s"}
    assert keys <= set(json.loads(target.read_text()))
