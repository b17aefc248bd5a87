"""What engineers' files share: one replica of the plan's model, and how many there are where."""

import re
from dataclasses import dataclass
from math import ceil

import numpy as np

from advisor.engine.search.candidates import kv_cache_precision
from advisor.engine.search.placement import sold_by_the_chip
from advisor.engine.search.river import model_of
from advisor.engine.workload import ServingDemand
from advisor.exports.refusal import CannotExport
from advisor.exports.subject import HOSTED, Chosen, Subject
from advisor.exports.text import STARTING_POINT, one_line, slug_of
from catalog.specs import PRECISIONS, AcceleratorSpec, Family, ModelSpec, OfferSpec

MEMORY_UTILISATION = 0.9  # vLLM's own default, which the plan's memory was computed with
PREFILL = "prefill"  # role of a pool that only computes prompts
NODE = 8  # accelerators of one host that rents them one by one (assumed)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+")
# How sources of the catalogue name a repository of weights.
_NAMED = (
    re.compile(r"huggingface\.co/([\w.-]+/[\w.-]+)"),
    re.compile(r"/([\w.]+(?:-[\w.]+)*--[\w.-]+?)_config\.json"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A plan on machines of one's own or rented, as engines and clusters count it."""

    chosen: Chosen
    model: ModelSpec
    part: AcceleratorSpec
    offer: OfferSpec
    precision: str
    engine: str
    tensor: int
    pipeline: int
    expert: int
    attention_data: int
    replicas: int
    accelerators_per_machine: int
    machines: int
    role: str = ""  # prefill or decode, of a pool that does one of them only

    @property
    def chips(self) -> int:
        """Accelerators of one replica."""
        return self.tensor * self.pipeline

    @property
    def machines_per_replica(self) -> int:
        """Machines that one replica spans."""
        return ceil(self.chips / self.accelerators_per_machine)

    @property
    def slug(self) -> str:
        """The model's name as file, label and shell word."""
        return slug_of(self.model.slug.split("/")[-1] or self.model.name)

    @property
    def serving(self) -> ServingDemand:
        """The demand; only where the plan serves."""
        demand = self.chosen.workload.serving
        if demand is None:
            raise CannotExport(TRAINS)
        return demand

    @property
    def kv_precision(self) -> str:
        """Format of the KV cache."""
        asked = self.serving.kv_precision
        if asked in PRECISIONS:
            return asked
        return PRECISIONS[int(kv_cache_precision(np.array([PRECISIONS.index(self.precision)]))[0])]

    @property
    def context_tokens(self) -> int:
        """The longest request the plan has room for."""
        demand = self.serving
        wanted = max(demand.max_context_tokens, demand.input_tokens + demand.output_tokens)
        limit = self.model.context_max
        return int(min(wanted, limit) if limit else wanted)

    @property
    def batch_limit(self) -> int:
        """Requests in flight on one replica within the targets."""
        limit = self.chosen.plan.get("batch_limit")
        return max(int(limit), 1) if isinstance(limit, float) else 1

    @property
    def is_quantised_at_load(self) -> bool:
        """Whether the engine makes the plan's format itself from a wider checkpoint."""
        return self.precision == "fp8" and self.model.native_precision not in ("fp8", "fp4", "int4")

    @property
    def checkpoint(self) -> str:
        """A repository of weights in the plan's format that the catalogue's sources name, or ""."""
        published = self.model.published_precisions.get(self.precision, "")
        own = self.precision == self.model.native_precision or self.is_quantised_at_load
        for text in (published, self.model.source if own else ""):
            for pattern in _NAMED:
                found = pattern.search(text)
                if found:
                    name = found[1].replace("--", "/", 1).rstrip(".")
                    if _REPOSITORY.fullmatch(name):
                        return name
        return ""

    def heading(self, subject: Subject, what: str) -> list[str]:
        """The first lines of a file: what it is, of which plan, from which run."""
        plan = subject.plan or self.chosen.plan
        return [
            f"{what}: {one_line(self.model.name)} in {self.precision} for "
            f"{one_line(plan['workload'], most=80)}.",
            f"Plan {plan['id']}: {one_line(plan['name'])}.",
            f"Run {subject.run_id}, catalogue {subject.document['catalog_snapshot']['as_of']}, "
            f"engine {subject.document['engine_version']}.",
            STARTING_POINT,
        ]


TRAINS = "This plan trains a model and serves none: take the Accelerate configuration."
SERVES = "This plan serves a model and trains none."


def deployment_of(subject: Subject) -> Deployment:
    """The plan as a deployment; CannotExport where there is nothing to deploy."""
    return _deployed(subject.chosen)


def deployments_of(subject: Subject) -> tuple[Deployment, ...]:
    """The prefill and the decode pool of a plan with both apart, else the plan's one deployment.

    CannotExport where there is nothing to deploy.
    """
    return tuple(_deployed(pool) for pool in subject.pools) or (deployment_of(subject),)


def _deployed(chosen: Chosen) -> Deployment:
    if chosen.row is None:
        raise CannotExport(HOSTED)
    model = model_of(chosen.workload)
    if model.weights_access == "closed":
        message = (
            f"{one_line(model.name)} is closed: nobody outside can deploy it. A hosted plan has an "
            "API client instead."
        )
        raise CannotExport(message)
    plan, shape, offer = chosen.plan, chosen.plan["parallelism"], chosen.offer
    by_chip = sold_by_the_chip(offer)
    chips = shape["tensor"] * shape["pipeline"]
    held = max(min(chips, NODE), 1) if by_chip else max(int(offer.accelerator_count), 1)
    return Deployment(
        chosen=chosen,
        model=model,
        part=chosen.part,
        offer=offer,
        precision=plan["precision"],
        engine=plan["engine"],
        tensor=shape["tensor"],
        pipeline=shape["pipeline"],
        expert=shape["expert"],
        attention_data=shape["attention_data"],
        replicas=shape["replicas"],
        accelerators_per_machine=held,
        machines=ceil(plan["accelerator_count"] / held) if by_chip else plan["system_count"],
        role=plan.get("role", ""),
    )


def serving_of(subject: Subject) -> Deployment:
    """The plan as a serving deployment; CannotExport for training, hosted APIs and fleets."""
    found = deployment_of(subject)
    if found.chosen.workload.serving is None:
        raise CannotExport(TRAINS)
    return found


def training_of(subject: Subject) -> Deployment:
    """The plan as a training deployment; CannotExport for serving, hosted APIs and fleets."""
    found = deployment_of(subject)
    if found.chosen.workload.training is None:
        raise CannotExport(SERVES)
    return found


def is_gpu(part: AcceleratorSpec, *vendors: str) -> bool:
    """A GPU of one of these makers."""
    return part.family in (Family.GPU, Family.APU) and part.vendor in vendors
