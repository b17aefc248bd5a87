"""Recorded requests from the files people have: Azure's and Mooncake's formats, and plain CSV."""

import csv
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from io import StringIO
from math import isfinite

import numpy as np

from advisor.engine.cases import Floats
from advisor.engine.errors import EngineRefusal
from advisor.engine.latency.traffic import Trace

LARGEST_BYTES = 20_000_000
MOST_ROWS = 200_000
MOST_TOKENS = 10_000_000  # of one request; more is a mistake of units
_MOST_SHOWN = 10
_LEAST_ROWS = 20
_COARSE_SHARE = 0.5  # of requests that share a time stamp: then the clock is coarser than they are
Row = tuple[float, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceProblem:
    """What is wrong with a line of a trace; line 0 is the file as a whole."""

    line: int
    message: str


class BadTrace(EngineRefusal):
    """A file that is no trace we can read, with what is wrong where."""

    def __init__(self, problems: list[TraceProblem]) -> None:
        super().__init__("; ".join(_told(each) for each in problems))
        self.problems = problems


def _told(each: TraceProblem) -> str:
    return f"line {each.line}: {each.message}" if each.line else each.message


FORMATS = (
    'Azure LLM 2023 (CSV with "TIMESTAMP,ContextTokens,GeneratedTokens")',
    'Mooncake (one JSON object a line with "timestamp" in ms, "input_length", "output_length")',
    'plain CSV with "arrival_offset_s,prompt_tokens,output_tokens"',
)
"""The formats read, told apart by their first line.

Source: Azure/AzurePublicDataset, data/AzureLLMInferenceTrace_*.csv; kvcache-ai/Mooncake,
FAST25-release/traces.
"""


def read_trace(text: str) -> Trace:
    """A trace from the text of a file; raises BadTrace with line numbers.

    Requests are put in the order of arrival, from zero on. Where more than half of them share
    their time stamp with another, the clock was coarser than the traffic, and they are
    spread evenly over the tick.

    Source: the formats as in FORMATS; Mooncake's stamps fall on steps of three seconds.
    """
    if len(text) > LARGEST_BYTES:
        _refuse(0, f"the file is larger than {LARGEST_BYTES / 1e6:.0f} MB; cut it shorter")
    text = text.lstrip("\ufeff \r\n")
    rows: list[Row] = []
    problems: list[TraceProblem] = []
    for line, read in _lines(text):
        if len(rows) >= MOST_ROWS:
            _refuse(line, f"more than {MOST_ROWS:,} requests; cut the file there")
        try:
            rows.append(_checked(read()))
        except (ValueError, KeyError, TypeError, IndexError) as error:
            problems.append(TraceProblem(line=line, message=_why(error)))
            if len(problems) >= _MOST_SHOWN:
                break
    if problems:
        raise BadTrace(problems)
    if len(rows) < _LEAST_ROWS:
        _refuse(0, f"{len(rows)} requests are too few to replay; at least {_LEAST_ROWS} are needed")
    return _trace(rows)


def _refuse(line: int, message: str) -> None:
    raise BadTrace([TraceProblem(line=line, message=message)])


def _why(error: Exception) -> str:
    if isinstance(error, KeyError):
        return f"there is no {error.args[0]}"
    if isinstance(error, IndexError):
        return "it has fewer columns than the first line"
    return str(error) or "it cannot be read"


def _lines(text: str) -> Iterator[tuple[int, Callable[[], Row]]]:
    """Number of each line with requests, and how to read it."""
    if text.startswith("{"):
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                yield number, lambda line=line: _mooncake(line)  # type: ignore[misc]
        return
    table = csv.reader(StringIO(text))
    header = [name.strip().lower() for name in next(table, [])]
    reader = _columns(header)
    try:
        for row in table:
            if row:
                yield table.line_num, lambda row=row: reader(row)  # type: ignore[misc]
    except csv.Error as error:
        _refuse(table.line_num, str(error))


def _columns(header: list[str]) -> Callable[[list[str]], Row]:
    if {"timestamp", "contexttokens", "generatedtokens"} <= set(header):
        at, prompt, output = (
            header.index(name) for name in ("timestamp", "contexttokens", "generatedtokens")
        )
        return lambda row: (_time(row[at]), _tokens(row[prompt]), _tokens(row[output]))
    names = ("arrival_offset_s", "prompt_tokens", "output_tokens")
    missing = [name for name in names if name not in header]
    if missing:
        _refuse(1, f"no column {', '.join(missing)}; known are " + "; ".join(FORMATS))
    at, prompt, output = (header.index(name) for name in names)
    return lambda row: (_number(row[at]), _tokens(row[prompt]), _tokens(row[output]))


def _mooncake(line: str) -> Row:
    try:
        found = json.loads(line)
    except json.JSONDecodeError as error:
        message = f"no JSON object: {error.msg}"
        raise ValueError(message) from error
    if not isinstance(found, dict):
        message = "no JSON object"
        raise TypeError(message)
    return (
        _number(found["timestamp"]) / 1e3,
        _tokens(found["input_length"]),
        _tokens(found["output_length"]),
    )


def _number(value: object) -> float:
    try:
        found = float(str(value).strip())
    except ValueError:
        message = f"{str(value)[:40]!r} is not a number"
        raise ValueError(message) from None
    if not isfinite(found):
        message = f"{str(value)[:40]!r} is not a finite number"
        raise ValueError(message)
    return found


def _tokens(value: object) -> int:
    found = _number(value)
    if found < 0.0 or found != int(found) or found > MOST_TOKENS:
        message = f"{str(value)[:40]!r} is not a count of tokens from 0 to {MOST_TOKENS:,}"
        raise ValueError(message)
    return int(found)


def _time(text: str) -> float:
    """Seconds of a time stamp; more digits than microseconds are cut."""
    whole, _, fraction = text.strip().partition(".")
    try:
        start = datetime.fromisoformat(whole)
        part = float(f"0.{fraction}") if fraction else 0.0
    except ValueError:
        message = f"{text[:40]!r} is not a time such as 2023-11-16 18:15:46.680590"
        raise ValueError(message) from None
    return (start.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds() + part  # noqa: DTZ001


def _checked(row: Row) -> Row:
    at, prompt, output = row
    if prompt + output == 0:
        message = "a request without any token"
        raise ValueError(message)
    return at, max(prompt, 1), max(output, 1)


def _trace(rows: list[Row]) -> Trace:
    at = np.array([row[0] for row in rows])
    order = np.argsort(at, kind="stable")
    at = _spread(at[order] - at[order][0])
    if at[-1] <= 0.0:
        _refuse(0, "all requests arrive at the same time; arrivals over time are needed")
    return Trace(
        arrival_s=at,
        prompt_tokens=np.array([row[1] for row in rows], dtype=np.int64)[order],
        output_tokens=np.array([row[2] for row in rows], dtype=np.int64)[order],
    )


def _spread(at: Floats) -> Floats:
    """Requests of one tick of a coarse clock, evenly over it; others as they are."""
    ticks, of, sharing = np.unique(at, return_inverse=True, return_counts=True)
    if len(ticks) < 2 or float((sharing[of] > 1).mean()) <= _COARSE_SHARE:  # noqa: PLR2004
        return at
    width = float(np.median(np.diff(ticks)))
    first = np.concatenate([[0], np.cumsum(sharing)[:-1]])
    place = (np.arange(len(at)) - first[of]) / sharing[of]
    return np.asarray(at + place * width)
