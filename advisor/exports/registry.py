"""Every file format there is: what page, API and command offer, in the order of the menu."""

from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from typing import IO

from advisor.exports.accelerate import ACCELERATE
from advisor.exports.as_csv import CSV
from advisor.exports.as_json import JSON
from advisor.exports.as_markdown import MARKDOWN
from advisor.exports.benchmark import BENCH
from advisor.exports.formats import Format
from advisor.exports.hosted_api import API
from advisor.exports.kubernetes import K8S
from advisor.exports.one_page import PDF
from advisor.exports.refusal import CannotExport
from advisor.exports.servers import SGLANG, VLLM
from advisor.exports.subject import Subject
from advisor.exports.triton import TRITON
from advisor.exports.workbook import XLSX

FORMATS: tuple[Format, ...] = (
    XLSX, PDF, MARKDOWN, VLLM, SGLANG, TRITON, K8S, ACCELERATE, BENCH, API, JSON, CSV,
)  # fmt: skip
BY_ID = {each.id: each for each in FORMATS}
_IN_MEMORY_BYTES = 5_000_000


class UnknownFormat(LookupError):
    """There is no such file format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A finished file, to be read from its beginning."""

    name: str
    content_type: str
    stream: IO[bytes]


def format_of(format_id: str) -> Format:
    """The format of that id; UnknownFormat names those there are."""
    if format_id not in BY_ID:
        message = f"no format {format_id!r}; there are {', '.join(BY_ID)}"
        raise UnknownFormat(message)
    return BY_ID[format_id]


def file_of(subject: Subject, format_id: str) -> File:
    """The file; raises UnknownFormat, or CannotExport with the reason."""
    wanted = format_of(format_id)
    wanted.check(subject)
    # The caller sends it and closes it.
    stream: IO[bytes] = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)  # noqa: SIM115
    wanted.write(subject, stream)
    stream.seek(0)
    name = f"advice-{subject.run_id[:8]}"
    if wanted.of_plan and subject.plan is not None and not subject.is_recommended:
        name += f"-{subject.plan['id']}"
    if wanted.suffix.lstrip(".") != wanted.id:
        name += f"-{wanted.id}"
    return File(name=f"{name}{wanted.suffix}", content_type=wanted.content_type, stream=stream)


def menu_of(subject: Subject) -> list[tuple[Format, str]]:
    """Every format with the reason why this plan cannot be had in it; empty where it can."""
    return [(each, each.refusal(subject)) for each in FORMATS]


__all__ = ["BY_ID", "FORMATS", "CannotExport", "File", "UnknownFormat", "file_of", "menu_of"]
