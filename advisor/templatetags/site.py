"""What every page shows: the age of the catalogue, the engine's version, the way to the API."""

import re
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


_REPOSITORY = re.compile(
    r"^(?P<own>[\w.-]+/[\w.-]+)(?: \(read from fork (?P<fork>[\w.-]+/[\w.-]+)\))?"
    r"(?:@(?P<commit>[0-9a-f]{6,40}))? (?P<path>[\w./+=-]+)"
)
_PREPRINT = re.compile(r"^arXiv[ :](?P<number>\d{4}\.\d{4,5})", re.IGNORECASE)
_PACKAGE = re.compile(r"^(?P<name>[\w-]+) (?P<version>[\d.]+) \(PyPI\)")


@register.filter
def source_url(reference: str) -> str:
    """Where a source reference can be opened: an address, a file of a repository, a package."""
    if reference.startswith(("https://", "http://")):
        return reference.split()[0]
    if found := _PREPRINT.match(reference):
        return f"https://arxiv.org/abs/{found['number']}"
    if found := _PACKAGE.match(reference):
        return f"https://libraries.io/pypi/{found['name']}/{found['version']}"
    found = _REPOSITORY.match(reference)
    if found is None:
        return ""
    repository = found["fork"] or found["own"]
    if "/" not in found["path"] and "." not in found["path"]:
        return f"https://github.com/{repository}"
    return f"https://github.com/{repository}/blob/{found['commit'] or 'HEAD'}/{found['path']}"


@register.simple_tag
def api_docs_url() -> str:
    """Where the API describes itself."""
    return reverse("docs-page", args=["api"])


@register.simple_tag
def path_topics() -> Collection[Topic]:
    """The what-ifs about latency, in their order."""
    return TOPICS.values()
