"""Run the engine's own functions on one case and keep how every value came about."""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MethodType
from typing import Any

import numpy as np

from advisor.engine.explain.calls import (
    Names,
    as_given,
    dictionary,
    kept_number,
    parts_of,
    record_of,
    shown_as,
    taken_apart,
)
from advisor.engine.explain.nodes import Node, given, named, same_number, view
from advisor.engine.explain.operations import BINARY, COMPARED, RESHAPING_METHODS, UNARY
from advisor.engine.explain.reading import Unread, definition, is_read, names_around

_MISSING = object()


class _Returned(Exception):
    """A return statement was reached."""

    def __init__(self, node: Node) -> None:
        self.node = node


class _Left(Exception):
    """A loop was left."""


class Scope:
    """Names of one running function, and of those it was defined in."""

    def __init__(self, around: Mapping[str, Any], outer: "Scope | None" = None) -> None:
        self.names: Names = {}
        self.around, self.outer = around, outer

    def find(self, name: str) -> Node:
        """The value of a name."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope.outer
        known = self.around.get(name, _MISSING)
        if known is _MISSING:
            built_in = self.around.get("__builtins__", {})
            table = built_in if isinstance(built_in, dict) else vars(built_in)
            if name not in table:
                raise Unread(name)
            known = table[name]
        module = str(self.around.get("__name__", ""))
        return given(known, name.strip("_").lower(), where=f"{module}.{name}")

    def inner(self) -> "Scope":
        """A scope inside this one."""
        return Scope(self.around, self)


class Reader:
    """Reads functions as Python does, one statement after the other, on values that remember.

    Values come from the very operations the code names, so they are what the code returns. A
    function that uses what is not followed here, and every function of a library, runs as a
    whole; then only its arguments are known. `instead` names functions that give the same
    values for one case by a shorter way.
    """

    def __init__(
        self, instead: Mapping[Callable[..., Any], Callable[..., Any]] | None = None
    ) -> None:
        self._instead = dict(instead or {})
        self._running: list[Callable[..., Any]] = []
        self.records: list[tuple[tuple[str, ...], Node]] = []
        """Every record that was made, with the names of the functions that were running."""

    def run(self, function: Callable[..., Any], **arguments: Any) -> Node:
        """What a function returns for arguments, with its derivation."""
        return self._call(function, [], {k: given(v, k) for k, v in arguments.items()})

    # Calls

    def _call(
        self, function: Callable[..., Any], args: Sequence[Node], named_args: Names
    ) -> Node:
        function = self._instead.get(function, function)
        if is_read(function):
            try:
                return self._followed(function, args, named_args)
            except (Unread, TypeError, ValueError, KeyError, AttributeError, IndexError):
                pass  # what is wrong with the function itself shows when it runs as a whole
        return self._whole(function, args, named_args)

    def _followed(
        self, function: Callable[..., Any], args: Sequence[Node], named_args: Names
    ) -> Node:
        written = definition(function)
        bound = inspect.signature(function).bind(*args, **named_args)
        scope = Scope(names_around(function))
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise Unread(name)
            node = bound.arguments.get(name, _MISSING)
            scope.names[name] = (
                given(parameter.default, name) if node is _MISSING else named(node, name)
            )
        self._running.append(function)
        try:
            result = self._body(written.body, scope)
        finally:
            self._running.pop()
        return named(result, function.__name__) if result.operation else result

    def _body(self, statements: Sequence[ast.stmt], scope: Scope) -> Node:
        try:
            for statement in statements:
                self._statement(statement, scope)
        except _Returned as returned:
            return returned.node
        return given(None)

    def _whole(self, function: Callable[..., Any], args: Sequence[Node], named_args: Names) -> Node:
        value = function(
            *(node.value for node in args), **{k: node.value for k, node in named_args.items()}
        )
        kept = kept_number(function, args, value)
        if kept is not None:
            return view(kept, value)
        known = shown_as(function)
        name = getattr(function, "__name__", str(function))
        return self._made(
            value,
            operation=known or name.strip("_"),
            inputs=(*args, *named_args.values()),
            made_by=None if known else function,
        )

    def _made(
        self,
        value: Any,
        *,
        operation: str,
        inputs: tuple[Node, ...],
        made_by: Callable[..., Any] | None = None,
    ) -> Node:
        origin = self._running[-1] if self._running else None
        return Node(
            value=value, operation=operation, inputs=inputs, origin=origin, made_by=made_by
        )

    # Statements

    def _statement(self, statement: ast.stmt, scope: Scope) -> None:
        match statement:
            case ast.Return(value=expression):
                raise _Returned(given(None) if expression is None else self._of(expression, scope))
            case ast.Assign(targets=targets, value=expression):
                node = self._of(expression, scope)
                for target in targets:
                    self._bind(target, node, scope)
            case ast.AnnAssign(target=target, value=expression):
                if expression is not None:
                    self._bind(target, self._of(expression, scope), scope)
            case ast.AugAssign(target=ast.Name(id=name), op=op, value=expression):
                symbol, function = BINARY[type(op)]
                both = (scope.find(name), self._of(expression, scope))
                value = function(both[0].value, both[1].value)
                scope.names[name] = named(self._made(value, operation=symbol, inputs=both), name)
            case ast.If(test=test, body=body, orelse=orelse):
                for each in body if self._of(test, scope).value else orelse:
                    self._statement(each, scope)
            case ast.For(orelse=[]):
                self._loop(statement, scope)
            case ast.Break():
                raise _Left
            case ast.With(items=[ast.withitem(context_expr=manager, optional_vars=None)], body=body):
                with self._of(manager, scope).value:
                    for each in body:
                        self._statement(each, scope)
            case ast.FunctionDef(name=name):
                scope.names[name] = self._closure(statement, scope)
            case ast.Expr(value=expression):
                if not isinstance(expression, ast.Constant):
                    self._of(expression, scope)
            case ast.Pass():
                pass
            case _:
                raise Unread(type(statement).__name__)

    def _loop(self, statement: ast.For, scope: Scope) -> None:
        for item in self._items(self._of(statement.iter, scope)):
            self._bind(statement.target, item, scope, naming=False)
            try:
                for each in statement.body:
                    self._statement(each, scope)
            except _Left:
                return

    def _closure(self, written: ast.FunctionDef, scope: Scope) -> Node:
        names = [each.arg for each in (*written.args.args, *written.args.kwonlyargs)]
        if written.args.defaults or written.args.kw_defaults or written.args.vararg:
            raise Unread(written.name)

        def inner(*args: Node, **named_args: Node) -> Node:
            inside = scope.inner()
            inside.names |= dict(zip(names, args, strict=False)) | named_args
            return self._body(written.body, inside)

        node = given(lambda *a, **k: inner(*map(given, a), **as_given(k)).value, written.name)
        node.value.followed = inner
        return node

    def _bind(
        self, target: ast.expr, node: Node, scope: Scope, *, naming: bool = True
    ) -> None:
        match target:
            case ast.Name(id=name):
                scope.names[name] = named(node, name) if naming else node
            case ast.Tuple(elts=targets):
                for each, item in zip(targets, self._items(node), strict=True):
                    self._bind(each, item, scope, naming=naming)
            case ast.Subscript(value=ast.Name(id=name), slice=key):
                held, position = scope.find(name), self._of(key, scope).value
                held.value[position] = node.value
                if isinstance(position, str):
                    held.fields[position] = node
            case _:
                raise Unread(ast.dump(target))

    def _items(self, node: Node) -> list[Node]:
        if node.items is not None:
            return list(node.items)
        if isinstance(node.value, np.ndarray) and node.value.ndim == 0:
            raise Unread("a number is no sequence")
        return [
            Node(value=value, symbol=node.symbol, inputs=node.inputs, operation=node.operation,
                 origin=node.origin, made_by=node.made_by)
            if node.made_by is not None
            else given(value)
            for value in node.value
        ]  # fmt: skip

    # Expressions

    def _of(self, expression: ast.expr, scope: Scope) -> Node:
        match expression:
            case ast.Name(id=name):
                return scope.find(name)
            case ast.Constant(value=value):
                return given(value)
            case ast.Attribute(value=base, attr=name):
                return self._attribute(self._of(base, scope), name)
            case ast.Subscript(value=base, slice=key):
                return self._subscript(self._of(base, scope), self._of(key, scope))
            case ast.BinOp(left=left, op=op, right=right):
                symbol, function = BINARY[type(op)]
                both = (self._of(left, scope), self._of(right, scope))
                value = function(both[0].value, both[1].value)
                return self._made(value, operation=symbol, inputs=both)
            case ast.UnaryOp(op=sign, operand=operand):
                one = self._of(operand, scope)
                symbol, negate = UNARY[type(sign)]
                return self._made(negate(one.value), operation=symbol, inputs=(one,))
            case ast.Compare(left=left, ops=[compared], comparators=[right]):
                symbol, function = COMPARED[type(compared)]
                both = (self._of(left, scope), self._of(right, scope))
                value = function(both[0].value, both[1].value)
                return self._made(value, operation=symbol, inputs=both)
            case ast.BoolOp(op=junction, values=values):
                stops = isinstance(junction, ast.Or)
                for each in values:
                    node = self._of(each, scope)
                    if bool(node.value) is stops:
                        break
                return node
            case ast.IfExp(test=test, body=body, orelse=orelse):
                return self._of(body if self._of(test, scope).value else orelse, scope)
            case ast.Call():
                return self._called(expression, scope)
            case _:
                return self._gathered(expression, scope)

    def _gathered(self, expression: ast.expr, scope: Scope) -> Node:
        match expression:
            case ast.Tuple(elts=parts) | ast.List(elts=parts):
                items: list[Node] = []
                for part in parts:
                    if isinstance(part, ast.Starred):
                        items += self._items(self._of(part.value, scope))
                    else:
                        items.append(self._of(part, scope))
                kind = tuple if isinstance(expression, ast.Tuple) else list
                return Node(value=kind(n.value for n in items), items=tuple(items))
            case ast.ListComp(elt=part) | ast.GeneratorExp(elt=part):
                found = [self._of(part, s) for s in self._each(expression.generators, scope)]
                return Node(value=[n.value for n in found], items=tuple(found))
            case ast.Dict(keys=keys, values=values):
                held: Names = {}
                for key, value in zip(keys, values, strict=True):
                    node = self._of(value, scope)
                    held |= parts_of(node) if key is None else {self._of(key, scope).value: node}
                return dictionary(held)
            case ast.DictComp(key=key, value=value):
                return dictionary(
                    {
                        self._of(key, s).value: self._of(value, s)
                        for s in self._each(expression.generators, scope)
                    }
                )
            case ast.Slice(lower=lower, upper=upper, step=step):
                ends = (None if e is None else self._of(e, scope).value for e in (lower, upper, step))
                return given(slice(*ends))
            case ast.JoinedStr(values=pieces):
                return given("".join(str(self._of(piece, scope).value) for piece in pieces))
            case ast.FormattedValue(value=inner, format_spec=None):
                return self._of(inner, scope)
            case _:
                raise Unread(type(expression).__name__)

    def _each(
        self, generators: Sequence[ast.comprehension], scope: Scope
    ) -> Iterator[Scope]:
        if not generators:
            yield scope
            return
        first, rest = generators[0], generators[1:]
        for item in self._items(self._of(first.iter, scope)):
            inside = scope.inner()
            self._bind(first.target, item, inside, naming=False)
            if all(self._of(test, inside).value for test in first.ifs):
                yield from self._each(rest, inside)

    def _attribute(self, base: Node, name: str) -> Node:
        if name in base.fields:
            return base.fields[name]
        described = getattr(type(base.value), name, None)
        if isinstance(described, property) and described.fget and is_read(described.fget):
            return self._call(described.fget, [base], {})
        found = given(getattr(base.value, name), name, where=type(base.value).__name__)
        if isinstance(found.value, MethodType):
            return found
        base.fields[name] = found
        return found

    def _subscript(self, base: Node, key: Node) -> Node:
        position = key.value
        if isinstance(position, str) and position in base.fields:
            return base.fields[position]
        if base.items is not None and isinstance(position, int):
            return base.items[position]
        value = base.value[position]
        if isinstance(value, np.ndarray) and same_number(value, base.value):
            return view(base, value)
        if isinstance(position, str):
            base.fields[position] = replace(given(value, position), made_by=base.made_by)
            return base.fields[position]
        if same_number(base.root.value, value):
            return view(base, value)  # one entry of a column that is filled with one number
        picked = given(value, base.symbol, where=base.where)
        return base.fields.setdefault(f"[{position!r}]", picked)

    def _called(self, expression: ast.Call, scope: Scope) -> Node:
        args, named_args = self._arguments(expression, scope)
        if isinstance(expression.func, ast.Attribute):
            base = self._of(expression.func.value, scope)
            method = self._attribute(base, expression.func.attr)
            if isinstance(method.value, MethodType) and is_read(method.value.__func__):
                return self._call(method.value.__func__, [base, *args], named_args)
            if isinstance(base.value, list):
                return self._list_method(base, method, args)
            if isinstance(base.value, Mapping) and expression.func.attr == "get":
                value = base.value.get(*(node.value for node in args))
                return base.fields.get(args[0].value) or given(value, base.symbol, where=base.where)
            if isinstance(base.value, np.ndarray | np.number):
                return self._array_method(base, method, args, named_args)
            function = method.value
        else:
            function = self._of(expression.func, scope).value
        if (followed := getattr(function, "followed", None)) is not None:
            return named(followed(*args, **named_args), "")
        if function is getattr and len(args) == 2:  # noqa: PLR2004 -- without a default
            return self._attribute(args[0], args[1].value)
        if function is sum and args[0].items:
            return self._summed(args[0].items)
        record = record_of(function, args, named_args)
        if record is not None:
            if isinstance(function, type):
                self.records.append((tuple(f.__name__ for f in self._running), record))
            return record
        taken = taken_apart(function, args)
        return taken if taken is not None else self._call(function, args, named_args)

    def _summed(self, items: Sequence[Node]) -> Node:
        total = items[0]
        for each in items[1:]:
            value = total.value + each.value
            total = self._made(value, operation="+", inputs=(total, each))
        return total

    def _arguments(self, expression: ast.Call, scope: Scope) -> tuple[list[Node], Names]:
        args: list[Node] = []
        for each in expression.args:
            if isinstance(each, ast.Starred):
                args += self._items(self._of(each.value, scope))
            else:
                args.append(self._of(each, scope))
        named_args: Names = {}
        for keyword in expression.keywords:
            node = self._of(keyword.value, scope)
            named_args |= parts_of(node) if keyword.arg is None else {keyword.arg: node}
        return args, named_args

    def _list_method(self, base: Node, method: Node, args: Sequence[Node]) -> Node:
        result = method.value(*(node.value for node in args))
        grows = method.symbol == "append" and base.items is not None
        base.items = (*base.items, *args) if grows and base.items is not None else None
        return given(result)

    def _array_method(
        self, base: Node, method: Node, args: Sequence[Node], named_args: Names
    ) -> Node:
        value = method.value(*(n.value for n in args), **{k: n.value for k, n in named_args.items()})
        name = method.symbol
        if name in RESHAPING_METHODS and same_number(base.value, value):
            return view(base, value)
        return self._made(value, operation=name, inputs=(base,), made_by=method.value)
