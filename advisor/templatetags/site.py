"""What every page shows: the age of the catalogue, the engine's version, the way to the API."""

from collections.abc import Collection
from typing import Any

from django import template
from django.db.models import Max
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from advisor.engine.version import ENGINE_VERSION
from advisor.services.paths import TOPICS, Topic
from catalog.models import PricePoint

register = template.Library()


@register.inclusion_tag("_footer.html")
def site_footer() -> dict[str, Any]:
    """The footer: one query."""
    newest = SimpleLazyObject(lambda: PricePoint.objects.aggregate(day=Max("observed_last"))["day"])
    return {"newest_price": newest, "engine_version": ENGINE_VERSION}


@register.simple_tag
def api_docs_url() -> str:
    """Where the API describes itself."""
    return reverse("docs-page", args=["api"])


@register.simple_tag
def path_topics() -> Collection[Topic]:
    """The what-ifs about latency, in their order."""
    return TOPICS.values()
