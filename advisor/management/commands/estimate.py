"""The command-line face of estimates: configurations in a CSV file, predictions out."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from advisor.services.estimates import (
    KINDS,
    BadCases,
    as_csv,
    decoded,
    estimate,
    read_cases,
)
from advisor.services.setup import ensure_ready

INVALID = 2
MOST_BYTES = 200_000_000


class Command(BaseCommand):
    help = "Predict the performance of the configurations in a CSV file, a row each."
    requires_system_checks: list[str] = []  # noqa: RUF012 -- Django's own name

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("cases", help="a CSV file with a header, or - for standard input")
        parser.add_argument("--kind", choices=KINDS, required=True)
        parser.add_argument("--output", help="write here instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        name, kind = options["cases"], options["kind"]
        try:
            rows = read_cases(self._text(name))
        except BadCases as bad:
            self._refuse(f"{name}: {bad}")
        ensure_ready()
        answers = estimate(rows, kind=kind)
        unanswered = [a for a in answers if a["problem"]]
        self._write(options["output"], as_csv(answers, kind=kind))
        if unanswered:
            self.stderr.write(
                f"{len(unanswered)} of {len(answers)} cases have no estimate; "
                f"the first: {unanswered[0]['problem']}"
            )

    def _text(self, name: str) -> str:
        try:
            if name == "-":
                return decoded(sys.stdin.buffer.read())
            path = Path(name)
            if path.stat().st_size > MOST_BYTES:
                self._refuse(f"{name} is larger than {MOST_BYTES // 10**6} MB: split it")
            return decoded(path.read_bytes())
        except OSError as error:
            self._refuse(f"cannot read {name}: {error.strerror}")
        return ""

    def _write(self, output: str | None, text: str) -> None:
        if output is None:
            self.stdout.write(text, ending="")
            return
        try:
            Path(output).write_text(text, encoding="utf-8")
        except OSError as error:
            self._refuse(f"cannot write {output}: {error.strerror}")

    def _refuse(self, message: str) -> None:
        self.stderr.write(message)
        raise SystemExit(INVALID)
