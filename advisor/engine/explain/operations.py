"""Operators and functions that a formula may show, by the names it shows them under."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import special

BINARY: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.Pow: ("**", operator.pow),
    ast.FloorDiv: ("//", operator.floordiv),
    ast.Mod: ("%", operator.mod),
    ast.MatMult: ("@", operator.matmul),
    ast.BitAnd: ("&", operator.and_),
    ast.BitOr: ("|", operator.or_),
}
UNARY: Mapping[type[ast.unaryop], tuple[str, Callable[[Any], Any]]] = {
    ast.USub: ("neg", operator.neg),
    ast.UAdd: ("pos", operator.pos),
    ast.Invert: ("~", operator.invert),
    ast.Not: ("not", operator.not_),
}
COMPARED: Mapping[type[ast.cmpop], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Lt: ("<", operator.lt),
    ast.LtE: ("<=", operator.le),
    ast.Gt: (">", operator.gt),
    ast.GtE: (">=", operator.ge),
    ast.Eq: ("==", operator.eq),
    ast.NotEq: ("!=", operator.ne),
    ast.Is: ("is", operator.is_),
    ast.IsNot: ("is not", operator.is_not),
    ast.In: ("in", lambda one, many: one in many),
    ast.NotIn: ("not in", lambda one, many: one not in many),
}
SHOWN: Mapping[Any, str] = {
    np.maximum: "max",
    np.minimum: "min",
    max: "max",
    min: "min",
    np.exp: "exp",
    np.log: "log",
    np.log1p: "log1p",
    np.log2: "log2",
    np.sqrt: "sqrt",
    np.square: "square",
    np.hypot: "hypot",
    np.ceil: "ceil",
    np.floor: "floor",
    np.round: "round",
    round: "round",
    np.abs: "abs",
    abs: "abs",
    np.clip: "clip",
    math.sqrt: "sqrt",
    math.erf: "erf",
    math.exp: "exp",
    math.log: "log",
    special.xlogy: "xlogy",
    special.gammaln: "gammaln",
    special.gammaincc: "gammaincc",
}
"""Functions that a reader can work out by hand."""
RESHAPING = frozenset(
    {
        np.asarray,
        np.array,
        np.broadcast_to,
        np.full,
        np.concatenate,
        np.nan_to_num,
        np.squeeze,
        np.ravel,
        float,
        int,
        bool,
    }
)
"""Functions that leave a single number as it is."""
RESHAPING_METHODS = frozenset({"astype", "reshape", "copy", "item", "ravel"})
EVALUATED: Mapping[str, Callable[..., Any]] = {
    "max": np.maximum,
    "min": np.minimum,
    "exp": np.exp,
    "log": np.log,
    "log1p": np.log1p,
    "log2": np.log2,
    "sqrt": np.sqrt,
    "square": np.square,
    "hypot": np.hypot,
    "ceil": np.ceil,
    "floor": np.floor,
    "round": np.round,
    "abs": np.abs,
    "clip": np.clip,
    "erf": special.erf,
    "xlogy": special.xlogy,
    "gammaln": special.gammaln,
    "gammaincc": special.gammaincc,
}
"""What the names in a shown formula mean, for whoever works it out again."""
