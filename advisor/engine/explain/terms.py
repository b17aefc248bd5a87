"""A derivation as a tree of terms: each with its value, unit, formula and what it rests on."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import getdoc
from typing import Any

import numpy as np

from advisor.engine.explain.nodes import Node, scalar
from advisor.engine.explain.operations import EVALUATED
from advisor.engine.explain.words import label_of, origin_words, unit_of

_BINDING_STRENGTH: Mapping[str, int] = {
    "<": 3, "<=": 3, ">": 3, ">=": 3, "==": 3, "!=": 3,
    "+": 5, "-": 5, "*": 6, "/": 6, "//": 6, "%": 6, "neg": 7, "**": 8,
}  # fmt: skip
_ATOM = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a given value rests on: its evidence class, and words that say from where."""

    evidence: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One value of the tree. `formula` is made of the symbols of its children, and of numbers.

    A term that stands elsewhere in the tree already has no children here; `repeats` says so.
    Where `formula` is empty the value was given, or came from `method` as a whole.
    """

    id: str
    name: str
    symbol: str
    value: float
    unit: str
    formula: str
    children: tuple["Term", ...]
    evidence: str
    source: str
    method: str = ""
    repeats: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The tree as JSON carries it."""
        return {
            "id": self.id,
            "name": self.name,
            "symbol": self.symbol,
            "value": self.value if np.isfinite(self.value) else None,
            "unit": self.unit,
            "formula": self.formula,
            "method": self.method,
            "evidence": self.evidence,
            "source": self.source,
            "repeats": self.repeats,
            "children": [child.as_dict() for child in self.children],
        }


Bases = Callable[[Node], Basis]


def worked_out(term: Term) -> float:
    """A term's value once more, from its formula and its children's values.

    Source: the formula that the term shows.
    """
    names: dict[str, Any] = {child.symbol: np.float64(child.value) for child in term.children}
    with np.errstate(all="ignore"):
        return float(eval(term.formula, {"__builtins__": {}, **EVALUATED}, names))  # noqa: S307


class Tree:
    """Terms of one derivation; a node met again is not unfolded a second time."""

    def __init__(self, basis_of: Bases, *, subject: str = "") -> None:
        self._basis_of, self._subject = basis_of, subject
        self._ids: dict[int, str] = {}
        self._kept: list[Node] = []  # their identities are keys, so they must live

    def term(self, node: Node, symbol: str, *, unit: str = "") -> Term:
        """A node as a term under a symbol, with everything it was made from."""
        return self._term(node.root, symbol, name=label_of(symbol, self._subject), unit=unit)

    def _term(self, root: Node, symbol: str, *, name: str = "", unit: str = "") -> Term:
        value = scalar(root.value)
        if value is None:
            message = f"{symbol} is no single number"
            raise ValueError(message)
        repeats = id(root) in self._ids
        identity = self._ids.setdefault(id(root), f"t{len(self._ids) + 1}")
        self._kept.append(root)
        formula, method = "", ""
        children: dict[str, Node] = {}
        if not repeats:
            formula, children, method = self._parts(root, value)
        is_made = root.operation and root.made_by is None
        basis = Basis(evidence="", source=_documented(root)) if is_made else self._basis_of(root)
        return Term(
            id=identity,
            name=name or label_of(root.symbol or symbol, self._subject),
            symbol=symbol,
            value=value,
            unit=unit or unit_of(root.symbol or symbol),
            formula=formula,
            children=tuple(self._term(each, called) for called, each in children.items()),
            evidence=basis.evidence,
            source=basis.source,
            method=method,
            repeats=repeats,
        )

    def _parts(self, root: Node, value: float) -> tuple[str, dict[str, Node], str]:
        if not root.operation or (value == 0.0 and root.operation in ("*", "max", "min")):
            return "", {}, ""
        children: dict[str, Node] = {}
        if not _is_open(root):
            inputs = [each.root for each in root.inputs if scalar(each.value) is not None]
            for each in inputs:
                _symbol_for(each, children)
            return "", children, (root.made_by.__name__ if root.made_by else root.operation)
        formula = _shown(root, children)[0]
        return formula, children, ""


def _is_open(node: Node) -> bool:
    """Whether the operation is one that a formula can show, on single numbers."""
    known = node.operation in _BINDING_STRENGTH or node.operation in EVALUATED
    return known and all(scalar(each.value) is not None for each in node.inputs)


def _shown(root: Node, children: dict[str, Node]) -> tuple[str, int]:
    """A node's operation in symbols; its nameless inputs are unfolded in place."""
    parts = [_inside(each.root, children) for each in root.inputs]
    operation = root.operation
    if operation in EVALUATED:
        return f"{operation}({', '.join(text for text, _ in parts)})", _ATOM
    strength = _BINDING_STRENGTH[operation]
    if operation == "neg":
        return f"-{_wrapped(parts[0], strength)}", strength
    left, right = _wrapped(parts[0], strength), _wrapped(parts[1], strength + 1)
    return f"{left} {operation} {right}", strength


def _wrapped(part: tuple[str, int], strength: int) -> str:
    text, own = part
    return text if own >= strength else f"({text})"


def _inside(node: Node, children: dict[str, Node]) -> tuple[str, int]:
    if node.symbol or (node.operation and not _is_open(node)):
        return _symbol_for(node, children), _ATOM
    if not node.operation:
        value = scalar(node.value)
        text = repr(int(value) if value is not None and value == int(value) else value)
        return (f"({text})" if text.startswith("-") else text), _ATOM
    return _shown(node, children)


def _symbol_for(node: Node, children: dict[str, Node]) -> str:
    """The node's symbol among its siblings, numbered where two would be called alike."""
    for known, each in children.items():
        if each is node:
            return known
    plain = node.symbol or node.operation or "given"
    plain = "".join(letter if letter.isalnum() else "_" for letter in plain)
    name, number = plain, 1
    while name in children or name in EVALUATED:
        number += 1
        name = f"{plain}_{number}"
    children[name] = node
    return name


def _documented(node: Node) -> str:
    """What the docstring of the computing function gives as its source."""
    if node.origin is None:
        return ""
    text = getdoc(node.origin) or ""
    cited = " ".join(text.partition("Source:")[2].split())
    module = f"{node.origin.__module__}.{node.origin.__name__}"
    return f"{module}: {cited}" if cited else module


def usual_basis(node: Node) -> Basis:
    """The basis of a value of which nothing more is known than where it stood."""
    evidence, source = origin_words(node.where)
    return Basis(evidence=evidence, source=source)
