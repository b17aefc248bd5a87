"""Claims about training: how much faster, how much cheaper, what one job costs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advisor.engine.calibration import Calibration
from advisor.engine.cases import Floats, TrainingCases
from advisor.engine.evidence.claims_market import rent_usd_per_h
from advisor.engine.evidence.claims_values import Checked, Finding, Verdict, percent
from advisor.engine.training.performance import training_point
from catalog.specs import (
    PRECISIONS,
    AcceleratorSpec,
    CatalogueSnapshot,
    Evidence,
    TrainingMeasurement,
)
from catalog.units import MEGA, SECONDS_PER_HOUR


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A training job that two parts are compared by."""

    label: str
    model: str
    task: str
    accelerators: int
    seq_len: float
    sequences: float


A100, H100 = "nvidia-a100-sxm-80gb", "nvidia-h100-sxm"
TPUS = ("google-tpu-v5e", "google-tpu-v5p", "google-tpu-v6e")
JOBS = (
    Job(
        label="full fine-tune of 8B on 8",
        model="llama3.1-8b",
        task="finetune",
        accelerators=8,
        seq_len=4096.0,
        sequences=64.0,
    ),
    Job(
        label="adapters of 70B on 8",
        model="llama2-70b",
        task="lora",
        accelerators=8,
        seq_len=8192.0,
        sequences=8.0,
    ),
    Job(
        label="pre-training of 70B on 256",
        model="llama2-70b",
        task="pretrain",
        accelerators=256,
        seq_len=4096.0,
        sequences=1024.0,
    ),
)
BIG_BATCH = JOBS[2]
CLAIMED_SPEED_UP = 6.0
CLAIMED_TPU_SAVING = 0.20
ARTICLE_USD_PER_H, ARTICLE_GPUS, ARTICLE_HOURS = 20.0, 4, 72.0
ARTICLE_TOTAL_USD = 6910.0


def job_speed(
    job: Job,
    *,
    parts: Sequence[AcceleratorSpec],
    precisions: Sequence[str],
    snapshot: CatalogueSnapshot,
    calibration: Calibration,
) -> tuple[Floats, Floats]:
    """Tokens a second of one accelerator, and half its 80 % range in logarithms; one a part.

    Source: advisor.engine.training.performance.
    """
    rows = len(parts)
    model = next(m for m in snapshot.models if m.slug == job.model)
    point = training_point(
        TrainingCases(
            accelerators=tuple(parts),
            models=(model,),
            accelerator=np.arange(rows),
            model=np.zeros(rows, dtype=np.int64),
            precision=np.array([PRECISIONS.index(name) for name in precisions]),
            software_month=np.full(rows, np.nan),
            accelerator_count=np.full(rows, job.accelerators),
            system_accelerator_count=np.array([max(p.scale_up_domain, 8) for p in parts]),
            scale_out_bytes_per_s=np.full(rows, np.nan),
            task=np.full(rows, job.task),
            seq_len=np.full(rows, job.seq_len),
            global_batch=np.full(rows, job.sequences),
            recompute=np.full(rows, "auto"),
            assumed=np.zeros(rows, dtype=np.int64),
        ),
        calibration,
    )
    speed = point.tokens_per_s_per_accelerator
    value = np.where(point.fits, speed.value, np.nan)
    return value, np.log(speed.value / speed.low)


