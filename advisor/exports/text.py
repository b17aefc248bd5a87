"""Text and archives as files carry them: safe on a line, in a name, in a shell."""

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO

STARTING_POINT = "A starting point made from the plan's own numbers: test it before you rely on it."
ZIP = "application/zip"
_SCRIPTS = Path(__file__).resolve().parents[2] / "templates" / "exports"
MOST_TEXT = 200
_ZIP_DAY = (1980, 1, 1, 0, 0, 0)  # the same plan gives the same bytes
_RUNNABLE, _READABLE = 0o755 << 16, 0o644 << 16
# Marks that turn the direction of the text after them, and characters that are not shown.
_HIDDEN = re.compile(
    "[\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
)


def visible(text: object) -> str:
    """Text without marks that hide or turn other text."""
    return _HIDDEN.sub("", str(text))


def one_line(text: object, *, most: int = MOST_TEXT) -> str:
    """Text that stays on its line and within its length: for comments, titles and labels."""
    flat = " ".join(visible(text).split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def counted(number: int, noun: str) -> str:
    """A number of things, in words: "1 machine", "3 machines"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def comment(*lines: object, sign: str = "#") -> str:
    """Lines of comment for a script or configuration file."""
    return "".join(f"{sign} {one_line(line, most=400)}".rstrip() + "\n" for line in lines)


def script(name: str, /, **values: object) -> str:
    """A program of templates/exports with its @NAMES@ filled in."""
    text = (_SCRIPTS / f"{name}.py.txt").read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key.upper()}@", str(value))
    return text


def slug_of(text: object, *, most: int = 40) -> str:
    """A name of small letters, digits and dashes, safe as file, DNS label and shell word."""
    return re.sub(r"[^a-z0-9]+", "-", str(text).lower())[:most].strip("-") or "plan"


def write_text(stream: IO[bytes], text: str) -> None:
    """Text as UTF-8."""
    stream.write(text.encode("utf-8"))


def write_zip(stream: IO[bytes], files: Mapping[str, str], *, folder: str) -> None:
    """Files in one folder of a zip; scripts may be run."""
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            info = zipfile.ZipInfo(f"{folder}/{name}", date_time=_ZIP_DAY)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = _RUNNABLE if name.endswith(".sh") else _READABLE
            archive.writestr(info, text)


def files_in(content: bytes) -> dict[str, str]:
    """The files of a zip by their path."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
