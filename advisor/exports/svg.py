"""Small charts as SVG of our own: a bar for each amount, a range around each."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from advisor.exports.text import one_line

_WIDTH, _ROW, _LABEL, _VALUE = 640, 26, 250, 96
_MOST_LABEL = 38
PLAIN, STRONG = "#9db4c0", "#1f6f8b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One amount with its range, as text and as numbers."""

    label: str
    value: float
    low: float
    high: float
    text: str
    strong: bool = False


def bars(rows: Sequence[Bar], *, title: str) -> str:
    """A chart of horizontal bars with their ranges, drawn by attributes alone."""
    height = _ROW * len(rows) + 8
    most = max((row.high for row in rows), default=1.0) or 1.0
    room = _WIDTH - _LABEL - _VALUE
    parts = [
        f'<svg class="bars" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'font-size="12" aria-label="{escape(one_line(title), quote=True)}">'
    ]
    for number, row in enumerate(rows):
        top = number * _ROW + 4
        middle = top + _ROW / 2
        length, low, high = (max(x, 0.0) / most * room for x in (row.value, row.low, row.high))
        colour = STRONG if row.strong else PLAIN
        label = escape(one_line(row.label, most=_MOST_LABEL))
        parts.append(f'<text class="name" x="0" y="{middle + 4:.1f}">{label}</text>')
        parts.append(
            f'<rect x="{_LABEL}" y="{top + 4}" width="{max(length, 1):.1f}" '
            f'height="{_ROW - 10}" fill="{colour}"></rect>'
        )
        if high > low:
            parts.append(
                f'<line class="range" x1="{_LABEL + low:.1f}" x2="{_LABEL + high:.1f}" '
                f'y1="{middle - 1:.1f}" y2="{middle - 1:.1f}" stroke="#222" '
                'stroke-width="1.5"></line>'
            )
        parts.append(
            f'<text class="amount" x="{_WIDTH}" y="{middle + 4:.1f}" text-anchor="end">'
            f"{escape(row.text)}</text>"
        )
    return "".join([*parts, "</svg>"])
