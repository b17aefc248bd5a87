"""The command-line face of the evidence: cross-validate anew and write what the page reads."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from advisor.engine.evidence.scores import SPLITS
from advisor.services.evidence import FOLDS, summary, write_evidence
from advisor.services.evidence import gather_stored as gather
from advisor.services.setup import ensure_ready
from advisor.services.simulated_evidence import simulated_errors, write_simulated


class Command(BaseCommand):
    help = "Predict every measurement by fits that left its group out, for the evidence page."
    requires_system_checks: list[str] = []  # noqa: RUF012 -- Django's own name

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--folds", type=int, default=FOLDS, help="whole refits, each split")
        parser.add_argument(
            "--simulate",
            action="store_true",
            help="instead, the errors of simulated benchmarks by fits that left the group out",
        )
        parser.add_argument("--dry-run", action="store_true", help="report, write nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_ready()
        if options["simulate"]:
            lines = simulated_errors(folds=options["folds"], report=self.stderr.write)
            for line in lines:
                self.stdout.write(
                    f"  {line.load:<20} {line.figure:<12} n {line.rows:>5}"
                    f"  simulated {line.simulated:.1%}  closed form {line.closed_form:.1%}"
                )
            if not options["dry_run"]:
                self.stdout.write(f"written: {write_simulated(lines).name}")
            return
        points = gather(folds=options["folds"], report=self.stderr.write)
        for split, words in SPLITS.items():
            self.stdout.write(f"left out: {words}")
            for label, found in summary(points, split):
                self.stdout.write(
                    f"  {label:<44} n {found.n:>5}  median {found.median_error:.1%}"
                    f"  p90 {found.p90_error:.1%}  in range {found.coverage:.1%}"
                )
        if not options["dry_run"]:
            for path in write_evidence(points):
                self.stdout.write(f"written: {path.name}")
