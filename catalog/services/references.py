"""Names in a file to the ids of the rows that they mean."""

from collections.abc import Iterable

from catalog.models import (
    Accelerator,
    ModelArchitecture,
    Provider,
    Region,
    Source,
    System,
    Vendor,
)

SourceKey = tuple[str, str]


class References:
    """Ids of stored rows by what files call them, read once and kept in step by the importer."""

    def __init__(self) -> None:
        self.read()
        self.sources = {
            (title, url): pk for pk, title, url in Source.objects.values_list("pk", "title", "url")
        }

    def read(self) -> None:
        """Look again at what is stored."""
        self.vendors = dict(Vendor.objects.values_list("name", "slug"))
        self.accelerators = set(Accelerator.objects.values_list("slug", flat=True))
        self.systems = set(System.objects.values_list("slug", flat=True))
        self.models = set(ModelArchitecture.objects.values_list("slug", flat=True))
        self.providers = set(Provider.objects.values_list("slug", flat=True))
        self.regions = set(Region.objects.values_list("slug", flat=True))

    def add_sources(self, keys: Iterable[SourceKey]) -> None:
        """Store the sources that are not there yet."""
        missing = [key for key in dict.fromkeys(keys) if key[0] and key not in self.sources]
        if not missing:
            return
        Source.objects.bulk_create([Source(title=title, url=url) for title, url in missing])
        stored = Source.objects.filter(title__in={title for title, _ in missing})
        self.sources |= {(row.title, row.url): row.pk for row in stored}

    def source(self, title: str, url: str) -> int | None:
        """The row of a source; None where the file names none."""
        return self.sources[title, url] if title else None


def known(name: str, among: Iterable[str], what: str) -> str:
    """The id itself where such a row exists; raises ValueError with what is missing."""
    if name not in among:
        message = f"there is no {what} “{name}”"
        raise ValueError(message)
    return name


def optional(name: str, among: Iterable[str], what: str) -> str | None:
    """As `known`, with None for an empty name."""
    return known(name, among, what) if name else None
