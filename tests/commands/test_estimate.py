"""Configurations in a CSV file, predictions out."""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import call_command

from advisor.services.estimates import columns_of

pytestmark = pytest.mark.usefixtures("catalogue")

HEADER = (
    "id,accelerator,accelerator_count,precision,engine,measured_month,model,scenario,"
    "input_tokens,output_tokens,concurrency,parallelism,output_tokens_per_s"
)
ROW = "a,nvidia-h100-sxm,8,fp8,vllm,2026-02,Llama-3.1-70B,concurrency,1024,1024,32,TP8,123456"


@pytest.fixture(autouse=True)
def _ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test database is prepared by its own fixture."""
    monkeypatch.setattr("advisor.management.commands.estimate.ensure_ready", lambda: None)


def written(folder: Path, *lines: str, header: str = HEADER) -> str:
    path = folder / "cases.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return str(path)


def answers(
    path: str, capsys: pytest.CaptureFixture[str], kind: str = "inference"
) -> list[dict[str, str]]:
    call_command("estimate", path, kind=kind)
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out)))


def refusal(path: str, capsys: pytest.CaptureFixture[str], kind: str = "inference") -> str:
    with pytest.raises(SystemExit) as stopped:
        call_command("estimate", path, kind=kind)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def test_a_published_configuration_is_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (answer,) = answers(written(tmp_path, ROW), capsys)
    # 8 H100 with Llama 70B in FP8 and 32 in flight: tens of milliseconds a token at most.
    assert 0.004 < float(answer["tpot_mean_s"]) < 0.04


def test_every_figure_stands_between_its_bounds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (answer,) = answers(written(tmp_path, ROW), capsys)
    names = [name for name in columns_of("inference") if f"{name}_low" in answer]
    assert all(
        float(answer[f"{name}_low"]) < float(answer[name]) < float(answer[f"{name}_high"])
        for name in names
    )


def test_the_columns_are_those_of_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (answer,) = answers(written(tmp_path, ROW), capsys)
    assert list(answer) == columns_of("inference")


def test_neither_id_nor_measured_values_are_looked_at(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = ROW.replace("a,", "inf-0001,", 1).replace("123456", "1")
    first, second = answers(written(tmp_path, ROW, other), capsys)
    assert {**first, "id": ""} == {**second, "id": ""}


def test_rows_come_out_in_the_order_they_went_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [ROW.replace("a,", f"{name},", 1) for name in ("z", "b", "m")]
    assert [answer["id"] for answer in answers(written(tmp_path, *rows), capsys)] == ["z", "b", "m"]


def test_a_bare_row_is_answered_from_stated_defaults_and_wider(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = "a,H100 SXM,,,,,meta-llama/Llama-3.1-70B-Instruct,,,,,,"
    full, short = answers(written(tmp_path, ROW, bare), capsys)
    width = [float(x["tpot_mean_s_high"]) / float(x["tpot_mean_s_low"]) for x in (full, short)]
    assert width[1] > width[0]


def test_an_unknown_part_is_a_problem_of_its_row_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unknown = ROW.replace("nvidia-h100-sxm", "Abacus 3000")
    good, bad = answers(written(tmp_path, ROW, unknown), capsys)
    assert (good["problem"], "Abacus 3000" in bad["problem"]) == ("", True)


def test_a_model_of_unknown_name_is_estimated_from_the_size_in_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = ROW.replace("Llama-3.1-70B", "Frobnicator-70B-Chat")
    known, unknown = answers(written(tmp_path, ROW, row), capsys)
    ratio = float(unknown["tpot_mean_s"]) / float(known["tpot_mean_s"])
    assert 0.6 < ratio < 1.7


def test_a_model_without_name_or_size_is_a_problem(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = ROW.replace("Llama-3.1-70B", "Frobnicator")
    assert "size" in answers(written(tmp_path, ROW, row), capsys)[1]["problem"]


def test_a_limited_scenario_gives_a_rate_within_its_limits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = "a,nvidia-h200-sxm,8,fp8,tensorrt,2026-04,Llama-2-70B,interactive,,,,,"
    (answer,) = answers(written(tmp_path, row), capsys)
    # Interactive Llama 2 70B: 40 ms a token at the 99th percentile (MLPerf Inference).
    assert float(answer["tpot_p99_s"]) <= 0.04 * 1.001


def test_a_model_without_tokens_is_answered_in_requests(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = "a,nvidia-l4,1,int8,tensorrt,,ResNet-50 v1.5,offline,,,,,"
    (answer,) = answers(written(tmp_path, row), capsys)
    assert (answer["output_tokens_per_s"], float(answer["requests_per_s"]) > 1000.0) == ("", True)


def test_training_is_answered_in_tokens_of_one_accelerator(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    header = (
        "id,system,accelerator_slug,accelerator_count,precision,model,task,seq_len,global_batch"
    )
    row = "t,,nvidia-h100-sxm,64,bf16,Llama-2-70B,pretrain,4096,1024"
    (answer,) = answers(written(tmp_path, row, header=header), capsys, kind="training")
    # 989 TFLOP/s x 0.2 to 0.7 over 6 x 69e9 FLOP a token
    assert 478 < float(answer["tokens_per_s_per_accelerator"]) < 1673


@pytest.mark.parametrize(
    ("value", "column", "told"),
    [("many", 2, "not a number"), ("-8", 2, "negative"), ("1000000", 2, "at most")],
)
def test_a_value_that_cannot_be_is_named(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    value: str,
    column: int,
    told: str,
) -> None:
    cells = ROW.split(",")
    cells[column] = value
    assert told in refusal(written(tmp_path, ",".join(cells)), capsys)


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.csv" in refusal(str(tmp_path / "none.csv"), capsys)


def test_a_file_without_header_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "header" in refusal(written(tmp_path, ROW, header=ROW), capsys)


def test_a_file_cut_off_in_a_row_names_the_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "line 3" in refusal(written(tmp_path, ROW, ROW[:30]), capsys)


def test_an_empty_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("", encoding="utf-8")
    assert "empty" in refusal(str(path), capsys)


def test_answers_can_be_written_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    call_command("estimate", written(tmp_path, ROW), kind="inference", output=str(target))
    assert target.read_text(encoding="utf-8").startswith("id,output_tokens_per_s,")
