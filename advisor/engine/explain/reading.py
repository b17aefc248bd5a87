"""Source of the engine's functions, parsed once; what may be read step by step."""

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import lru_cache
from types import FunctionType
from typing import Any

READ = ("advisor.engine.", "costing.engine.")
WHOLE = ("advisor.engine.kriging", "advisor.engine.serving.tables")
WHOLE_FUNCTIONS = frozenset(
    {
        "parameter_columns",
        "training_parameters",
        "samples_parameters",
        "layout_slopes",
        "pass_slopes",
        "training_features",
        "sample_features",
        "layouts",
        "fastest_layout",
        "key_tables",
    }
)
"""Run as a whole: linear algebra over all measured rows, not a formula of a few terms."""


class Unread(Exception):
    """A construct that is not followed step by step; the function runs as a whole instead."""


def is_read(function: Any) -> bool:
    """Whether a function is followed step by step."""
    if not isinstance(function, FunctionType):
        return False
    module = function.__module__ or ""
    return (
        module.startswith(READ)
        and module not in WHOLE
        and function.__name__ not in WHOLE_FUNCTIONS
        and not function.__name__.startswith("<")
    )


@lru_cache(maxsize=512)
def definition(function: Callable[..., Any]) -> ast.FunctionDef:
    """The parsed definition of a function; Unread where its source is not at hand."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError) as error:
        raise Unread(str(function)) from error
    found = tree.body[0]
    if not isinstance(found, ast.FunctionDef):
        raise Unread(str(function))
    return found


def names_around(function: Callable[..., Any]) -> dict[str, Any]:
    """What a function's free and global names mean."""
    around = dict(getattr(function, "__globals__", {}))
    code, cells = getattr(function, "__code__", None), getattr(function, "__closure__", None)
    if code is not None and cells:
        around |= {
            name: cell.cell_contents for name, cell in zip(code.co_freevars, cells, strict=True)
        }
    return around
