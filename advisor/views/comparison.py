"""Pinned plans side by side, attribute by attribute."""

from collections.abc import Sequence
from dataclasses import dataclass

from advisor.templatetags.quantities import words
from advisor.views.documents import Document
from advisor.views.tradeoffs import Cell, Choice, cell_of, columns_of, scale_for

MOST_PINNED = 4
FACTS = (
    ("family", "Family"),
    ("accelerator", "Accelerator"),
    ("accelerator_count", "Accelerators"),
    ("system", "System"),
    ("provider", "Provider"),
    ("region", "Region"),
    ("purchase", "Bought how"),
    ("precision", "Number format"),
    ("engine", "Software"),
    ("quality_gate", "Accuracy check"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One attribute of the pinned plans."""

    label: str
    unit: str
    cells: tuple[Cell, ...]
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Up to four plans side by side."""

    plans: tuple[Document, ...]
    lines: tuple[Line, ...]
    hidden: int
    toggle_link: str
    clear_link: str


def comparison(plans: Sequence[Document], choice: Choice) -> Comparison | None:
    """The pinned plans' attributes; None where nothing is pinned."""
    found = {str(plan["id"]): plan for plan in plans}
    pinned = [found[plan_id] for plan_id in choice.compare if plan_id in found][:MOST_PINNED]
    if not pinned:
        return None
    lines = [_fact_line(pinned, key, label) for key, label in FACTS]
    lines += [_figure_line(pinned, key, label) for key, label in columns_of(pinned).items()]
    shown = [line for line in lines if line.differs or not choice.differences]
    return Comparison(
        plans=tuple(pinned),
        lines=tuple(shown),
        hidden=len(lines) - len(shown),
        toggle_link=choice.link(differences="" if choice.differences else "1"),
        clear_link=choice.link(compare=""),
    )


def _fact_line(plans: Sequence[Document], key: str, label: str) -> Line:
    texts = [words(plan.get(key) or "") for plan in plans]
    cells = tuple(
        Cell(text=text, low="", high="", evidence="", missing="" if text else "none")
        for text in texts
    )
    return Line(label=label, unit="", cells=cells, differs=len(set(texts)) > 1)


def _figure_line(plans: Sequence[Document], key: str, label: str) -> Line:
    scale = scale_for(plans, key)
    cells = tuple(cell_of(plan, key, scale) for plan in plans)
    return Line(
        label=label, unit=scale.unit, cells=cells, differs=len({cell.text for cell in cells}) > 1
    )