def check_speed_up(
    snapshot: CatalogueSnapshot,
    calibration: Calibration,
    measured: Sequence[TrainingMeasurement],
) -> Checked:
    """H100 against A100 in training: computed for three jobs, and every published pair.

    Source: advisor.engine.training.performance; the stored training measurements.
    """
    parts = {part.slug: part for part in snapshot.accelerators}
    findings, ratios = [], []
    for precision in ("bf16", "fp8"):
        words = []
        for job in JOBS:
            speed, half = job_speed(
                job,
                parts=(parts[A100], parts[H100]),
                precisions=("bf16", precision),
                snapshot=snapshot,
                calibration=calibration,
            )
            ratio, spread = float(speed[1] / speed[0]), float(np.exp(np.hypot(*half)))
            if not np.isfinite(ratio):
                words.append(f"{job.label}: does not fit on the A100")
                continue
            ratios.append(ratio)
            words.append(
                f"{job.label}: {ratio:.1f} times ({ratio / spread:.1f} to {ratio * spread:.1f})"
            )
        findings.append(
            Finding(
                text=f"H100 in {precision} against A100 in bf16. " + "; ".join(words) + ".",
                evidence=Evidence.CALIBRATED.value,
                source="Training model with the shipped calibration, same job and count on both",
            )
        )
    published = published_speed_ups(measured)
    typical = f"{min(ratios):.1f} to {max(ratios):.1f} times" if ratios else "nothing"
    reached = max([*ratios, *(f for _, f in published)], default=0.0) >= CLAIMED_SPEED_UP
    return Checked(
        computed=tuple(findings),
        published=_speed_up_findings(published, measured),
        verdict=Verdict.PARTLY if reached else Verdict.NOT_SUPPORTED,
        conclusion=(
            f"The model expects {typical} for the same job; the best published pair of runs "
            f"shows {max((f for _, f in published), default=float('nan')):.1f} times."
        ),
    )


def published_speed_ups(measured: Sequence[TrainingMeasurement]) -> list[tuple[str, float]]:
    """Each published pair of the same job on both parts, best run of each, by model.

    Speeds compare at equal sequence length and 16 bits, times at equal count.
    """
    best: dict[tuple[str, str, float | int | None], dict[str, float]] = {}
    for row in measured:
        if row.accelerator_slug not in (A100, H100):
            continue
        speed = row.tokens_per_s_per_accelerator
        if speed and row.precision in ("bf16", "fp16"):
            key = (row.model, "speed", row.seq_len)
        elif row.time_to_train_s:
            key, speed = (row.model, "time", row.accelerator_count), 1.0 / row.time_to_train_s
        else:
            continue
        runs = best.setdefault(key, {})
        runs[row.accelerator_slug] = max(runs.get(row.accelerator_slug, 0.0), speed)
    return sorted(
        (f"{key[0]}{'' if key[1] == 'speed' else f' on {key[2]}'}", runs[H100] / runs[A100])
        for key, runs in best.items()
        if len(runs) > 1
    )


def _speed_up_findings(
    published: Sequence[tuple[str, float]], measured: Sequence[TrainingMeasurement]
) -> tuple[Finding, ...]:
    if not published:
        return ()
    sources = sorted({r.source for r in measured if r.accelerator_slug in (A100, H100)})
    low, high = min(f for _, f in published), max(f for _, f in published)
    each = ", ".join(f"{name} {factor:.1f}" for name, factor in published)
    return (
        Finding(
            text=f"{low:.1f} to {high:.1f} times over {len(published)} pairs of runs: {each}.",
            evidence=Evidence.MEASURED.value,
            source="; ".join(s for s in sources if "MLPerf" in s or "llm-foundry" in s),
        ),
    )


