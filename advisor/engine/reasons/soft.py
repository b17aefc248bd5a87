"""Soft criteria as findings: who else sells a part, what runs on it, how open it is, how long."""

from collections.abc import Mapping
from dataclasses import dataclass

from advisor.engine.search.fits import TASK_OF_KIND, support_of
from advisor.engine.search.pricing import porting_weeks
from advisor.engine.workload import Question, Workload
from catalog.specs import AcceleratorSpec, CatalogueSnapshot
from costing.engine.rates import Rates

WEEKS_PER_YEAR = 52.0
OPENNESS: Mapping[str, str] = {
    "open_module": "Open module (OCP OAM)",
    "open_scale_up": "Open links between accelerators (UALink, Ethernet)",
    "open_scale_out": "Open network (Ultra Ethernet)",
    "open_compiler": "Open compiler",
}
LIFECYCLES: Mapping[str, str] = {
    "ga": "on sale and supported by its maker",
    "eol": "ended by its maker: support may stop within the horizon",
    "announced": "announced, not on sale",
}
_STATUS: Mapping[str, str] = {
    "supported": "yes",
    "partial": "in part",
    "unsupported": "no",
    "unknown": "not on record",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact about a part that no cost line shows in full, with where it was read."""

    topic: str
    text: str
    source: str
    usd: float | None = None  # where it is priced in the plan already


def findings(
    part: AcceleratorSpec,
    *,
    question: Question,
    workload: Workload,
    snapshot: CatalogueSnapshot,
    rates: Rates,
) -> list[Finding]:
    """Lock-in, maturity, porting, support and openness of a part: facts, never a score.

    What is not on record says so. Porting is priced in person-weeks as the cost breakdown has it.

    Source: rows of the catalogue, each named.
    """
    return [
        _sellers(part, snapshot),
        Finding(
            topic="Life", text=f"It is {LIFECYCLES.get(part.lifecycle, part.lifecycle)}.",
            source=part.source,
        ),
        *_software(part, question, workload, snapshot),
        _porting(part, question, rates),
        *_openness(part, snapshot),
    ]  # fmt: skip


def _sellers(part: AcceleratorSpec, snapshot: CatalogueSnapshot) -> Finding:
    sellers = sorted(
        {offer.provider for offer in snapshot.offers if offer.accelerator_slug == part.slug}
    )
    only = "; only its maker's own cloud rents it" if "cloud only" in part.form_factor else ""
    if not sellers:
        text = f"No dated offer in the catalogue{only}."
    else:
        few = ", ".join(sellers[:6]) + (" and others" if len(sellers) > 6 else "")  # noqa: PLR2004
        text = f"Offered by {len(sellers)} ({few}){only}."
    return Finding(topic="Who else sells it", text=text, source="offers of the catalogue, counted")


NAMES: Mapping[str, str] = {
    "llm_inference": "inference of language models", "llm_training": "training of language models",
    "pytorch": "PyTorch", "jax": "JAX", "tensorflow": "TensorFlow", "vllm": "vLLM",
    "sglang": "SGLang", "tensorrt-llm": "TensorRT-LLM", "cuda": "CUDA", "rocm": "ROCm",
    "onnx": "ONNX",
}  # fmt: skip
"""Names of tasks and software as their makers write them; others are words already."""


def _software(
    part: AcceleratorSpec, question: Question, workload: Workload, snapshot: CatalogueSnapshot
) -> list[Finding]:
    found = []
    for name in dict.fromkeys([TASK_OF_KIND[workload.kind], *sorted(question.frameworks)]):
        row = support_of(snapshot.support, part, name)
        if row is None:
            text, source = "not on record.", "the catalogue has no row"
        else:
            text, source = f"{_STATUS[row.status]}. {row.note}", row.source
        topic = f"Runs {NAMES.get(name, name.replace('_', ' '))}"
        found.append(Finding(topic=topic, text=text, source=source))
    return found


def _porting(part: AcceleratorSpec, question: Question, rates: Rates) -> Finding:
    weeks = porting_weeks(part, question, rates)
    if weeks <= 0.0:
        return Finding(
            topic="Team and porting",
            text="No porting is counted: your answers name no custom kernels that would move."
            if question.custom_kernels == "none"
            else "No porting is counted on the part the kernels were written for.",
            source="your answers",
        )
    rate = rates["porting/weeks"]
    return Finding(
        topic="Team and porting",
        text=f"{weeks:.0f} person-weeks for {question.custom_kernels} custom kernels "
        f"({rate.evidence}), in the plan's cost.",
        source=rate.source,
        usd=weeks / WEEKS_PER_YEAR * question.money.staff_usd_per_year,
    )


def _openness(part: AcceleratorSpec, snapshot: CatalogueSnapshot) -> list[Finding]:
    found = []
    for name, label in OPENNESS.items():
        row = support_of(snapshot.support, part, name)
        if row is not None:
            found.append(
                Finding(topic=label, text=f"{_STATUS[row.status]}. {row.note}", source=row.source)
            )
    if not found:
        found = [
            Finding(topic="Openness", text="not on record.", source="the catalogue has no row")
        ]
    return found
