"""A log of requests as answers keep it: packed small, with the hash of what it says."""

import base64
import binascii
import zlib
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256

from advisor.engine.errors import EngineRefusal
from advisor.engine.latency.traces import LARGEST_BYTES, read_trace
from advisor.engine.latency.traffic import Trace

KeptLog = Mapping[str, str | float]
LONGEST_NAME = 80
_HEADER = "arrival_offset_s,prompt_tokens,output_tokens"


class DamagedLog(EngineRefusal):
    """A kept log that is not what its hash says."""


@lru_cache(maxsize=4)
def kept_log(text: str, name: str) -> KeptLog:
    """A log as plain values: every request of it, none of its other columns; raises BadTrace.

    `content` is the log as plain CSV, compressed with zlib, in base64; `sha256` is of that CSV.
    Arrivals are rounded to 10 microseconds.

    Source: formats as in `read_trace`.
    """
    trace = read_trace(text)
    columns = (trace.arrival_s, trace.prompt_tokens, trace.output_tokens)
    rows = zip(*(column.tolist() for column in columns), strict=True)
    plain = "\n".join([_HEADER, *(f"{at:.5f},{prompt},{output}" for at, prompt, output in rows)])
    return {
        "name": name.strip()[:LONGEST_NAME] or "log",
        "requests": float(len(trace)),
        "requests_per_s": trace.requests_per_s,
        "duration_s": trace.duration_s,
        "sha256": sha256(plain.encode()).hexdigest(),
        "content": base64.b64encode(zlib.compress(plain.encode(), 9)).decode(),
    }


def trace_of_log(kept: KeptLog) -> Trace:
    """The requests of a kept log; raises DamagedLog where its hash says otherwise."""
    return _unpacked(str(kept["content"]), str(kept["sha256"]))


@lru_cache(maxsize=16)
def _unpacked(content: str, digest: str) -> Trace:
    unpacker = zlib.decompressobj()
    try:
        plain = unpacker.decompress(base64.b64decode(content, validate=True), LARGEST_BYTES)
    except (binascii.Error, zlib.error) as error:
        message = "its content is no zlib data in base64"
        raise DamagedLog(message) from error
    if unpacker.unconsumed_tail or not unpacker.eof:
        message = f"its content ends early or holds more than {LARGEST_BYTES / 1e6:.0f} MB"
        raise DamagedLog(message)
    found = sha256(plain).hexdigest()
    if found != digest:
        message = f"its content has the SHA-256 {found[:12]}…, not {digest[:12]}…"
        raise DamagedLog(message)
    return read_trace(plain.decode("utf-8", "replace"))
