"""The article's claims, checked against today's catalogue and kept until it changes."""

import csv
from functools import lru_cache
from pathlib import Path

from advisor.engine.calibration import FIXTURES, Calibration
from advisor.engine.evidence.claims import check_all
from advisor.engine.evidence.claims_values import Claims, ClaimText, Finding
from advisor.services.calibrations import active_calibration
from catalog.queries import snapshot, training_measurements
from catalog.specs import CatalogueSnapshot
from costing.queries import rates

CLAIMS_FILE = "claims.csv"


@lru_cache(maxsize=1)
def claim_texts(path: Path = FIXTURES / CLAIMS_FILE) -> tuple[ClaimText, ...]:
    """What was claimed and what others published, in the file's order."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    texts = []
    for claim in dict.fromkeys(row["claim"] for row in rows):
        mine = [row for row in rows if row["claim"] == claim]
        words = {row["kind"]: row["text"] for row in mine}
        texts.append(
            ClaimText(
                id=claim,
                title=words["title"],
                claimed=words["claimed"],
                measured=tuple(
                    Finding(text=row["text"], evidence=row["evidence"], source=row["source"])
                    for row in mine
                    if row["kind"] == "published"
                ),
            )
        )
    return tuple(texts)


def checked_claims() -> Claims:
    """All claims, checked against the catalogue and the calibration as they stand."""
    today, calibration = snapshot(), active_calibration()
    return _checked(today.digest, calibration.version, _Inputs(today, calibration))


class _Inputs:
    """What a check reads; equal to any other, so that the digests alone are the key."""

    def __init__(self, catalogue: CatalogueSnapshot, calibration: Calibration) -> None:
        self.catalogue, self.calibration = catalogue, calibration

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Inputs)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=2)
def _checked(digest: str, version: str, inputs: _Inputs) -> Claims:
    return check_all(
        claim_texts(),
        snapshot=inputs.catalogue,
        calibration=inputs.calibration,
        training=training_measurements(),
        rates=rates(),
    )
