"""Names of a running function, and how reading one ends."""

from collections.abc import Mapping
from typing import Any

from advisor.engine.explain.calls import Names
from advisor.engine.explain.nodes import Node, given
from advisor.engine.explain.reading import Unread

_MISSING = object()


class Returned(Exception):
    """A return statement was reached."""

    def __init__(self, node: Node) -> None:
        self.node = node


class LoopLeft(Exception):
    """A break was reached."""


class LoopOn(Exception):
    """A continue was reached."""


class Scope:
    """Names of one running function, and of those it was defined in."""

    def __init__(self, around: Mapping[str, Any], outer: "Scope | None" = None) -> None:
        self.names: Names = {}
        self.around, self.outer = around, outer

    def find(self, name: str) -> Node:
        """The value of a name; a module's own constant remembers where it stands."""
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
