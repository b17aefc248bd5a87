"""The whole answer as JSON: what programs read."""

import json
from collections.abc import Mapping
from typing import Any

from advisor.exports.formats import Format
from advisor.exports.text import write_text


def as_json(document: Mapping[str, Any]) -> str:
    """The result document, indented; never a number that JSON does not know."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


JSON = Format(
    id="json",
    label="JSON",
    audience="Data",
    purpose="Every plan and figure with range, unit, evidence and source, for programs of yours.",
    suffix=".json",
    content_type="application/json",
    write=lambda subject, stream: write_text(stream, as_json(subject.document)),
    of_plan=False,
)
