"""The command-line face of exports: a run's file in any format that its plan can be had in."""

import shutil
import sys
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandParser

from advisor.exports.refusal import CannotExport
from advisor.exports.registry import BY_ID, File, file_of, menu_of
from advisor.exports.subject import NoSuchPlan, Subject, subject_of
from advisor.models import Job, Kind
from advisor.services.setup import ensure_ready

INVALID = 2


class Command(BaseCommand):
    help = "Write an answered run, or one of its plans, as a file."
    requires_system_checks: list[str] = []  # noqa: RUF012 -- Django's own name

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("run", help="id of the run, as its address shows it")
        wanted = parser.add_mutually_exclusive_group(required=True)
        wanted.add_argument("--format", choices=list(BY_ID))
        wanted.add_argument("--list", action="store_true", help="say which formats there are")
        parser.add_argument("--plan", default="", help="id of a plan; the recommended one if left")
        parser.add_argument("--output", help="write here instead of standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_ready()
        subject = self._subject(options["run"], options["plan"])
        if options["list"]:
            for each, reason in menu_of(subject):
                self.stdout.write(f"{each.id:<12} {f'no: {reason}' if reason else each.purpose}")
            return
        try:
            file = file_of(subject, options["format"])
        except CannotExport as reason:
            self._refuse(str(reason))
        self._send(file, options["output"])

    def _subject(self, run_id: str, plan_id: str) -> Subject:
        try:
            run = Job.objects.get(pk=UUID(run_id), kind=Kind.RUN)
        except ValueError:
            self._refuse(f"{run_id!r} is no id of a run: it has 32 hexadecimal digits")
        except Job.DoesNotExist:
            self._refuse(f"there is no run {run_id}")
        if not run.result:
            self._refuse(f"the run is {run.state}; only a succeeded run can be exported")
        try:
            return subject_of(run, plan_id)
        except NoSuchPlan as unknown:
            self._refuse(str(unknown))
        raise AssertionError  # _refuse has left

    def _send(self, file: File, output: str | None) -> None:
        with file.stream as stream:
            if output is None:
                shutil.copyfileobj(stream, sys.stdout.buffer)
                return
            try:
                with Path(output).open("wb") as target:
                    shutil.copyfileobj(stream, target)
            except OSError as error:
                self._refuse(f"cannot write {output}: {error.strerror}")

    def _refuse(self, message: str) -> None:
        self.stderr.write(message)
        raise SystemExit(INVALID)
