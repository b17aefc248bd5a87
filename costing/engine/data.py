"""What it costs to keep bytes and to send them out, in steps that get cheaper."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressTariff:
    """One provider's price for bytes that leave to the internet, per calendar month."""

    name: str
    free_bytes: float
    steps: tuple[tuple[float, float], ...]
    """(bytes up to which the step holds, counted with the free ones; USD per byte), rising."""
    source: str = ""
    evidence: str = "assumed"

    def __post_init__(self) -> None:
        if not self.steps or self.steps[-1][0] != inf:
            message = f"the last step of the egress tariff {self.name!r} must have no upper end"
            raise ValueError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageTariff:
    """One provider's price for bytes kept a month."""

    name: str
    usd_per_byte_month: float
    source: str = ""
    evidence: str = "assumed"


BUNDLED_EGRESS = EgressTariff(
    name="bundled", free_bytes=inf, steps=((inf, 0.0),), source="no charge stated"
)
NO_STORAGE_PRICE = StorageTariff(name="none", usd_per_byte_month=0.0)


def tariff_usd(tariff: EgressTariff, *, bytes_per_month: ArrayLike) -> Floats:
    """USD a month for any volumes in bytes a month: each step's share at that step's price.

    Only the volume inside a step pays its price (marginal tiers), and the free volume is
    taken off the first bytes of each month. Rates are per calendar month and per account.

    Source: tier arithmetic of the providers' price pages, e.g. AWS EC2 "Data Transfer".
    """
    volume = np.asarray(bytes_per_month, dtype=np.float64)
    total = np.zeros(volume.shape)
    lower = tariff.free_bytes
    for upper, usd_per_byte in tariff.steps:
        if upper <= lower:
            continue
        total += np.clip(volume - lower, 0.0, upper - lower) * usd_per_byte
        lower = upper
    return total


def egress_table_usd(tariffs: Sequence[EgressTariff], *, bytes_per_month: Floats) -> Floats:
    """USD a month of each tariff at each volume; shape (tariffs, volumes).

    Source: as `tariff_usd`.
    """
    table = np.zeros((len(tariffs), *bytes_per_month.shape))
    for row, tariff in enumerate(tariffs):
        table[row] = tariff_usd(tariff, bytes_per_month=bytes_per_month)
    return table
