"""Keep the state of the catalogue that a run was computed from."""

from catalog.engine.archive import packed
from catalog.models import Snapshot
from catalog.specs import CatalogueSnapshot


def keep_snapshot(snapshot: CatalogueSnapshot) -> Snapshot:
    """The row of this state, made on first use; equal states share one row."""
    kept = Snapshot.objects.filter(digest=snapshot.digest).first()
    if kept is not None:
        return kept
    row, _ = Snapshot.objects.get_or_create(
        digest=snapshot.digest, defaults={"as_of": snapshot.as_of, "content": packed(snapshot)}
    )
    return row
