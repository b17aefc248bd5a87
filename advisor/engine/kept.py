"""Results kept by the identity of the values they came from, which are too large to compare."""

from collections import OrderedDict
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Made = TypeVar("Made")


def kept(size: int) -> Callable[[Callable[Given, Made]], Callable[Given, Made]]:
    """Keep the last `size` results of a function of values that are never changed.

    A tuple is told apart by its items, anything else by itself. Results must not be changed.

    Source: least recently used goes first, as in `functools.lru_cache`.
    """

    def keeping(make: Callable[Given, Made]) -> Callable[Given, Made]:
        shelf: OrderedDict[tuple[Any, ...], tuple[Any, Made]] = OrderedDict()

        @wraps(make)
        def found(*owners: Given.args, **named: Given.kwargs) -> Made:
            everything = (*owners, *named.values())
            key = tuple(
                tuple(map(id, each)) if isinstance(each, tuple) else id(each) for each in everything
            )
            known = shelf.pop(key, None)
            if known is None:
                # What it was made of is held too, so that nothing else gets its identity.
                known = everything, make(*owners, **named)
            shelf[key] = known
            while len(shelf) > size:
                shelf.popitem(last=False)
            return known[1]

        return found

    return keeping
