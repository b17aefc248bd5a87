"""Run the engine's own functions on one case and keep how every value came about."""

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from advisor.engine.explain.calls import Names, as_given, kept_number, shown_as
from advisor.engine.explain.expressions import Expressions
from advisor.engine.explain.nodes import Node, given, named, view
from advisor.engine.explain.operations import BINARY
from advisor.engine.explain.reading import Unread, definition, is_read, names_around
from advisor.engine.explain.scopes import LoopLeft, LoopOn, Returned, Scope

_NOT_FOLLOWED = (Unread, TypeError, ValueError, KeyError, AttributeError, IndexError)


class Reader(Expressions):
    """Reads functions as Python does, one statement after the other, on values that remember.

    Values come from the very operations the code names, so they are what the code returns. A
    function that uses what is not followed here, and every function of a library, runs as a
    whole; then only its arguments are known. `instead` names functions that give the same
    values for one case by a shorter way.
    """

    def __init__(
        self, instead: Mapping[Callable[..., Any], Callable[..., Any]] | None = None
    ) -> None:
        super().__init__()
        self._instead = dict(instead or {})

    def run(self, function: Callable[..., Any], **arguments: Any) -> Node:
        """What a function returns for arguments, with its derivation."""
        return self.call(function, [], as_given(arguments))

    def call(self, function: Any, args: Sequence[Node], named_args: Names) -> Node:
        """What a function returns: followed where it can be, else run as a whole."""
        function = self._instead.get(function, function) if self._instead else function
        if is_read(function):
            try:
                return self._followed(function, args, named_args)
            except _NOT_FOLLOWED:
                pass  # what is wrong with the function itself shows when it runs as a whole
        return self._whole(function, args, named_args)

    def _followed(
        self, function: Callable[..., Any], args: Sequence[Node], named_args: Names
    ) -> Node:
        written = definition(function)
        signature = inspect.signature(function)
        bound = signature.bind(*args, **named_args).arguments
        scope = Scope(names_around(function))
        for name, parameter in signature.parameters.items():
            if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
                raise Unread(name)
            known = name in bound
            scope.names[name] = named(bound[name], name) if known else given(parameter.default)
        self._running.append(function)
        try:
            result = self._body(written.body, scope)
        finally:
            self._running.pop()
        return named(result, function.__name__) if result.operation else result

    def _body(self, statements: Sequence[ast.stmt], scope: Scope) -> Node:
        try:
            self._block(statements, scope)
        except Returned as returned:
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
        return self.made(
            value,
            operation=known or name.strip("_"),
            inputs=(*args, *named_args.values()),
            made_by=None if known else function,
        )

    # Statements, one method a kind

    def _block(self, statements: Sequence[ast.stmt], scope: Scope) -> None:
        for statement in statements:
            kind = type(statement).__name__.lower()
            done: Callable[[Any, Scope], None] | None = getattr(self, f"_do_{kind}", None)
            if done is None:
                raise Unread(kind)
            done(statement, scope)

    def _do_return(self, statement: ast.Return, scope: Scope) -> None:
        raise Returned(given(None) if statement.value is None else self.of(statement.value, scope))

    def _do_assign(self, statement: ast.Assign, scope: Scope) -> None:
        node = self.of(statement.value, scope)
        for target in statement.targets:
            self.bind(target, node, scope)

    def _do_annassign(self, statement: ast.AnnAssign, scope: Scope) -> None:
        if statement.value is not None:
            self.bind(statement.target, self.of(statement.value, scope), scope)

    def _do_augassign(self, statement: ast.AugAssign, scope: Scope) -> None:
        if not isinstance(statement.target, ast.Name):
            raise Unread("an entry changed in place")
        name = statement.target.id
        symbol, function = BINARY[type(statement.op)]
        both = (scope.find(name), self.of(statement.value, scope))
        value = function(both[0].value, both[1].value)
        scope.names[name] = named(self.made(value, operation=symbol, inputs=both), name)

    def _do_if(self, statement: ast.If, scope: Scope) -> None:
        taken = self.of(statement.test, scope).value
        self._block(statement.body if taken else statement.orelse, scope)

    def _do_for(self, statement: ast.For, scope: Scope) -> None:
        try:
            for item in self.items(self.of(statement.iter, scope)):
                self.bind(statement.target, item, scope, naming=False)
                with suppress(LoopOn):
                    self._block(statement.body, scope)
        except LoopLeft:
            return
        self._block(statement.orelse, scope)

    def _do_break(self, _: ast.Break, __: Scope) -> None:
        raise LoopLeft

    def _do_continue(self, _: ast.Continue, __: Scope) -> None:
        raise LoopOn

    def _do_with(self, statement: ast.With, scope: Scope) -> None:
        if len(statement.items) != 1 or statement.items[0].optional_vars is not None:
            raise Unread("a with that binds")
        with self.of(statement.items[0].context_expr, scope).value:
            self._block(statement.body, scope)

    def _do_expr(self, statement: ast.Expr, scope: Scope) -> None:
        if not isinstance(statement.value, ast.Constant):
            self.of(statement.value, scope)

    def _do_pass(self, _: ast.Pass, __: Scope) -> None:
        """Nothing to do."""

    def _do_functiondef(self, written: ast.FunctionDef, scope: Scope) -> None:
        arguments = written.args
        names = [each.arg for each in (*arguments.args, *arguments.kwonlyargs)]
        if arguments.defaults or arguments.vararg or arguments.kwarg:
            raise Unread(written.name)

        def followed(*args: Node, **named_args: Node) -> Node:
            inside = scope.inner()
            inside.names |= dict(zip(names, args, strict=False)) | named_args
            return self._body(written.body, inside)

        def plain(*args: Any, **named_args: Any) -> Any:
            return followed(*map(given, args), **as_given(named_args)).value

        plain.followed = followed  # type: ignore[attr-defined]
        scope.names[written.name] = given(plain, written.name)
