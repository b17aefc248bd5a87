"""The benchmarks run and give figures; how fast is for `manage.py bench` to say."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from advisor.management import benchmarks

pytestmark = pytest.mark.django_db
FIGURES = {
    "candidates_per_s", "answer_s", "estimates_per_s", "simulated_requests_per_s", "whatif_s",
    "montecarlo_s", "fleet_s", "export_csv_s", "export_xlsx_s", "import_rows_per_s",
}  # fmt: skip
GROWTH = {
    "candidates_growth": [100, 1_000, 10_000, 100_000],
    "simulation_growth": [100, 1_000, 10_000, 100_000],
    "fleet_growth": [1, 1, 2, 3],
    "export_csv_growth": [1, 10, 100],
    "export_xlsx_growth": [1, 10, 100],
    "montecarlo_growth": [10, 100, 1_000],
}


def test_the_command_writes_the_agreed_keys_and_how_each_grows(
    prepared: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(benchmarks, "PRESETS", ["article_finetune_4xh100_72h"])
    target, told = tmp_path / "bench.json", io.StringIO()

    call_command("bench", "--growth", "--scale", "0.01", "--json", str(target), stdout=told)

    found: dict[str, Any] = json.loads(target.read_text())
    assert {name: found[name] > 0.0 for name in FIGURES} == dict.fromkeys(FIGURES, True)
    assert {name: [size for size, *_ in found[name]] for name in GROWTH} == GROWTH
    assert all(s > 0.0 and mb >= 0.0 for name in GROWTH for _, s, mb in found[name])
    assert 0.0 <= found["fleet_gap"] <= 1.0
    assert [line.split(":")[0] for line in told.getvalue().splitlines()] == list(found)


@pytest.mark.parametrize("scale", ["0", "1.5", "a tenth"])
def test_a_scale_that_is_no_share_is_refused(scale: str) -> None:
    with pytest.raises(CommandError, match=r"share|invalid"):
        call_command("bench", "--scale", scale)
