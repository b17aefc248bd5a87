"""What went wrong, as problem details that a page and the API can show (RFC 9457)."""

from collections.abc import Sequence
from typing import Any

from advisor.engine.answers import InvalidAnswers
from advisor.engine.errors import EngineRefusal
from advisor.engine.latency.traces import FORMATS, BadTrace, TraceProblem

Problem = dict[str, Any]
PROBLEM_PAGE = "/docs/problems"


def problem(
    kind: str, title: str, *, status: int, detail: str = "", errors: Sequence[Problem] = ()
) -> Problem:
    """Problem details whose type names a paragraph of the documentation."""
    found: Problem = {"type": f"{PROBLEM_PAGE}#{kind}", "title": title, "status": status}
    if detail:
        found["detail"] = detail
    if errors:
        found["errors"] = list(errors)
    return found


def problem_of(error: Exception) -> Problem | None:
    """The problem details of a refusal, None for an error that nobody foresaw."""
    if isinstance(error, InvalidAnswers):
        return problem(
            "invalid-answers",
            "Some answers cannot be used",
            status=422,
            detail="Correct the answers named below.",
            errors=[{"pointer": each.pointer, "detail": each.message} for each in error.problems],
        )
    if isinstance(error, BadTrace):
        return problem(
            "bad-trace",
            "The trace cannot be read",
            status=422,
            detail="Readable are " + "; ".join(FORMATS) + ".",
            errors=[
                {"pointer": f"/trace/{each.line}" if each.line else "/trace", "detail": _at(each)}
                for each in error.problems
            ],
        )
    if isinstance(error, EngineRefusal):
        return problem("refused", "What was asked cannot be", status=422, detail=str(error))
    return None


def _at(each: TraceProblem) -> str:
    return (
        f"Line {each.line}: {each.message}."
        if each.line
        else f"{each.message[:1].upper()}{each.message[1:]}."
    )


def unforeseen(reference: str) -> Problem:
    """What a user is told of a mistake of ours: a reference to the log, no inner details."""
    return problem(
        "internal",
        "The computation stopped with an error",
        status=500,
        detail=f"This is a mistake of the program, not of your answers. Reference: {reference}.",
    )


def given_up(attempts: int) -> Problem:
    """Why a job is not tried any more."""
    return problem(
        "given-up",
        "The job was given up",
        status=500,
        detail=(
            f"It was started {attempts} times, and each time its worker stopped before the end. "
            "A smaller question may help; the log of the worker says more."
        ),
    )


def overtime() -> Problem:
    """Why a job was stopped that ran on and on."""
    return problem(
        "overtime",
        "The job took too long",
        status=500,
        detail="It was stopped at the time limit of the workers. A smaller question may help.",
    )
