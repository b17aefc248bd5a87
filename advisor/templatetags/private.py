"""What the pages of quotes and prices need beside numbers."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def lookup(mapping: Mapping[str, Any], key: str) -> Any:
    """The value of a mapping under a key that a row holds."""
    return mapping.get(key, key)
