"""Configurations in a CSV file, predictions out."""

import csv
import io
from pathlib import Path

import pytest
from django.core.management import call_command

from advisor.services.estimate_rows import numbers_of
from advisor.services.estimates import columns_of

pytestmark = pytest.mark.usefixtures("prepared")

HEADER = (
    "id,accelerator,accelerator_count,precision,engine,measured_month,model,scenario,"
    "input_tokens,output_tokens,concurrency,parallelism,output_tokens_per_s"
)
ROW = "a,nvidia-h100-sxm,8,fp8,vllm,2026-02,Llama-3.1-70B,concurrency,1024,1024,32,TP8,123456"


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


@pytest.mark.parametrize("value", ["many", "-8", "1000000", "NaN", "∞"])
def test_a_count_that_cannot_be_is_a_default_with_a_wider_range(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str
) -> None:
    cells = ROW.split(",")
    cells[2] = value
    good, odd = answers(written(tmp_path, ROW, ",".join(cells)), capsys)
    width = [float(x["tpot_mean_s_high"]) / float(x["tpot_mean_s_low"]) for x in (good, odd)]
    assert (odd["problem"], width[1] > width[0]) == ("", True)


@pytest.mark.parametrize(
    ("text", "column", "value"),
    [
        ("1,024", "input_tokens", 1024.0),
        ("1 024 tokens", "input_tokens", 1024.0),
        ("4k", "input_tokens", 4096.0),
        ("8x", "accelerator_count", 8.0),
        ("8 GPUs", "accelerator_count", 8.0),
        ("70B", "params_b", 70.0),
        ("350M", "params_b", 0.35),
        ("70e9", "params_b", 70.0),
        ("0,5", "concurrency", 0.5),
        ("1e300", "concurrency", 1e7),
        ("0", "concurrency", None),
        ("n/a", "concurrency", None),
    ],
)
def test_numbers_are_read_as_people_write_them(text: str, column: str, value: float | None) -> None:
    assert numbers_of({column: text}, "inference")[column] == pytest.approx(value)


def test_a_file_of_problems_is_still_answered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (bad,) = answers(written(tmp_path, ROW.replace("nvidia-h100-sxm", "Abacus 3000")), capsys)
    assert "Abacus 3000" in bad["problem"]


@pytest.mark.parametrize("sign", [";", "\t", "|"])
def test_other_delimiters_line_ends_and_marks_are_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sign: str
) -> None:
    plain = answers(written(tmp_path, ROW), capsys)
    path = tmp_path / "other.csv"
    text = f"\ufeff{HEADER}\r\n{ROW}\r\n\r\n".replace(",", sign)
    path.write_bytes(text.encode())
    assert answers(str(path), capsys) == plain


def test_two_columns_of_one_name_give_what_one_of_them_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twice, once = f"{HEADER},model", ROW.replace("Llama-3.1-70B", "") + ",Llama-3.1-70B"
    (found,) = answers(written(tmp_path, once, header=twice), capsys)
    (plain,) = answers(written(tmp_path, ROW), capsys)
    assert found == plain


def test_cells_beyond_the_header_are_a_problem_of_their_line_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = answers(written(tmp_path, ROW, f"{ROW},8,9"), capsys)
    assert (good["problem"], "15 cells under 13 columns" in bad["problem"]) == ("", True)


def test_a_quote_left_open_ends_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = ROW.replace("TP8", '"TP8')
    assert len(answers(written(tmp_path, odd, ROW, ROW), capsys)) == 3


def test_a_model_named_by_its_experts_has_their_size(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    row = ROW.replace("Llama-3.1-70B", "Frobnicator-8x7B")
    assert answers(written(tmp_path, row), capsys)[0]["problem"] == ""


def test_a_missing_file_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "none.csv" in refusal(str(tmp_path / "none.csv"), capsys)


def test_a_file_without_header_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "header" in refusal(written(tmp_path, ROW, header=ROW), capsys)


def test_a_line_cut_off_is_answered_from_what_it_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    short = ",".join(ROW.split(",")[:7])
    assert [a["problem"] for a in answers(written(tmp_path, ROW, short), capsys)] == ["", ""]


def test_an_empty_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "cases.csv"
    path.write_text("", encoding="utf-8")
    assert "empty" in refusal(str(path), capsys)


def test_answers_can_be_written_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "answers.csv"
    call_command("estimate", written(tmp_path, ROW), kind="inference", output=str(target))
    assert target.read_text(encoding="utf-8").startswith("id,output_tokens_per_s,")
