"""Calls that make, change, take apart or merely reshape values whose derivation is kept."""

from collections.abc import Mapping, Sequence
from dataclasses import fields as fields_of
from dataclasses import is_dataclass, replace
from typing import Any

import numpy as np

from advisor.engine.explain.nodes import Node, given, named, same_number, scalar
from advisor.engine.explain.operations import RESHAPING, SHOWN

Names = dict[str, Node]


def shown_as(function: Any) -> str:
    """The name of a function that a formula can show; empty for any other."""
    return SHOWN.get(function, "") if _hashable(function) else ""


def kept_number(function: Any, args: Sequence[Node], value: Any) -> Node | None:
    """The argument whose number a call only passes on: a cast, a fill, a branch taken."""
    if function is np.where or function is np.select:
        chosen = _chosen(function, args)
        return chosen if chosen is not None and same_number(chosen.value, value) else None
    if not _hashable(function) or function not in RESHAPING or not args:
        return None
    if function is np.full:
        return args[1]
    first = args[0]
    if same_number(first.value, value):
        return first
    if function is np.broadcast_to and scalar(first.value) is not None:
        return first
    if first.items and len(first.items) == 1 and same_number(first.items[0].value, value):
        return first.items[0]
    return None


def _chosen(function: Any, args: Sequence[Node]) -> Node | None:
    """The branch that np.where or np.select takes for a single case."""
    if function is np.where:
        test = scalar(args[0].value)
        return None if test is None else args[1] if test else args[2]
    if not args[0].items or not args[1].items:
        return None
    for test_node, branch in zip(args[0].items, args[1].items, strict=True):
        if scalar(test_node.value):
            return branch
    return args[2] if len(args) > 2 else None  # noqa: PLR2004 -- conditions, choices, default


def record_of(function: Any, args: Sequence[Node], named_args: Names) -> Node | None:
    """A dataclass made, or one with some fields changed; None for any other call."""
    values = {name: node.value for name, node in named_args.items()}
    if function is replace:
        changed = replace(args[0].value, **values)
        return Node(value=changed, fields=parts_of(args[0]) | _fields(changed, named_args))
    if isinstance(function, type) and is_dataclass(function):
        made = function(*(node.value for node in args), **values)
        place = dict(zip((f.name for f in fields_of(function)), args, strict=False))
        return Node(value=made, fields=_fields(made, {**place, **named_args}))
    return None


def _fields(record: Any, nodes: Names) -> Names:
    """Nodes under the names of the record's fields; columns remember the kind of record."""
    for name, node in nodes.items():
        named(node, name)
        if scalar(node.value) is None and not node.where:
            node.where = type(record).__name__
    return nodes


def taken_apart(function: Any, args: Sequence[Node]) -> Node | None:
    """What python's own functions on sequences return for values that are followed."""
    if function is zip and all(node.items is not None for node in args):
        rows = list(zip(*(node.items or () for node in args), strict=True))
        pairs = tuple(Node(value=tuple(n.value for n in row), items=row) for row in rows)
        return Node(value=[pair.value for pair in pairs], items=pairs)
    if not args or (args[0].items is None and not args[0].fields):
        return None
    first = args[0]
    if function is next and first.items is not None:
        return (*first.items, *args[1:])[0]
    if function is dict and len(args) == 1 and first.fields:
        return dictionary(parts_of(first))
    if function in (tuple, list) and first.items is not None:
        return Node(value=function(n.value for n in first.items), items=first.items)
    return None


def parts_of(node: Node) -> Names:
    """Parts of a record or dictionary, also of one that nobody has looked into yet."""
    value = node.value
    if isinstance(value, Mapping):
        maker = node.made_by  # entries of what ran as a whole are its results
        return {
            key: node.fields.get(key) or replace(given(value[key], str(key)), made_by=maker)
            for key in value
        }
    if not is_dataclass(value):
        return {}
    kind = type(value).__name__
    return {
        f.name: node.fields.get(f.name) or given(getattr(value, f.name), f.name, where=kind)
        for f in fields_of(value)
    }


def pairs_of(node: Node) -> Node:
    """Keys and values of a dictionary."""
    rows = tuple((given(key), each) for key, each in parts_of(node).items())
    pairs = tuple(Node(value=(key.value, each.value), items=(key, each)) for key, each in rows)
    return Node(value=[pair.value for pair in pairs], items=pairs)


def put(held: Node, position: Any, node: Node) -> None:
    """Change an entry; a column of one row that is filled so is the value it was filled with."""
    held.value[position] = node.value
    if isinstance(position, str):
        held.fields[position] = node
    elif same_number(held.value, node.value):
        held.source, held.operation = node, node.operation
        held.inputs, held.symbol, held.made_by = node.inputs, node.symbol, node.made_by


def dictionary(held: Names) -> Node:
    """A dictionary of followed values."""
    return Node(value={key: node.value for key, node in held.items()}, fields=held)


def as_given(values: Mapping[str, Any]) -> Names:
    """Values from outside under their names."""
    return {name: given(value, name) for name, value in values.items()}


def _hashable(function: Any) -> bool:
    try:
        hash(function)
    except TypeError:
        return False
    return True
