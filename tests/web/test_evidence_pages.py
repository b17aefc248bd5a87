"""The evidence page: its figures are those of the file, its claims name their verdicts."""

import csv
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from advisor.engine.calibration import FIXTURES
from advisor.engine.evidence.claims_values import ClaimText
from advisor.services.claims import claim_texts
from advisor.services.evidence import (
    POINTS_FILE,
    ROWS_FILE,
    shipped_evidence,
    source_references,
)
from advisor.services.simulated_evidence import (
    SimulatedError,
    shipped_simulated,
    write_simulated,
)
from advisor.templatetags.quantities import percent
from advisor.templatetags.site import source_url
from advisor.views.evidence import FIGURES


def table(name: str) -> list[dict[str, str]]:
    with (FIXTURES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("figure", [figure.id for figure in FIGURES])
def test_every_figure_has_its_page(pages: Client, figure: str) -> None:
    assert pages.get(f"/evidence/?figure={figure}").status_code == 200


def test_the_error_shown_is_that_of_the_file(pages: Client) -> None:
    errors = [
        abs(float(row["predicted"]) / float(row["measured"]) - 1.0)
        for row in table(POINTS_FILE)
        if row["quantity"] == "tokens_per_s_per_accelerator" and row["predicted"]
    ]
    found = pages.get("/evidence/?figure=training").context["score"]

    assert (found.n, found.median_error) == (len(errors), pytest.approx(np.median(errors)))


def test_the_page_shows_the_error_it_computed(pages: Client) -> None:
    page = pages.get("/evidence/?figure=training")

    assert percent(page.context["score"].median_error) in page.content.decode()


def test_leaving_out_whole_accelerators_is_another_figure(pages: Client) -> None:
    together, apart = (
        pages.get(f"/evidence/?figure=training&left_out={split}").context["score"]
        for split in ("group", "accelerator")
    )

    assert together.median_error != apart.median_error


def test_few_cases_are_marked_unproven(pages: Client) -> None:
    page = pages.get("/evidence/?figure=training")
    few = [
        line
        for line in chain.from_iterable(t.lines for t in page.context["breakdowns"])
        if not line.score.is_proven
    ]

    assert page.content.count(b"unproven</span>") == len(few) > 0


def test_each_point_names_its_source(pages: Client) -> None:
    page = pages.get("/evidence/?figure=training")
    shown = page.context["page"].object_list

    assert all(row["point"].row.source in page.content.decode() for row in shown[:10])


def test_a_page_of_points_is_kept_apart_from_the_others(pages: Client) -> None:
    first, second = (
        {row["point"].row.id for row in pages.get(f"/evidence/?page={n}").context["page"]}
        for n in (1, 2)
    )

    assert not first & second


@pytest.mark.parametrize("query", ["figure=banana", "left_out=banana", "page=zero"])
def test_an_odd_address_shows_the_usual_page(pages: Client, query: str) -> None:
    assert pages.get(f"/evidence/?{query}").context["figure"] == FIGURES[0]


def test_the_page_needs_few_queries(
    pages: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    pages.get("/evidence/")
    with django_assert_max_num_queries(15):
        pages.get("/evidence/")


@pytest.mark.parametrize("text", claim_texts(), ids=lambda text: text.id)
def test_every_claim_is_shown_with_a_verdict(pages: Client, text: ClaimText) -> None:
    claims = {claim.id: claim for claim in pages.get("/evidence/").context["claims"].claims}

    assert claims[text.id].conclusion


def test_every_point_belongs_to_a_row_with_a_source() -> None:
    assert all(point.row.source for point in shipped_evidence())


def test_nearly_every_measurement_is_predicted() -> None:
    points = shipped_evidence()

    assert sum(p.guesses["group"] is not None for p in points) >= 0.95 * len(points)


@pytest.mark.parametrize("name", [POINTS_FILE, ROWS_FILE])
def test_the_files_stay_small(name: str) -> None:
    assert (FIXTURES / name).stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("reference", "url"),
    [
        ("https://example.org/a b", "https://example.org/a"),
        (
            "mosaicml/llm-foundry@8c8dd48f scripts/train/benchmarking/README.md",
            "https://github.com/mosaicml/llm-foundry/blob/8c8dd48f/scripts/train/benchmarking/README.md",
        ),
        (
            "mlcommons/r_v6.0 (read from fork me/r_v6.0)@232fbf90 closed/Intel/results/log.txt",
            "https://github.com/me/r_v6.0/blob/232fbf90/closed/Intel/results/log.txt",
        ),
        ("core-x 0.3.1 (PyPI), systems/x.csv, row a", "https://libraries.io/pypi/core-x/0.3.1"),
        ("a talk of 2024", ""),
    ],
)
def test_a_source_reference_opens_where_it_was_read(reference: str, url: str) -> None:
    assert source_url(reference) == url


def test_every_shipped_measurement_can_be_opened_at_its_source() -> None:
    closed = {ref for ref in source_references().values() if ref and not source_url(ref)}

    assert closed == set()


def test_errors_by_simulation_are_written_and_read_again(tmp_path: Path) -> None:
    line = SimulatedError(
        load="fixed concurrency", figure="ttft_mean_s", rows=9, simulated=0.2, closed_form=0.25
    )
    write_simulated([line], tmp_path)

    assert shipped_simulated(tmp_path) == [line]


def test_the_page_shows_the_errors_by_simulation_that_are_shipped(pages: Client) -> None:
    shown = [each["line"] for each in pages.get("/evidence/").context["simulated"]]

    assert (shown, len(shown)) == (shipped_simulated(), 6)


def test_the_readme_gives_the_errors_by_simulation_that_are_shipped() -> None:
    readme = (FIXTURES.parent / "README.md").read_text(encoding="utf-8")
    told = {
        f"| {line.load} | {line.rows:,} | {line.simulated:.1%} | {line.closed_form:.1%} |".replace(
            "%", " %"
        )
        for line in shipped_simulated()
    }

    assert {row for row in told if row not in readme} == set()
