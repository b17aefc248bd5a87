"""What a file format is to this application."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from advisor.exports.refusal import CannotExport
from advisor.exports.subject import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """One kind of file: for whom, what it is, when it can be had, and how it is written."""

    id: str
    label: str
    audience: str  # heading of the menu it stands under
    purpose: str  # one sentence: what to do with it
    suffix: str
    content_type: str
    write: Callable[[Subject, IO[bytes]], None]
    check: Callable[[Subject], None] = lambda _: None  # raises CannotExport
    of_plan: bool = True  # made of one plan; False: of the whole answer
    page: str = ""  # name of the address of a page that shows the same

    def refusal(self, subject: Subject) -> str:
        """Why the plan cannot be had in this format; empty where it can."""
        try:
            self.check(subject)
        except CannotExport as reason:
            return str(reason)
        return ""
