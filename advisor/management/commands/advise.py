"""The command-line face of advice: answers in a file, a recommendation out."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from advisor.engine.answers import InvalidAnswers
from advisor.exports.as_json import as_json
from advisor.exports.as_markdown import as_markdown
from advisor.exports.as_table import as_table
from advisor.services.advice import advise
from advisor.services.private import frozen, private_of
from advisor.services.setup import ensure_ready
from costing.models import DEFAULT_ORGANISATION

FORMATS = {"json": as_json, "table": as_table, "md": as_markdown}
INVALID = 2
BYTE_ORDER_MARK = "\ufeff"  # some editors put it before the text


class Command(BaseCommand):
    help = "Recommend hardware for the answers in a JSON file."
    requires_system_checks: list[str] = []  # noqa: RUF012 -- Django's own name

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("answers", help='{"preset": …, "answers": {…}}, or - for stdin')
        parser.add_argument("--format", choices=sorted(FORMATS), default="table")
        parser.add_argument("--output", help="write here instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        raw = self._read(options["answers"])
        ensure_ready()
        try:
            document = advise(raw, private=frozen(private_of(DEFAULT_ORGANISATION)))
        except InvalidAnswers as invalid:
            for problem in invalid.problems:
                self.stderr.write(f"{problem.pointer}: {problem.message}")
            raise SystemExit(INVALID) from invalid
        text = FORMATS[options["format"]](document)
        if options["output"]:
            self._write(options["output"], text)
        else:
            self.stdout.write(text, ending="")

    def _read(self, name: str) -> dict[str, Any]:
        try:
            text = self._stdin() if name == "-" else Path(name).read_text(encoding="utf-8")
            raw = json.loads(text.removeprefix(BYTE_ORDER_MARK))
        except OSError as error:
            self._refuse(f"cannot read {name}: {error.strerror}")
        except UnicodeDecodeError:
            self._refuse(f"{name} is not UTF-8 text")
        except json.JSONDecodeError as error:
            self._refuse(f"{name} is not JSON: {error.msg} in line {error.lineno}")
        except RecursionError:
            self._refuse(f"{name} is nested too deeply to be answers")
        except ValueError:  # Python reads no integer of more than 4,300 digits
            self._refuse(f"{name} holds a number of too many digits")
        if not isinstance(raw, dict):
            self._refuse(f'{name} must hold an object: {{"preset": …, "answers": {{…}}}}')
        return dict(raw)

    def _stdin(self) -> str:
        import sys

        return sys.stdin.read()

    def _write(self, name: str, text: str) -> None:
        try:
            Path(name).write_text(text, encoding="utf-8")
        except OSError as error:
            self._refuse(f"cannot write {name}: {error.strerror}")

    def _refuse(self, message: str) -> None:
        self.stderr.write(message)
        raise SystemExit(INVALID)
