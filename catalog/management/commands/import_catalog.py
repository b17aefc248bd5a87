"""manage.py import_catalog: read a folder of CSV files into the catalogue."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.engine.tables import FIXTURES, BadTable
from catalog.services import import_catalogue


class Command(BaseCommand):
    """Update the catalogue in place; name each refused row with its file, line and reason."""

    help = "Read a folder of CSV files (by default the shipped ones) into the catalogue."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, default=FIXTURES)
        parser.add_argument("--dry-run", action="store_true", help="report, but change nothing")

    def handle(self, *_: Any, **options: Any) -> None:
        folder: Path = options["folder"]
        if not folder.is_dir():
            message = f"{folder} is no folder"
            raise CommandError(message)
        try:
            report = import_catalogue(folder, dry_run=options["dry_run"])
        except BadTable as problem:
            message = f"{problem}. Nothing was imported."
            raise CommandError(message) from None
        for name, outcome in report.tables.items():
            self.stdout.write(
                f"{name}: {outcome.added} added, {outcome.changed} changed, "
                f"{outcome.unchanged} unchanged, {len(outcome.refused)} refused"
            )
        for refusal in report.refused:
            self.stderr.write(str(refusal))
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")
        if report.refused:
            message = f"{len(report.refused)} rows were refused; all others were taken."
            raise CommandError(message)
