"""manage.py import_prices: load price feeds, each change a new price point."""

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.engine.refusals import refusals_by_reason
from catalog.engine.tables import BadTable
from catalog.services import FORMATS, import_prices, read_price_file


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