def check_tpu_price(snapshot: CatalogueSnapshot, calibration: Calibration) -> Checked:
    """USD for a million tokens of big-batch pre-training, TPU against GPU.

    Both on Google Cloud, and against an H100 at the median and lowest price anywhere.

    Source: advisor.engine.training.performance; on-demand prices of the catalogue.
    """
    parts = {part.slug: part for part in snapshot.accelerators}
    slugs = (A100, H100, *TPUS)
    speed, half = job_speed(
        BIG_BATCH,
        parts=[parts[slug] for slug in slugs],
        precisions=["bf16"] * len(slugs),
        snapshot=snapshot,
        calibration=calibration,
    )
    rents = np.array([rent_usd_per_h(snapshot, slug, provider="gcp") for slug in slugs])
    usd = rents / SECONDS_PER_HOUR / speed * MEGA
    costs = [
        f"{parts[slug].name} at ${rent:.2f} an hour ${cost:.2f}"
        for slug, rent, cost in zip(slugs, rents, usd, strict=True)
        if np.isfinite(cost)
    ]
    anywhere = rent_usd_per_h(snapshot, H100, quantile=0.0)
    elsewhere = anywhere / SECONDS_PER_HOUR / speed[1] * MEGA
    known = [i for i, slug in enumerate(slugs) if slug in TPUS and np.isfinite(usd[i])]
    here = {
        f"{parts[slugs[i]].name} against {parts[slugs[j]].name}": (
            1.0 - usd[i] / usd[j],
            float(np.exp(np.hypot(half[i], half[j]))),
        )
        for i in known
        for j in (0, 1)
        if np.isfinite(usd[j])
    }
    there = {parts[slugs[i]].name: float(usd[i] / elsewhere) for i in known}
    if not (here and np.isfinite(elsewhere)):
        return Checked(
            computed=(),
            verdict=Verdict.UNCHECKED,
            conclusion="No pair of prices is on record today.",
            not_computed="a price of either side is missing",
        )
    prices = "on-demand prices of the catalogue"
    return Checked(
        computed=(
            _calibrated(
                f"A million tokens of {BIG_BATCH.label} in bf16 on Google Cloud: "
                + "; ".join(costs),
                f"Training model, and the median of Google Cloud's {prices} over its regions",
            ),
            _calibrated(
                "Saved: "
                + "; ".join(
                    f"{pair} {percent(saved)} ({percent(1.0 - (1.0 - saved) * spread)} to "
                    f"{percent(1.0 - (1.0 - saved) / spread)})"
                    for pair, (saved, spread) in here.items()
                ),
                "The figures above, with the ranges of both speeds",
            ),
            _calibrated(
                f"Against the lowest H100 price anywhere (${anywhere:.2f} an hour): "
                + "; ".join(f"{name} {times:.1f} times the cost" for name, times in there.items()),
                f"Training model, and the {prices} of all providers",
            ),
        ),
        verdict=_tpu_verdict([saved for saved, _ in here.values()], list(there.values())),
        conclusion=_tpu_conclusion([saved for saved, _ in here.values()], list(there.values())),
    )


def _tpu_verdict(here: Sequence[float], there: Sequence[float]) -> Verdict:
    if max(here) < CLAIMED_TPU_SAVING:
        return Verdict.NOT_SUPPORTED
    if min(here) >= CLAIMED_TPU_SAVING and max(there) <= 1.0 - CLAIMED_TPU_SAVING:
        return Verdict.SUPPORTED
    return Verdict.DEPENDS


def _tpu_conclusion(here: Sequence[float], there: Sequence[float]) -> str:
    return (
        "A TPU is cheaper exactly where its price ratio to the GPU is below its speed ratio. "
        f"Within Google Cloud's list prices that comes to savings of {percent(min(here))} to "
        f"{percent(max(here))} by generation; against the lowest H100 price of any provider they "
        f"cost {min(there):.1f} to {max(there):.1f} times as much. One figure for all is not to "
        "be had."
    )


def _calibrated(text: str, source: str) -> Finding:
    return Finding(text=f"{text}.", evidence=Evidence.CALIBRATED.value, source=source)


def check_job_cost(snapshot: CatalogueSnapshot) -> Checked:
    """The article's fine-tuning job at today's rent of an H100.

    Source: on-demand prices of the catalogue, all providers.
    """
    rent, least = rent_usd_per_h(snapshot, H100), rent_usd_per_h(snapshot, H100, quantile=0.0)
    hours = ARTICLE_GPUS * ARTICLE_HOURS
    compute = rent * hours
    others = ARTICLE_TOTAL_USD - ARTICLE_USD_PER_H * hours
    total = others + compute
    return Checked(
        computed=(
            Finding(
                text=(
                    f"An H100 rents at ${rent:.2f} an hour (median of all on-demand offers): "
                    f"compute ${compute:,.0f} instead of $5,760, the job ${total:,.0f}. At the "
                    f"cheapest, ${least:.2f}, the job is ${others + least * hours:,.0f}."
                ),
                evidence=Evidence.LIST.value,
                source="On-demand prices of the catalogue; the article's other lines unchanged",
            ),
        ),
        verdict=Verdict.PARTLY if np.isfinite(rent) else Verdict.UNCHECKED,
        conclusion=(
            "The sum is right, its price is not today's. The other lines are "
            f"{percent(1.0 - compute / total)} of the bill then, against "
            f"{percent(1.0 - ARTICLE_USD_PER_H * hours / ARTICLE_TOTAL_USD)} in the article."
        ),
    )
