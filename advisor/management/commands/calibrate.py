"""The command-line face of recalibration: refit, report, and write the new parameters."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from advisor.services.recalibration import SUBJECTS, recalibrate, store
from advisor.services.setup import ensure_ready
from advisor.services.waiting import correct_waiting


class Command(BaseCommand):
    help = "Refit the performance models to the stored measurements and report their errors."
    requires_system_checks: list[str] = []  # noqa: RUF012 -- Django's own name

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--only", choices=SUBJECTS, action="append", help="default: all")
        parser.add_argument(
            "--folds", type=int, default=0, help="whole refits for the report; 0: linear, fast"
        )
        parser.add_argument(
            "--waiting",
            action="store_true",
            help="instead, correct the closed form of waiting by simulations anew",
        )
        parser.add_argument("--dry-run", action="store_true", help="report, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_ready()
        if options["waiting"]:
            self.stdout.write(f"written: {correct_waiting(tell=self.stderr.write).name}")
            return
        made = recalibrate(
            subjects=tuple(options["only"] or SUBJECTS),
            folds=options["folds"],
            tell=self.stderr.write,
        )
        for subject, lines in made.errors.items():
            self.stdout.write(f"{subject}, out of group:")
            for line in lines:
                self.stdout.write(_sentence(line))
        if options["dry_run"]:
            self.stdout.write("nothing written")
        else:
            self.stdout.write(f"calibration {store(made)}")


def _sentence(line: dict[str, Any]) -> str:
    head = f"  {line['target']:<30} {line['rows']:<24} n {line['n']:>5}"
    if "share" in line:
        return f"{head}  right {line['share']:.1%}"
    return f"{head}  median {line['median_ape']:.1%}  p90 {line['p90_ape']:.1%}"
