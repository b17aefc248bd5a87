"""Methods pages: how every figure is made, from Markdown files."""

from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.views.decorators.http import require_safe
from markdown_it import MarkdownIt

FOLDER = Path(settings.BASE_DIR) / "templates" / "docs"
INDEX = "index"


@lru_cache(maxsize=1)
def page_titles() -> dict[str, str]:
    """Name and title of each page, in reading order: the index lists them."""
    names = [path.stem for path in sorted(FOLDER.glob("*.md")) if path.stem != INDEX]
    return {name: _title(_source(name)) for name in sorted(names, key=_place)}


def _source(name: str) -> str:
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def _title(source: str) -> str:
    return source.splitlines()[0].removeprefix("# ").strip()


@lru_cache(maxsize=1)
def _index_order() -> list[str]:
    source = _source(INDEX)
    return [part.split(")")[0].strip("/") for part in source.split("(/docs/")[1:]]


def _place(name: str) -> tuple[int, str]:
    order = _index_order()
    return (order.index(name) if name in order else len(order), name)


@lru_cache(maxsize=64)
def rendered(name: str) -> SafeString:
    """A page as HTML; raw HTML in the Markdown is shown as text."""
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": False}).enable("table")
    tokens = markdown.parse(_source(name))
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", slugify(inline.content))
    html: str = markdown.renderer.render(tokens, markdown.options, {})
    return SafeString(html)


@require_safe
def docs(request: HttpRequest, name: str = INDEX) -> HttpResponse:
    if name != INDEX and name not in page_titles():
        raise Http404
    context = {
        "nav": "docs",
        "name": name,
        "title": _title(_source(name)),
        "body": rendered(name),
        "pages": page_titles(),
    }
    return render(request, "docs/page.html", context)
