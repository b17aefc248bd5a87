"""Why a file cannot be made of a plan."""

from advisor.exports.text import one_line


class CannotExport(Exception):
    """A format cannot say what this plan is; the message says why and what to take instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(one_line(reason, most=600))
