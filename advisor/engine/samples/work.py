"""Cases without tokens as columns of plain numbers, and the time of one sample by its terms."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from advisor.engine.cases import Bools, Floats, SampleCases
from advisor.engine.samples.parameters import kind_parameter
from advisor.engine.serving.tables import BYTES_OF, accelerator_table, model_table
from catalog.specs import BYTES_PER_WEIGHT, PRECISIONS

DEFAULT_SEQUENCE = 384.0
TERMS = ("compute", "memory", "link", "overhead")
_TOKEN_KINDS = ("encoder", "embedding", "dense_llm", "moe_llm")
_GATHER_KINDS = ("recsys", "graph")
_RESERVE = 0.08
_REFERENCE_YEAR = 2022.0
_SHARPNESS = 3.0  # of the corner between compute and memory: some of each hides under the other
_PASSES_WORTH = 20.0  # a batch grows until its work is so many times the fixed time of a pass
_MOST_BATCH = 2.0**18
_PASSES_IN_LIMIT = 2.0  # one to wait for, one of its own


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleWork:
    """Columns over the cases."""

    flops: Floats  # forward, one sample
    own_bytes: Floats  # of one sample beside the weights; nan where not known
    weights: Floats  # bytes
    gathers: Bools
    is_graph: Bools
    special: Bools  # built for networks alone
    sram: Floats
    kind: tuple[str, ...]
    peak: Floats
    watts: Floats  # inf where unpublished
    width: Floats  # bytes of an operand: narrow ones cost less energy
    year: Floats
    bandwidth: Floats
    link: Floats
    count: Floats
    shards: Floats
    batch: Floats  # nan: as large as helps
    limit_s: Floats
    served: Bools

    def __len__(self) -> int:
        return len(self.flops)


def sample_work(cases: SampleCases) -> SampleWork:
    """Counts of each case from its part's and model's figures.

    Models that count in tokens do a sequence of them in a sample; tables larger than one
    accelerator are spread over as many as hold them.

    Source: shapes of the catalogue's models; two FLOPs a weight and token.
    """
    parts = accelerator_table(cases.accelerators)
    part, model = cases.accelerator, cases.model
    kinds = np.array([m.kind for m in cases.models])[model]
    weights = np.array([m.total_params for m in cases.models])[model] * BYTES_OF[cases.precision]
    streamed = np.array([a.streaming_memory_bytes for a in cases.accelerators], dtype=np.float64)
    memory = parts.usable_memory_bytes[part] * (1.0 - _RESERVE) + streamed[part]
    count = np.maximum(cases.accelerator_count.astype(np.float64), 1.0)
    widths = np.array([BYTES_PER_WEIGHT[name] for name in PRECISIONS])
    watts = np.array([a.tdp_w or np.inf for a in cases.accelerators], dtype=np.float64)
    return SampleWork(
        flops=_flops(cases, np.isin(kinds, _TOKEN_KINDS)),
        own_bytes=np.array([m.bytes_per_sample or np.nan for m in cases.models])[model],
        weights=weights,
        gathers=np.isin(kinds, _GATHER_KINDS),
        special=np.array([a.family.value not in ("gpu", "apu") for a in cases.accelerators])[part],
        is_graph=np.asarray(kinds == "graph"),
        sram=np.array([a.sram_bytes or 0.0 for a in cases.accelerators])[part],
        kind=tuple(str(kind) for kind in kinds),
        peak=parts.peak_flops_per_s[part, cases.precision],
        watts=watts[part],
        width=np.minimum(widths[cases.precision], 2.0),
        year=np.array([float(a.year) for a in cases.accelerators])[part],
        bandwidth=parts.bandwidth_bytes_per_s[part],
        link=parts.link_bytes_per_s[part],
        count=count,
        shards=np.maximum(np.ceil(weights / memory), 1.0),
        batch=cases.batch,
        limit_s=np.where(cases.scenario == "server", cases.latency_limit_s, np.inf),
        served=np.asarray(cases.scenario == "server"),
    )


def _flops(cases: SampleCases, tokens: Bools) -> Floats:
    models = model_table(cases.models)
    model = cases.model
    sequence = np.where(np.isnan(cases.sequence), DEFAULT_SEQUENCE, cases.sequence)
    active = models.dense_params + models.routed_params * models.experts_per_token / models.experts
    text = sequence * (
        2.0 * active[model] + models.prefill_flops_per_context_token[model] * sequence
    )
    given = np.array([m.flops_per_sample or np.nan for m in cases.models])[model]
    usual = np.array([2.0 * m.active_params for m in cases.models])[model]
    return np.where(np.isnan(given), np.where(tokens, text, usual), given)


@dataclass(frozen=True, slots=True, kw_only=True)
class PassTimes:
    """One pass of one accelerator's share: how many samples, how long, what for."""

    batch: Floats
    seconds: Mapping[str, Floats]  # by TERMS, as if nothing hid under anything
    pass_s: Floats
    samples_per_s: Floats  # whole deployment


def pass_times(work: SampleWork, p: Mapping[str, float]) -> PassTimes:
    """Times of a pass at the batch asked for, or at one that makes its fixed time small.

    Compute is bound by the peak and by what the power limit pays for; both, and memory time,
    join in a rounded corner. A latency limit caps the batch.

    Source: roofline of S. Williams et al., CACM 52 (2009); energy bound after J. Choi et al.,
    IPDPS 2013; embedding lookups after M. Naumov et al., arXiv:1906.00091.
    """
    matmul = np.array([p[kind_parameter("matmul", kind)] for kind in work.kind])
    reuse = np.array([p[kind_parameter("reuse", kind)] for kind in work.kind])
    spilled = p["on_chip"] / (p["on_chip"] + work.sram)
    usual = np.where(work.is_graph, p["graph_bytes"], work.flops / reuse * spilled)
    own = np.where(np.isnan(work.own_bytes), usual, work.own_bytes)
    powered = (
        work.watts
        * p["flops_per_joule"]
        * np.where(work.special, p["special"], 1.0)
        * p["per_year"] ** (work.year - _REFERENCE_YEAR)
        / work.width
    )
    compute = work.flops * _corner(1.0 / (matmul * work.peak), 1.0 / powered)
    rate = np.where(work.gathers, p["gather"], p["bandwidth"]) * work.bandwidth
    read = np.where(work.gathers, 0.0, work.weights / work.shards) / rate
    sample_s = _corner(compute, own / rate)
    away = (work.shards - 1.0) / work.shards
    link = own * p["cold"] * away / (p["shard"] * work.link)
    fixed = p["batch_s"] + read
    wanted = np.clip(_PASSES_WORTH * fixed / (sample_s + link), 1.0, _MOST_BATCH)
    batch = np.where(np.isnan(work.batch), wanted, work.batch)
    within = (work.limit_s / _PASSES_IN_LIMIT - fixed) / (sample_s + link)
    batch = np.minimum(batch, np.maximum(within, 1.0))
    pass_s = batch * (sample_s + link) + fixed
    held = np.where(work.served, p["server"], 1.0)
    return PassTimes(
        batch=batch,
        seconds={
            "compute": batch * compute,
            "memory": batch * own / rate + read,
            "link": batch * link,
            "overhead": np.full(len(work), p["batch_s"]),
        },
        pass_s=pass_s,
        samples_per_s=work.count * batch / pass_s * held,
    )


def _corner(one: Floats, other: Floats) -> Floats:
    """The longer of two times, rounded where they are alike."""
    return np.asarray((one**_SHARPNESS + other**_SHARPNESS) ** (1.0 / _SHARPNESS))
