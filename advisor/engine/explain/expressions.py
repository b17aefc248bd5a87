"""Expressions of the engine's code, worked out on values that remember how they were made."""

import ast
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MethodType
from typing import Any

import numpy as np

from advisor.engine.explain.calls import (
    Names,
    dictionary,
    pairs_of,
    parts_of,
    put,
    record_of,
    taken_apart,
)
from advisor.engine.explain.nodes import Node, given, named, same_number, view
from advisor.engine.explain.operations import BINARY, COMPARED, RESHAPING_METHODS, UNARY
from advisor.engine.explain.reading import Unread, is_read
from advisor.engine.explain.scopes import Scope


class Expressions:
    """One method a kind of expression, named after Python's own syntax tree."""

    def __init__(self) -> None:
        self._running: list[Callable[..., Any]] = []
        self.records: list[tuple[tuple[str, ...], Node]] = []
        """Every record that was made, with the names of the functions that were running."""

    def call(self, function: Any, args: Sequence[Node], named_args: Names) -> Node:
        """What a function returns."""
        raise NotImplementedError

    def made(
        self,
        value: Any,
        *,
        operation: str,
        inputs: tuple[Node, ...],
        made_by: Callable[..., Any] | None = None,
    ) -> Node:
        """A value computed here, in the function that is running."""
        origin = self._running[-1] if self._running else None
        return Node(value=value, operation=operation, inputs=inputs, origin=origin, made_by=made_by)

    def of(self, expression: ast.expr, scope: Scope) -> Node:
        """The value of an expression; Unread for a kind that is not followed."""
        kind = type(expression).__name__.lower()
        worked_out: Callable[[Any, Scope], Node] | None = getattr(self, f"_of_{kind}", None)
        if worked_out is None:
            raise Unread(kind)
        return worked_out(expression, scope)

    def items(self, node: Node) -> list[Node]:
        """What a sequence consists of."""
        if node.items is not None:
            return list(node.items)
        if isinstance(node.value, np.ndarray) and node.value.ndim == 0:
            raise Unread("a number is no sequence")
        if node.made_by is None:
            return [given(value) for value in node.value]
        return [replace(node, value=value, fields={}, source=None) for value in node.value]

    def bind(self, target: ast.expr, node: Node, scope: Scope, *, naming: bool = True) -> None:
        """Give a value the names of an assignment's target."""
        match target:
            case ast.Name(id=name):
                scope.names[name] = named(node, name) if naming else node
            case ast.Tuple(elts=targets):
                for each, item in zip(targets, self.items(node), strict=True):
                    self.bind(each, item, scope, naming=naming)
            case ast.Subscript(value=held, slice=key):
                put(self.of(held, scope), self.of(key, scope).value, node)
            case _:
                raise Unread(ast.dump(target))

    # Names, numbers and operators

    def _of_name(self, expression: ast.Name, scope: Scope) -> Node:
        return scope.find(expression.id)

    def _of_constant(self, expression: ast.Constant, _: Scope) -> Node:
        return given(expression.value)

    def _of_binop(self, expression: ast.BinOp, scope: Scope) -> Node:
        symbol, function = BINARY[type(expression.op)]
        both = (self.of(expression.left, scope), self.of(expression.right, scope))
        return self.made(function(both[0].value, both[1].value), operation=symbol, inputs=both)

    def _of_unaryop(self, expression: ast.UnaryOp, scope: Scope) -> Node:
        one = self.of(expression.operand, scope)
        symbol, function = UNARY[type(expression.op)]
        return self.made(function(one.value), operation=symbol, inputs=(one,))

    def _of_compare(self, expression: ast.Compare, scope: Scope) -> Node:
        if len(expression.ops) != 1:
            raise Unread("a chain of comparisons")
        symbol, function = COMPARED[type(expression.ops[0])]
        both = (self.of(expression.left, scope), self.of(expression.comparators[0], scope))
        return self.made(function(both[0].value, both[1].value), operation=symbol, inputs=both)

    def _of_boolop(self, expression: ast.BoolOp, scope: Scope) -> Node:
        stops = isinstance(expression.op, ast.Or)
        node = given(not stops)
        for each in expression.values:
            node = self.of(each, scope)
            if bool(node.value) is stops:
                break
        return node

    def _of_ifexp(self, expression: ast.IfExp, scope: Scope) -> Node:
        taken = self.of(expression.test, scope).value
        return self.of(expression.body if taken else expression.orelse, scope)

    # What is gathered

    def _of_tuple(self, expression: ast.Tuple, scope: Scope) -> Node:
        items = self._elements(expression.elts, scope)
        return Node(value=tuple(node.value for node in items), items=items)

    def _of_list(self, expression: ast.List, scope: Scope) -> Node:
        items = self._elements(expression.elts, scope)
        return Node(value=[node.value for node in items], items=items)

    def _elements(self, parts: Sequence[ast.expr], scope: Scope) -> tuple[Node, ...]:
        items: list[Node] = []
        for part in parts:
            if isinstance(part, ast.Starred):
                items += self.items(self.of(part.value, scope))
            else:
                items.append(self.of(part, scope))
        return tuple(items)

    def _of_listcomp(self, expression: ast.ListComp | ast.GeneratorExp, scope: Scope) -> Node:
        found = [self.of(expression.elt, s) for s in self._each(expression.generators, scope)]
        return Node(value=[node.value for node in found], items=tuple(found))

    def _of_generatorexp(self, expression: ast.GeneratorExp, scope: Scope) -> Node:
        return self._of_listcomp(expression, scope)

    def _of_dictcomp(self, expression: ast.DictComp, scope: Scope) -> Node:
        return dictionary(
            {
                self.of(expression.key, s).value: self.of(expression.value, s)
                for s in self._each(expression.generators, scope)
            }
        )

    def _of_dict(self, expression: ast.Dict, scope: Scope) -> Node:
        held: Names = {}
        for key, value in zip(expression.keys, expression.values, strict=True):
            node = self.of(value, scope)
            held |= parts_of(node) if key is None else {self.of(key, scope).value: node}
        return dictionary(held)

    def _each(self, generators: Sequence[ast.comprehension], scope: Scope) -> Iterator[Scope]:
        if not generators:
            yield scope
            return
        first, rest = generators[0], generators[1:]
        for item in self.items(self.of(first.iter, scope)):
            inside = scope.inner()
            self.bind(first.target, item, inside, naming=False)
            if all(self.of(test, inside).value for test in first.ifs):
                yield from self._each(rest, inside)

    def _of_joinedstr(self, expression: ast.JoinedStr, scope: Scope) -> Node:
        return given("".join(str(self.of(piece, scope).value) for piece in expression.values))

    def _of_formattedvalue(self, expression: ast.FormattedValue, scope: Scope) -> Node:
        if expression.format_spec is not None:
            raise Unread("a formatted text")
        return self.of(expression.value, scope)

    # What is taken out

    def _of_attribute(self, expression: ast.Attribute, scope: Scope) -> Node:
        return self._attribute(self.of(expression.value, scope), expression.attr)

    def _attribute(self, base: Node, name: str) -> Node:
        if name in base.fields:
            return base.fields[name]
        described = getattr(type(base.value), name, None)
        if isinstance(described, property) and described.fget and is_read(described.fget):
            return self.call(described.fget, [base], {})
        found = given(getattr(base.value, name), name, where=type(base.value).__name__)
        if not isinstance(found.value, MethodType):
            base.fields[name] = found
        return found

    def _of_slice(self, expression: ast.Slice, scope: Scope) -> Node:
        ends = (expression.lower, expression.upper, expression.step)
        return given(slice(*(None if end is None else self.of(end, scope).value for end in ends)))

    def _of_subscript(self, expression: ast.Subscript, scope: Scope) -> Node:
        base, position = self.of(expression.value, scope), self.of(expression.slice, scope).value
        if isinstance(position, str) and position in base.fields:
            return base.fields[position]
        if base.items is not None and isinstance(position, int):
            return base.items[position]
        value = base.value[position]
        if isinstance(position, str):
            base.fields[position] = replace(given(value, position), made_by=base.made_by)
            return base.fields[position]
        if same_number(base.value, value) or same_number(base.root.value, value):
            return view(base, value)  # one entry of a column that is filled with one number
        picked = given(value, base.symbol, where=base.where)
        return base.fields.setdefault(f"[{position!r}]", picked)

    # Calls

    def _of_call(self, expression: ast.Call, scope: Scope) -> Node:
        args, named_args = self._arguments(expression, scope)
        if not isinstance(expression.func, ast.Attribute):
            return self._applied(self.of(expression.func, scope).value, args, named_args)
        base = self.of(expression.func.value, scope)
        method = self._attribute(base, expression.func.attr)
        if isinstance(method.value, MethodType) and is_read(method.value.__func__):
            return self.call(method.value.__func__, [base, *args], named_args)
        if isinstance(base.value, list | Mapping | np.ndarray | np.number):
            return self._method(base, method, args, named_args)
        return self._applied(method.value, args, named_args)

    def _arguments(self, expression: ast.Call, scope: Scope) -> tuple[list[Node], Names]:
        args = list(self._elements(expression.args, scope))
        named_args: Names = {}
        for keyword in expression.keywords:
            node = self.of(keyword.value, scope)
            named_args |= parts_of(node) if keyword.arg is None else {keyword.arg: node}
        return args, named_args

    def _method(self, base: Node, method: Node, args: Sequence[Node], named_args: Names) -> Node:
        """A method of a column, list or dictionary."""
        name = method.symbol
        value = method.value(
            *(node.value for node in args), **{k: node.value for k, node in named_args.items()}
        )
        if isinstance(base.value, list):
            grows = name == "append" and base.items is not None
            base.items = (*(base.items or ()), *args) if grows else None
            return given(value)
        if isinstance(base.value, Mapping) and name == "items":
            return pairs_of(base)
        if isinstance(base.value, Mapping) and name == "get":
            return base.fields.get(args[0].value) or given(value, base.symbol, where=base.where)
        if name in RESHAPING_METHODS and same_number(base.value, value):
            return view(base, value)
        return self.made(value, operation=name, inputs=(base,), made_by=method.value)

    def _applied(self, function: Any, args: list[Node], named_args: Names) -> Node:
        """A function of the engine, of Python or of a library."""
        if (followed := getattr(function, "followed", None)) is not None:
            found: Node = followed(*args, **named_args)
            return found
        if function is getattr and len(args) == 2:  # noqa: PLR2004 -- without a default
            return self._attribute(args[0], args[1].value)
        if function is sum and args[0].items:
            return self._summed(args[0].items)
        record = record_of(function, args, named_args)
        if record is not None:
            self.records.append((tuple(f.__name__ for f in self._running), record))
            return record
        taken = taken_apart(function, args)
        return taken if taken is not None else self.call(function, args, named_args)

    def _summed(self, items: Sequence[Node]) -> Node:
        total = items[0]
        for each in items[1:]:
            total = self.made(total.value + each.value, operation="+", inputs=(total, each))
        return total
