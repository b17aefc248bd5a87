"""manage.py import_prices: load price feeds, each change a new price point."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.engine.tables import BadTable, Refusal
from catalog.services import FORMATS, import_prices, read_price_file


def line_ranges(lines: Iterable[int]) -> str:
    """Line numbers in short: 3-5, 9."""
    ranges: list[list[int]] = []
    for line in sorted(set(lines)):
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges)


def refusals_by_reason(refused: Sequence[Refusal]) -> list[str]:
    """One text for each file and reason, with all its line numbers."""
    groups: dict[tuple[str, str], list[int]] = {}
    for refusal in refused:
        groups.setdefault((refusal.file, refusal.reason), []).append(refusal.line)
    return [
        f"{file}, line{'s' if len(set(lines)) > 1 else ''} {line_ranges(lines)}: {reason}"
        for (file, reason), lines in groups.items()
    ]


class Command(BaseCommand):
    """Append a feed's prices; name what was refused with line numbers and reasons."""

    help = "Load price feeds; a changed price is a new price point, nothing is overwritten."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
        parser.add_argument("--format", choices=FORMATS, required=True)
        parser.add_argument("--dry-run", action="store_true", help="report, but change nothing")
        parser.add_argument("--provider", default="", help="seller, where no name tells it")
        parser.add_argument(
            "--observed-on",
            type=date.fromisoformat,
            help="day the feed was read, by default today",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        try:
            report = import_prices(
                [read_price_file(path) for path in options["files"]],
                form=options["format"],
                provider=options["provider"],
                observed_on=options["observed_on"],
                dry_run=options["dry_run"],
            )
        except BadTable as problem:
            message = f"{problem}. Nothing was imported."
            raise CommandError(message) from None
        for text in refusals_by_reason(report.refused):
            self.stdout.write(f"refused: {text}")
        self.stdout.write(
            f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, "
            f"{len(report.refused)} refused, {report.skipped} rows without accelerator skipped"
        )
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
