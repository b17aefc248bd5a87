"""The little language of rules about answers: names, literals, comparisons, sums; never `eval`."""

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from advisor.engine.answers import Value

_COMPARISONS: Mapping[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.In: ("in", lambda left, right: left in right),
    ast.NotIn: ("not in", lambda left, right: left not in right),
}
_SUMS: Mapping[type[ast.operator], tuple[str, Callable[[float, float], float]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
}
_FUNCTIONS: Mapping[str, Callable[..., float]] = {"min": min, "max": max}
_WORDS: Mapping[str, bool] = {"true": True, "false": False}


class BadRule(ValueError):
    """A rule that uses more than the language has."""


@lru_cache(maxsize=1024)
def parsed(rule: str) -> ast.expr:
    """The syntax tree of a rule, every node of it on the white list."""
    try:
        tree = ast.parse(rule.strip(), mode="eval").body
    except SyntaxError as error:
        raise BadRule(f"not a rule: {rule!r}") from error
    as_json(tree)
    return tree


def names(rule: str) -> frozenset[str]:
    """The ids a rule speaks of."""
    called = {
        node.func.id
        for node in ast.walk(parsed(rule))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    found = {node.id for node in ast.walk(parsed(rule)) if isinstance(node, ast.Name)}
    return frozenset(found - called - set(_WORDS))


def evaluate(rule: str, values: Mapping[str, Value]) -> Value:
    """The value of a rule under these answers; sums with an unknown part are unknown."""
    return _value(parsed(rule), values)  # type: ignore[return-value]


def holds(rule: str, values: Mapping[str, Value]) -> bool:
    """Whether a condition is met."""
    return bool(evaluate(rule, values))


def unmet(rule: str, values: Mapping[str, Value]) -> tuple[str, ...]:
    """The parts of a condition, joined by `and`, that are not met, as they are written."""
    tree = parsed(rule)
    parts = tree.values if isinstance(tree, ast.BoolOp) and isinstance(tree.op, ast.And) else [tree]
    return tuple(ast.unparse(part) for part in parts if not _value(part, values))


def as_json(tree: ast.expr) -> object:
    """The tree as nested lists, operator first: `["name", id]`, `["value", x]`, `["==", a, b]`.

    Refuses whatever is not on the white list, so a rule that can be exported can be evaluated.
    """
    if isinstance(tree, ast.Constant) and (
        tree.value is None or isinstance(tree.value, bool | int | float | str)
    ):
        return ["value", tree.value]
    if isinstance(tree, ast.Name):
        return ["value", _WORDS[tree.id]] if tree.id in _WORDS else ["name", tree.id]
    if isinstance(tree, ast.Tuple):
        return ["list", *(as_json(each) for each in tree.elts)]
    if isinstance(tree, ast.BoolOp):
        joint = "and" if isinstance(tree.op, ast.And) else "or"
        return [joint, *(as_json(each) for each in tree.values)]
    if isinstance(tree, ast.IfExp):
        return ["if", as_json(tree.test), as_json(tree.body), as_json(tree.orelse)]
    return _operation_as_json(tree)


def _operation_as_json(tree: ast.expr) -> object:
    if isinstance(tree, ast.UnaryOp) and isinstance(tree.op, ast.Not | ast.USub):
        return ["not" if isinstance(tree.op, ast.Not) else "neg", as_json(tree.operand)]
    if isinstance(tree, ast.Compare) and len(tree.ops) == 1 and type(tree.ops[0]) in _COMPARISONS:
        sign = _COMPARISONS[type(tree.ops[0])][0]
        return [sign, as_json(tree.left), as_json(tree.comparators[0])]
    if isinstance(tree, ast.BinOp) and type(tree.op) in _SUMS:
        return [_SUMS[type(tree.op)][0], as_json(tree.left), as_json(tree.right)]
    if (
        isinstance(tree, ast.Call)
        and isinstance(tree.func, ast.Name)
        and tree.func.id in _FUNCTIONS
        and not tree.keywords
    ):
        return [tree.func.id, *(as_json(each) for each in tree.args)]
    raise BadRule(f"not in the language of rules: {ast.unparse(tree)}")


def _value(tree: ast.expr, values: Mapping[str, Value]) -> object:
    match tree:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return _WORDS[name] if name in _WORDS else values[name]
        case ast.Tuple(elts=parts):
            return tuple(_value(each, values) for each in parts)
        case ast.BoolOp(op=ast.And(), values=parts):
            return all(_value(each, values) for each in parts)
        case ast.BoolOp(values=parts):
            return any(_value(each, values) for each in parts)
        case ast.IfExp(test=test, body=body, orelse=otherwise):
            return _value(body if _value(test, values) else otherwise, values)
        case _:
            return _operation(tree, values)


def _operation(tree: ast.expr, values: Mapping[str, Value]) -> object:
    match tree:
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, values)
        case ast.UnaryOp(operand=operand):
            return _sum(operator.neg, _value(operand, values))
        case ast.Compare(left=left, ops=[sign], comparators=[right]):
            return _compared(sign, _value(left, values), _value(right, values))
        case ast.BinOp(left=left, op=sign, right=right):
            return _sum(_SUMS[type(sign)][1], _value(left, values), _value(right, values))
        case ast.Call(func=ast.Name(id=name), args=arguments):
            return _sum(_FUNCTIONS[name], *(_value(each, values) for each in arguments))
        case _:
            raise BadRule(f"not in the language of rules: {ast.unparse(tree)}")


def _compared(sign: ast.cmpop, left: object, right: object) -> bool:
    if isinstance(sign, ast.Eq | ast.NotEq):
        left = "" if left is None and right == "" else left
    elif left is None or right is None:
        return isinstance(sign, ast.NotIn)
    return bool(_COMPARISONS[type(sign)][1](left, right))


def _sum(function: Callable[..., float], *parts: object) -> float | None:
    return None if any(part is None for part in parts) else function(*parts)
