"""manage.py import_prices as people call it."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from catalog.engine.refusals import line_ranges
from catalog.models import PricePoint

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("catalogue")]
HEADER = "InstanceType,AcceleratorName,AcceleratorCount,Region,Price,SpotPrice\n"


def run(path: Path, *args: str, form: str = "skypilot") -> str:
    out = StringIO()
    call_command("import_prices", "--format", form, str(path), *args, stdout=out)
    return out.getvalue()


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    path = tmp_path / "aws.csv"
    path.write_text(
        HEADER
        + "p5.48xlarge,H100,8,sa-east-1,55.04,18.7\n"
        + "p2.xlarge,K80,1,us-east-1,0.9,\n"
        + "p2.8xlarge,K80,8,us-east-1,7.2,\n"
        + "m5.large,,,us-east-1,0.096,\n"
    )
    return path


def test_it_says_what_was_done_and_what_was_refused(feed: Path) -> None:
    assert run(feed).splitlines() == [
        "refused: aws.csv, lines 3-4: accelerator “K80” is not in the catalogue",
        "2 added, 0 changed, 0 unchanged, 2 refused, 1 rows without accelerator skipped",
    ]


def test_the_second_time_all_is_unchanged(feed: Path) -> None:
    run(feed)
    assert run(feed).splitlines()[-1].startswith("0 added, 0 changed, 2 unchanged, 2 refused")


def test_a_dry_run_changes_nothing(feed: Path) -> None:
    before = PricePoint.objects.count()
    assert run(feed, "--dry-run").splitlines()[-1] == "Dry run: nothing was changed."
    assert PricePoint.objects.count() == before


def test_the_day_can_be_said(feed: Path) -> None:
    run(feed, "--observed-on", "2026-10-31")
    assert PricePoint.objects.filter(observed_first="2026-10-31").count() == 2


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"aws\.csv: No such file"):
        run(tmp_path / "aws.csv")


def test_a_file_of_another_format_says_which_columns_it_lacks(feed: Path) -> None:
    with pytest.raises(CommandError, match="the header lacks instance_name"):
        run(feed, form="gpuhunt")


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "aws.csv"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CommandError, match="not UTF-8 text"):
        run(path)


def test_line_numbers_are_said_in_short() -> None:
    assert line_ranges([5, 3, 4, 9, 3]) == "3-5, 9"


def test_a_feed_of_thousands_of_rows_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "aws.csv"
    rows = (f"x{i},H100,8,us-east-{i % 4},{50 + i % 9},\n" for i in range(5_000))
    path.write_text(HEADER + "".join(rows))

    assert run(path).startswith("5000 added")
