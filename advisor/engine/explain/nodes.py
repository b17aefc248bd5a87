"""One value of a computation, with what it was made from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

VAGUE = frozenset(
    {"total_s", "value", "total", "one", "other", "first", "second", "full", "found", "middle",
     "work", "read", "tried", "needed", "each", "low", "high", "figure"}
)  # fmt: skip
"""Names that say nothing outside their function; a later name replaces them."""


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """A value and its derivation: an operation on other values, or nothing where it was given.

    Records and dictionaries keep their parts in `fields`, tuples and lists in `items`, so that
    what is taken out of them is still known by how it was made.
    """

    value: Any
    operation: str = ""  # an operator or a function's name; "" for what was given
    inputs: tuple["Node", ...] = ()
    symbol: str = ""  # the name it was first given in the code
    origin: Callable[..., Any] | None = None  # the function in which it was computed
    made_by: Callable[..., Any] | None = None  # a function that ran as a whole
    where: str = ""  # of what was given: the constant, or the kind of record it stands in
    fields: dict[str, "Node"] = field(default_factory=dict)
    items: tuple["Node", ...] | None = None
    source: "Node | None" = None  # the node of which this is another view

    @property
    def root(self) -> "Node":
        """The node that this one is a view of; itself where it is none."""
        node = self
        while node.source is not None:
            node = node.source
        return node


def scalar(value: Any) -> float | None:
    """The one number in a value; None where it holds none or several."""
    if isinstance(value, bool | int | float | np.number | np.bool_):
        return float(value)
    if isinstance(value, np.ndarray) and value.size == 1 and value.dtype.kind in "biuf":
        return float(value.ravel()[0])
    return None


def given(value: Any, symbol: str = "", *, where: str = "") -> Node:
    """A value that was not computed here."""
    return Node(value=value, symbol=symbol, where=where)


def view(node: Node, value: Any) -> Node:
    """The same quantity in another shape or type."""
    return Node(
        value=value,
        operation=node.operation,
        inputs=node.inputs,
        symbol=node.symbol,
        origin=node.origin,
        made_by=node.made_by,
        where=node.where,
        fields=node.fields,
        items=node.items,
        source=node,
    )


def same_number(one: Any, other: Any) -> bool:
    """Whether two values hold one and the same number."""
    first, second = scalar(one), scalar(other)
    return first is not None and (first == second or (first != first and second != second))


def named(node: Node, symbol: str) -> Node:
    """A node under the name it is bound to; the first name that says something stays."""
    name = symbol.strip("_")
    if name and (not node.root.symbol or node.root.symbol in VAGUE):
        node.root.symbol = name
    return node
