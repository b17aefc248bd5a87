"""Reading the catalogue's CSV files: what is taken, what is refused and how that is said."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.engine.shipped import find_shipped_accelerator, find_shipped_model, shipped_snapshot
from catalog.engine.tables import BadTable, Table, number, read_table, text
from catalog.units import GIB, GIGA, TERA

TOY = Table(
    name="toys",
    key=("slug",),
    columns=(*text("slug", required=True), *number("weight_kg")),
)


def refusals(content: str) -> list[str]:
    return [str(refusal) for refusal in read_table(content, TOY)[1]]


def test_columns_are_found_by_name_not_by_place() -> None:
    (line, record), *_ = read_table("weight_kg,slug\n2.5,top\n", TOY)[0]
    assert (line, record) == (2, {"slug": "top", "weight_kg": Decimal("2.5")})


def test_an_empty_cell_is_unknown_and_not_zero() -> None:
    assert read_table("slug,weight_kg\ntop,\n", TOY)[0][0][1]["weight_kg"] is None


@pytest.mark.parametrize("cell", ["heavy", "nan", "inf", "-1", "1e400", "0x10", "1,5"])
def test_a_text_in_a_number_is_refused_with_its_line(cell: str) -> None:
    (refusal,) = refusals(f'slug,weight_kg\nball,1\ntop,"{cell}"\n')
    assert refusal.startswith("toys.csv, line 3: weight_kg: ")


def test_a_zero_figure_is_refused() -> None:
    assert "leave the cell empty" in refusals("slug,weight_kg\ntop,0\n")[0]


def test_a_missing_key_is_refused() -> None:
    assert refusals("slug,weight_kg\n,1\n") == ["toys.csv, line 2: slug is missing"]


def test_a_repeated_row_is_refused_with_the_first_line() -> None:
    assert refusals("slug,weight_kg\ntop,1\ntop,2\n") == ["toys.csv, line 3: repeats line 2 (top)"]


def test_a_row_with_too_many_cells_is_refused() -> None:
    assert refusals("slug,weight_kg\ntop,1,2\n") == [
        "toys.csv, line 2: has 3 cells, the header has 2"
    ]


def test_line_numbers_count_line_breaks_inside_cells() -> None:
    assert refusals('slug,weight_kg\n"to\np",1\nball,x\n')[0].startswith("toys.csv, line 4")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "the file is empty"),
        ("slug\ntop\n", "the header lacks weight_kg"),
        ("slug,weight_kg,colour\n", "the header has unknown colour"),
        ("slug,weight_kg,slug\n", "the header repeats slug"),
        ("slug,weight_kg\nball,1\nto", "is it cut off"),
        ('slug,weight_kg\nball,1\n"to', "is the file cut off"),
    ],
)
def test_a_file_that_is_no_such_table_says_so(content: str, message: str) -> None:
    with pytest.raises(BadTable, match=message):
        read_table(content, TOY)


@given(st.text())
def test_no_text_makes_the_reader_fail_otherwise(content: str) -> None:
    with contextlib.suppress(BadTable):
        read_table(content, TOY)


@given(st.text(max_size=20))
def test_no_cell_makes_the_reader_fail_otherwise(cell: str) -> None:
    quoted = cell.replace('"', '""')
    rows, refused = read_table(f'slug,weight_kg\ntop,"{quoted}"\n', TOY)
    assert len(rows) + len(refused) == 1


@pytest.mark.parametrize(
    ("spelling", "slug"),
    [
        ("H100", "nvidia-h100-sxm"),
        ("NVIDIA H100-SXM5-80GB", "nvidia-h100-sxm"),
        ("nvidia h100 sxm", "nvidia-h100-sxm"),
        ("NVIDIA H100 80GB HBM3", "nvidia-h100-sxm"),
        ("H100-NVL-94GB", "nvidia-h100-nvl"),
        ("NVIDIA A100-SXM4-40GB", "nvidia-a100-sxm-40gb"),
        ("A100-80GB", "nvidia-a100-sxm-80gb"),
        ("8 x NVIDIA B200", "nvidia-b200-sxm"),
        ("AMD Instinct MI300X", "amd-mi300x"),
        ("Instinct MI355X", "amd-mi355x"),
        ("RTXPRO6000", "nvidia-rtx-pro-6000-server"),
        ("TPU v5e", "google-tpu-v5e"),
        ("Cloud TPU v6e", "google-tpu-v6e"),
        ("Ironwood", "google-tpu-v7"),
        ("Gaudi3", "intel-gaudi3"),
        ("Trainium2", "aws-trainium2"),
        ("CS-3", "cerebras-wse3"),
        ("no such chip", None),
        ("", None),
    ],
)
def test_published_spellings_of_accelerators_are_found(spelling: str, slug: str | None) -> None:
    assert find_shipped_accelerator(spelling) == slug


@pytest.mark.parametrize(
    ("spelling", "slug"),
    [
        ("DeepSeek-R1-671B", "deepseek-r1"),
        ("deepseek-ai/DeepSeek-R1-0528", "deepseek-r1"),
        ("Llama-3.3-70B", "llama3.1-70b"),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3.1-8b"),
        ("Meta-Llama-3.1-405B-Instruct-FP8", "llama3.1-405b"),
        ("Llama-2-70b-chat-hf", "llama2-70b"),
        ("Mixtral-8x7B-Instruct-v0.1", "mixtral-8x7b"),
        ("openai/gpt-oss-120b", "gpt-oss-120b"),
        ("Qwen/Qwen3-235B-A22B-Instruct-2507", "qwen3-235b-a22b"),
        ("GPT-J-6B", "gpt-j-6b"),
        ("ResNet-50 v1.5", "resnet50"),
        ("SDXL", "sdxl"),
        ("no such model", None),
    ],
)
def test_published_spellings_of_models_are_found(spelling: str, slug: str | None) -> None:
    assert find_shipped_model(spelling) == slug


def test_every_slug_finds_itself() -> None:
    catalogue = shipped_snapshot()
    assert all(find_shipped_accelerator(a.slug) == a.slug for a in catalogue.accelerators)
    assert all(find_shipped_model(m.slug) == m.slug for m in catalogue.models)


def test_every_name_and_alias_finds_its_own_row() -> None:
    lost = [
        (spelling, spec.slug)
        for spec in shipped_snapshot().accelerators
        for spelling in (spec.name, *spec.aliases)
        if find_shipped_accelerator(spelling) != spec.slug
    ]
    assert lost == []


def test_every_model_name_and_alias_finds_its_own_row() -> None:
    lost = [
        (spelling, spec.slug)
        for spec in shipped_snapshot().models
        for spelling in (spec.name, *spec.aliases)
        if find_shipped_model(spelling) != spec.slug
    ]
    assert lost == []


def test_datasheet_units_become_base_units() -> None:
    h100 = next(a for a in shipped_snapshot().accelerators if a.slug == "nvidia-h100-sxm")
    assert h100.memory_bytes == 80 * GIB
    assert h100.peak_flops_per_s["bf16"] == pytest.approx(989.4 * TERA, rel=0.001)
    assert h100.scale_up_bytes_per_s == 900 / 2 * GIGA
    assert h100.host_link_bytes_per_s == 63 * GIGA


def test_network_of_a_system_is_in_bytes() -> None:
    dgx = next(s for s in shipped_snapshot().systems if s.slug == "dgx-a100-640gb")
    assert dgx.nic_bytes_per_s == 8 * 200e9 / 8


def test_of_several_sources_the_newest_price_counts() -> None:
    offers = [
        o
        for o in shipped_snapshot().offers
        if o.instance_type == "p5.48xlarge" and o.purchase == "on_demand"
        if o.region and o.region.slug == "aws/us-east-1"
    ]
    assert [(o.usd_per_h, str(o.observed_on)) for o in offers] == [(55.04, "2026-07-20")]
