"""A log of requests as an answer: the ways to send one, and the one way it is kept."""

from collections.abc import Mapping

from advisor.engine.latency.kept import DamagedLog, KeptLog, kept_log, trace_of_log
from advisor.engine.latency.traces import LARGEST_BYTES, BadTrace

LOG = "trace_file"
PASTED = "pasted log"
_MOST_SHOWN = 1_000  # characters of what is wrong


class LogNotRead(ValueError):
    """A log that cannot be read, with the lines that are wrong."""


def read_log(raw: object) -> KeptLog:
    """The log in an answer: its text, `{"name", "text"}`, or as it is kept; raises LogNotRead."""
    if isinstance(raw, list | tuple) and len(raw) == 1:
        raw = raw[0]
    if isinstance(raw, str):
        return _kept(raw, PASTED)
    if not isinstance(raw, Mapping):
        message = 'send the text of a log, or {"name": "requests.csv", "text": "…"}'
        raise LogNotRead(message)
    name = str(raw.get("name") or PASTED)
    if raw.get("refused"):
        raise LogNotRead(str(raw["refused"])[:_MOST_SHOWN])
    if "text" in raw:
        return _kept(str(raw["text"]), name)
    try:
        return _again({key: str(raw[key]) for key in ("content", "sha256")}, name)
    except KeyError as error:
        message = f'the log has no {error.args[0]}; send {{"name": "requests.csv", "text": "…"}}'
        raise LogNotRead(message) from error


def packed(answers: Mapping[str, object]) -> dict[str, object]:
    """Raw answers with each log as it is kept; of one that cannot be read, the reason."""
    found = {key: _packed(value) if key == LOG else value for key, value in answers.items()}
    listed = found.get("workloads")
    if isinstance(listed, list | tuple):
        found["workloads"] = [
            packed(each) if isinstance(each, Mapping) and LOG in each else each for each in listed
        ]
    return found


def too_large(name: str) -> dict[str, str]:
    """What stands for a file that is too large to be read."""
    most = f"{LARGEST_BYTES // 1_000_000} MB"
    return {"name": name, "refused": f"the file is larger than {most}; cut it shorter"}


def _packed(raw: object) -> object:
    if raw in (None, "", [], ()):
        return raw
    try:
        return dict(read_log(raw))
    except LogNotRead as error:
        name = str(raw.get("name") or PASTED) if isinstance(raw, Mapping) else PASTED
        return {"name": name[:_MOST_SHOWN], "refused": str(error)[:_MOST_SHOWN]}


def _kept(text: str, name: str) -> KeptLog:
    try:
        return kept_log(text, name)
    except BadTrace as error:
        raise LogNotRead(str(error)) from error


def _again(kept: KeptLog, name: str) -> KeptLog:
    try:
        trace = trace_of_log(kept)
    except (DamagedLog, BadTrace) as error:
        message = f"the kept log is damaged: {error}; send the file again"
        raise LogNotRead(message) from error
    return {
        "name": name,
        "requests": float(len(trace)),
        "requests_per_s": trace.requests_per_s,
        "duration_s": trace.duration_s,
        "sha256": str(kept["sha256"]),
        "content": str(kept["content"]),
    }
