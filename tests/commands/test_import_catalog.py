"""manage.py import_catalog as people call it."""

import csv
import shutil
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.engine.tables import FIXTURES
from catalog.models import Accelerator, Offer, PricePoint, ServingMeasurement, Source

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
Edit = Callable[[str, Callable[[list[dict[str, str]]], None]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped files that a test may spoil."""
    for path in FIXTURES.glob("*.csv"):
        shutil.copy(path, tmp_path)
    return tmp_path


@pytest.fixture
def edit(folder: Path) -> Edit:
    """Change the rows of one of the folder's files."""

    def change(name: str, work: Callable[[list[dict[str, str]]], None]) -> None:
        path = folder / f"{name}.csv"
        with path.open(newline="") as file:
            reader = csv.DictReader(file)
            columns, rows = list(reader.fieldnames or ()), list(reader)
        work(rows)
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)

    return change


def run(*args: object) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("import_catalog", *map(str, args), stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def counts() -> tuple[int, ...]:
    tables = (Accelerator, Offer, PricePoint, ServingMeasurement, Source)
    return tuple(table.objects.count() for table in tables)


def test_the_shipped_catalogue_has_no_refused_row() -> None:
    assert run()[1] == ""


def test_importing_again_changes_nothing() -> None:
    before = counts()
    out, _ = run()
    assert counts() == before
    assert all(" 0 added, 0 changed, " in line for line in out.splitlines())


def test_a_corrected_cell_is_updated_in_place(folder: Path, edit: Edit) -> None:
    def lower(rows: list[dict[str, str]]) -> None:
        next(r for r in rows if r["slug"] == "nvidia-h100-sxm")["tdp_w"] = "650"

    edit("accelerators", lower)
    before = counts()
    run(folder)
    assert counts() == before
    assert Accelerator.objects.get(slug="nvidia-h100-sxm").tdp_w == 650


def test_a_corrected_cell_is_kept_as_history(folder: Path, edit: Edit) -> None:
    def lower(rows: list[dict[str, str]]) -> None:
        next(r for r in rows if r["slug"] == "nvidia-h100-sxm")["tdp_w"] = "650"

    edit("accelerators", lower)
    run(folder)
    history = Accelerator.objects.get(slug="nvidia-h100-sxm").history.order_by("history_date")
    assert [row.tdp_w for row in history] == [700, 650]


def test_a_refused_row_is_named_with_file_line_and_reason(
    folder: Path, edit: Edit, capsys: pytest.CaptureFixture[str]
) -> None:
    edit("accelerators", lambda rows: rows[2].update(memory_gib="much"))
    err = StringIO()
    with pytest.raises(CommandError, match="refused"):
        call_command("import_catalog", str(folder), stdout=StringIO(), stderr=err)
    assert err.getvalue() == "accelerators.csv, line 4: memory_gib: “much” is not a number\n"


def test_a_refused_row_leaves_the_others_taken(folder: Path, edit: Edit) -> None:
    def spoil(rows: list[dict[str, str]]) -> None:
        rows[2]["memory_gib"] = "much"
        next(r for r in rows if r["slug"] == "nvidia-h100-sxm")["tdp_w"] = "650"

    edit("accelerators", spoil)
    with pytest.raises(CommandError):
        run(folder)
    assert Accelerator.objects.get(slug="nvidia-h100-sxm").tdp_w == 650


# A row of its own for each wrong cell, by number.
WRONG = (
    ("systems", 0, "accelerator", "nvidia-h900", "there is no accelerator “nvidia-h900”"),
    ("systems", 1, "vendor", "Nobody", "there is no vendor “Nobody”"),
    ("offers", 0, "region", "aws/moon-1", "there is no region “aws/moon-1”"),
    ("offers", 1, "usd_per_h", "", "a price is missing"),
    ("offers", 2, "observed_last", "2020-01-01", "observed_first"),
    ("offers", 3, "purchase", "stolen", "“stolen” is none of"),
    ("regions", 0, "latitude", "91", "latitude 91 is not from -90 to 90"),
    ("models", 0, "full_attention_fraction", "1.5", "is not from 0 to 1"),
    ("accelerators", 0, "usable_memory_gib", "9999", "is above memory_gib"),
    ("accelerators", 1, "name", "N" * 500, "at most 200 characters"),
    ("measurements_training", 0, "mfu", "1.2", "mfu 1.2 is not from 0 to 1"),
)


def test_each_kind_of_wrong_cell_says_what_is_wrong_and_nothing_else_is_refused(
    folder: Path, edit: Edit
) -> None:
    for name, row, column, value, _ in WRONG:
        edit(name, lambda rows, row=row, cell={column: value}: rows[row].update(cell))  # type: ignore[misc]
    err = StringIO()
    with pytest.raises(CommandError, match=f"{len(WRONG)} rows were refused"):
        call_command("import_catalog", str(folder), stdout=StringIO(), stderr=err)

    said = dict(line.split(": ", 1) for line in err.getvalue().splitlines())
    reasons = {f"{name}.csv, line {row + 2}": reason for name, row, *_, reason in WRONG}
    assert set(said) == set(reasons)
    assert [where for where, reason in reasons.items() if reason not in said[where]] == []


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda text: text[: len(text) // 2], "cut off"),
        (lambda text: text.replace("memory_gib", "memory", 1), "the header lacks memory_gib"),
        (lambda _: "", "the file is empty"),
    ],
)
def test_a_file_that_is_no_table_changes_nothing(
    folder: Path, spoil: Callable[[str], str], message: str
) -> None:
    path = folder / "accelerators.csv"
    path.write_text(spoil(path.read_text()))
    (folder / "vendors.csv").write_text(
        (folder / "vendors.csv").read_text().replace("Graphcore", "Graphkern")
    )
    before = counts()
    with pytest.raises(CommandError, match=message):
        run(folder)
    assert counts() == before
    assert not Accelerator.objects.filter(vendor__name="Graphkern").exists()


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "offers.csv").unlink()
    with pytest.raises(CommandError, match=r"offers\.csv: there is no such file"):
        run(folder)


def test_a_folder_that_is_not_there_is_named() -> None:
    with pytest.raises(CommandError, match="is no folder"):
        run("/nowhere/at/all")


def test_a_dry_run_changes_nothing(folder: Path, edit: Edit) -> None:
    edit("accelerators", lambda rows: rows[0].update(tdp_w="1"))
    before = set(Accelerator.objects.values_list("slug", "tdp_w"))
    out, _ = run(folder, "--dry-run")
    assert "Dry run: nothing was changed." in out
    assert set(Accelerator.objects.values_list("slug", "tdp_w")) == before


def test_a_changed_price_is_appended(folder: Path, edit: Edit) -> None:
    edit("offers", lambda rows: rows[0].update(usd_per_h="12.5"))
    before = PricePoint.objects.count()
    run(folder)
    assert PricePoint.objects.count() == before + 1
