"""What the bench command times of files: a long answer as CSV and as a workbook."""

import tracemalloc
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

from advisor.exports.formats import Format
from advisor.exports.registry import format_of
from advisor.exports.subject import Subject
from advisor.management.benchmarks import seconds_of
from advisor.services.advice import Worked, document_of, worked_from

_PRESET = "chatbot_1m"


class _Repeated(Sequence[Mapping[str, Any]]):
    """The plans of an answer over and over, without the memory of a long list."""

    def __init__(self, plans: Sequence[Mapping[str, Any]], count: int) -> None:
        self._plans, self._count = plans, count

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        return self._plans[index % len(self._plans)]

    def __iter__(self) -> Iterator[Mapping[str, Any]]:
        return islice(cycle(self._plans), self._count)


@cache
def _answered() -> tuple[Worked, dict[str, Any]]:
    done = worked_from({"preset": _PRESET})
    return done, document_of(done)


def subject_with(plans: int) -> Subject:
    """A preset's answer with so many plans."""
    done, document = _answered()
    long = document | {"plans": _Repeated(document["plans"], plans)}
    return Subject(
        run_id="bench",
        document=long,
        plan=document["recommendation"],
        answered_at=None,
        reopen=lambda: done,
    )


def export_figures(plans: int) -> dict[str, Any]:
    """Seconds for a run with so many plans in each of the two formats that hold all of them."""
    subject = subject_with(plans)
    found: dict[str, Any] = {}
    for name in ("csv", "xlsx"):
        found[f"export_{name}_s"] = _seconds(subject, format_of(name))
    return found


def export_growth(sizes: Sequence[int]) -> dict[str, list[Any]]:
    """How time and memory grow with the plans: rows of [plans, seconds, peak MB]."""
    found: dict[str, list[Any]] = {}
    for name in ("csv", "xlsx"):
        rows = []
        for size in sizes:
            subject, wanted = subject_with(size), format_of(name)
            seconds = _seconds(subject, wanted)
            tracemalloc.start()
            _seconds(subject, wanted)
            peak_mb = tracemalloc.get_traced_memory()[1] / 1e6
            tracemalloc.stop()
            rows.append([size, seconds, peak_mb])
        found[f"export_{name}_growth"] = rows
    return found


def _seconds(subject: Subject, wanted: Format) -> float:
    with TemporaryDirectory() as folder, (Path(folder) / "file").open("w+b") as stream:
        return seconds_of(lambda: _written(wanted, subject, stream))


def _written(wanted: Format, subject: Subject, stream: IO[bytes]) -> None:
    wanted.write(subject, stream)
