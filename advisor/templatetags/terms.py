"""Terms of a formula tree for people to read."""

from django import template

from advisor.engine.explain.terms import Term
from advisor.templatetags.quantities import number, quantity, seconds, si

register = template.Library()

_PREFIXED = frozenset({"B", "B/s", "FLOP", "FLOP/s", "parameters", "W"})
_SIGNS = (("**", "^"), ("*", "×"), ("-", "\N{MINUS SIGN}"), ("/", "÷"))
_TINY = 1e-4


@register.filter
def worth(term: Term) -> str:
    """A term's value with its unit."""
    if term.unit in _PREFIXED:
        return si(term.value, term.unit)
    if term.unit == "s" and abs(term.value) >= _TINY:
        return seconds(term.value)
    if term.unit == "s" and term.value:
        return f"{number(term.value * 1e6)} µs"
    if term.value and abs(term.value) < _TINY:
        return f"{term.value:.3g} {term.unit}".rstrip()
    return quantity(term.value, "" if term.unit == "fraction" else term.unit)


@register.filter
def formula(term: Term) -> str:
    """A term's formula in signs that are read, not programmed; the method where it has none."""
    if not term.formula:
        return f"{term.method}({', '.join(child.symbol for child in term.children)})"
    text = term.formula
    for programmed, read in _SIGNS:
        text = text.replace(f" {programmed} ", f" {read} ")
    return text


@register.filter
def deeper(depth: int) -> int:
    """One level further down."""
    return depth + 1
