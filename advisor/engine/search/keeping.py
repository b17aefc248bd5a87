"""What a workload keeps on fast storage, and at which tariff."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advisor.engine.cases import Bools
from advisor.engine.workload import Question, Workload
from costing.engine.data import StorageTariff
from costing.engine.rates import Rates, streaming_storage

CHECKPOINT_BYTES_PER_PARAM = 14.0


def share_of(question: Question) -> float:
    """Each workload's equal share of what the assessment needs once: storage, egress, people."""
    return 1.0 / max(len(question.workloads), 1)


def stored_bytes(question: Question, workload: Workload) -> float:
    """A workload's share of the fast storage, and the data set of a training job, bytes."""
    training = workload.training
    own = training.dataset_bytes if training is not None else 0.0
    return question.storage_bytes * share_of(question) + own


def checkpoints_bytes(workload: Workload, rates: Rates) -> float:
    """The checkpoints of a training job that are kept, bytes; those of adapters are small.

    Source: weights and optimizer states of mixed precision with Adam, 2 + 12 bytes for each
    trained parameter (S. Rajbhandari et al., ZeRO, SC 2020, section 3.1).
    """
    training = workload.training
    if training is None:
        return 0.0
    share = training.trainable_fraction if training.task == "lora" else 1.0
    each = CHECKPOINT_BYTES_PER_PARAM * share * training.model.total_params
    return each * rates["checkpoints_kept"].value


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a workload keeps: how many bytes, at which tariff; a fast tier where speed decides."""

    owned_bytes: float
    rented_bytes: float
    tariffs: tuple[StorageTariff, ...]
    streams: bool

    @classmethod
    def of(
        cls,
        question: Question,
        workload: Workload,
        rates: Rates,
        tariffs: tuple[StorageTariff, ...],
    ) -> "Kept":
        """By the answers, at the providers' own tariffs unless speed was asked for."""
        kept = stored_bytes(question, workload) + checkpoints_bytes(workload, rates)
        speed = question.storage_bytes_per_s * share_of(question)
        if speed <= 0.0:
            return cls(owned_bytes=kept, rented_bytes=kept, tariffs=tariffs, streams=False)
        tier, ordered = streaming_storage(rates, kept_bytes=kept, bytes_per_s=speed)
        return cls(owned_bytes=kept, rented_bytes=ordered, tariffs=(*tariffs, tier), streams=True)

    def tariff(self, of_provider: NDArray[np.int64], owned: Bools) -> NDArray[np.int64]:
        """Index of the tariff of each offer, from those of the providers."""
        if not self.streams:
            return of_provider
        return np.where(owned, of_provider, len(self.tariffs) - 1)
