"""Run the engine's own functions on one case and keep how every value came about."""

import ast
import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields as fields_of
from dataclasses import is_dataclass, replace
from types import MethodType
from typing import Any

import numpy as np

from advisor.engine.explain.nodes import Node, given, named, same_number, scalar, view
from advisor.engine.explain.operations import (
    BINARY,
    COMPARED,
    RESHAPING,
    RESHAPING_METHODS,
    SHOWN,
    UNARY,
)
from advisor.engine.explain.reading import Unread, definition, is_read, names_around

Names = dict[str, Node]
_MISSING = object()


class _Returned(Exception):
    """A return statement was reached."""

    def __init__(self, node: Node) -> None:
        self.node = node


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
        return given(known, name.strip("_").lower())

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
            except Unread:
                pass
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
        known = SHOWN.get(function) if _hashable(function) else None
        if function is np.where or function is np.select:
            chosen = _chosen(function, args)
            if chosen is not None and same_number(chosen.value, value):
                return view(chosen, value)
        if _hashable(function) and function in RESHAPING:
            for node in args[::-1] if function is np.full else args[:1]:
                if same_number(node.value, value):
                    return view(node, value)
                if node.items and len(node.items) == 1 and same_number(node.items[0].value, value):
                    return view(node.items[0], value)
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
            case ast.For(target=target, iter=iterated, body=body, orelse=[]):
                for item in self._items(self._of(iterated, scope)):
                    self._bind(target, item, scope, naming=False)
                    for each in body:
                        self._statement(each, scope)
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

    def _closure(self, written: ast.FunctionDef, scope: Scope) -> Node:
        names = [each.arg for each in (*written.args.args, *written.args.kwonlyargs)]
        if written.args.defaults or written.args.kw_defaults or written.args.vararg:
            raise Unread(written.name)

        def inner(*args: Node, **named_args: Node) -> Node:
            inside = scope.inner()
            inside.names |= dict(zip(names, args, strict=False)) | named_args
            return self._body(written.body, inside)

        node = given(lambda *a, **k: inner(*map(given, a), **_as_given(k)).value, written.name)
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
                    held |= _parts(node) if key is None else {self._of(key, scope).value: node}
                return _dictionary(held)
            case ast.DictComp(key=key, value=value):
                return _dictionary(
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
        found = given(getattr(base.value, name), name)
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
            base.fields[position] = given(value, position)
            return base.fields[position]
        known = base.fields.setdefault(f"[{position!r}]", given(value, base.symbol))
        return known

    def _called(self, expression: ast.Call, scope: Scope) -> Node:
        args, named_args = self._arguments(expression, scope)
        if isinstance(expression.func, ast.Attribute):
            base = self._of(expression.func.value, scope)
            method = self._attribute(base, expression.func.attr)
            if isinstance(method.value, MethodType) and is_read(method.value.__func__):
                return self._call(method.value.__func__, [base, *args], named_args)
            if isinstance(base.value, list):
                return self._list_method(base, method, args)
            if isinstance(base.value, np.ndarray | np.number):
                return self._array_method(base, method, args, named_args)
            function = method.value
        else:
            function = self._of(expression.func, scope).value
        if (followed := getattr(function, "followed", None)) is not None:
            return named(followed(*args, **named_args), "")
        special = self._special(function, args, named_args)
        return special if special is not None else self._call(function, args, named_args)

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
            named_args |= _parts(node) if keyword.arg is None else {keyword.arg: node}
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

    def _special(self, function: Any, args: Sequence[Node], named_args: Names) -> Node | None:
        """Calls that make, change, take apart or add up values that are followed."""
        if function is replace:
            changed = replace(args[0].value, **{k: n.value for k, n in named_args.items()})
            kept = _parts(args[0]) if is_dataclass(args[0].value) else {}
            return Node(value=changed, fields=kept | _labelled(named_args))
        if isinstance(function, type) and is_dataclass(function):
            made = function(
                *(n.value for n in args), **{k: n.value for k, n in named_args.items()}
            )
            place = dict(zip((f.name for f in fields_of(function)), args, strict=False))
            return Node(value=made, fields=_labelled({**place, **named_args}))
        if function is getattr and len(args) == 2:  # noqa: PLR2004 -- without a default
            return self._attribute(args[0], args[1].value)
        if function is sum and args[0].items:
            total = args[0].items[0]
            for each in args[0].items[1:]:
                value = total.value + each.value
                total = self._made(value, operation="+", inputs=(total, each))
            return total
        if function is zip:
            columns = [self._items(node) for node in args]
            pairs = [
                Node(value=tuple(n.value for n in row), items=row)
                for row in zip(*columns, strict=True)
            ]
            return Node(value=[pair.value for pair in pairs], items=tuple(pairs))
        if function is dict and len(args) == 1 and args[0].fields:
            return _dictionary(_parts(args[0]))
        if function in (tuple, list) and args and args[0].items is not None:
            return Node(value=function(n.value for n in args[0].items), items=args[0].items)
        return None


def _labelled(nodes: Names) -> Names:
    return {name: named(node, name) for name, node in nodes.items()}


def _parts(node: Node) -> Names:
    """Parts of a record or dictionary, also of one that nobody has looked into yet."""
    value = node.value
    keys: Sequence[str] = ()
    if isinstance(value, Mapping):
        keys = list(value)
        return {k: node.fields.get(k) or given(value[k], str(k)) for k in keys}
    if is_dataclass(value):
        keys = [f.name for f in fields_of(value)]
    return {k: node.fields.get(k) or given(getattr(value, k), k) for k in keys}


def _dictionary(held: Names) -> Node:
    return Node(value={k: n.value for k, n in held.items()}, fields=held)


def _as_given(values: Mapping[str, Any]) -> Names:
    return {name: given(value, name) for name, value in values.items()}


def _chosen(function: Any, args: Sequence[Node]) -> Node | None:
    """The branch that np.where or np.select takes for a single case."""
    if function is np.where and len(args) == 3:  # noqa: PLR2004 -- condition and two branches
        test = scalar(args[0].value)
        return None if test is None else args[1] if test else args[2]
    if function is np.select and len(args) >= 2 and args[0].items and args[1].items:  # noqa: PLR2004
        for test_node, branch in zip(args[0].items, args[1].items, strict=True):
            if scalar(test_node.value):
                return branch
        return args[2] if len(args) > 2 else None  # noqa: PLR2004
    return None


def _hashable(function: Any) -> bool:
    try:
        hash(function)
    except TypeError:
        return False
    return True
