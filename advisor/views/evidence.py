"""The evidence page: predicted against measured for groups no fit has seen, and checked claims."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from advisor.charts import FAMILY_LABELS
from advisor.engine.evidence.scores import ENOUGH, SPLITS, Point, Score, score, scores_by
from advisor.services.claims import checked_claims
from advisor.services.evidence import shipped_evidence, source_references
from advisor.services.simulated_evidence import shipped_simulated
from advisor.views.evidence_chart import predicted_against_measured

POINTS_ON_A_PAGE = 100
_LIMITED = ("server", "interactive")
_CLASS_LABELS: Mapping[str, str] = {
    "dense_llm": "Language model, dense",
    "moe_llm": "Language model, mixture of experts",
    "encoder": "Text encoder",
    "vision": "Vision",
    "diffusion": "Diffusion",
    "recsys": "Recommender",
    "speech": "Speech",
    "graph": "Graph network",
    "": "Not in the catalogue",
}
_PHASE_LABELS: Mapping[str, str] = {
    "offline": "Offline",
    "server": "Server, latency limits",
    "interactive": "Interactive, tighter limits",
    "concurrency": "Fixed concurrency",
    "pretrain": "Pre-training",
    "finetune": "Fine-tuning",
    "lora": "Adapters (LoRA)",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A quantity under the loads in which it means one thing."""

    id: str
    label: str
    quantity: str
    unit: str
    phases: tuple[str, ...] = ()  # all where empty
    speculative: bool = False

    def holds(self, point: Point) -> bool:
        """Whether a point is one of this figure."""
        return (
            point.quantity == self.quantity
            and (not self.phases or point.row.phase in self.phases)
            and point.row.speculative == self.speculative
        )


_TOKENS, _SECONDS = "tokens/s", "s"
FIGURES = (
    Figure(
        id="throughput-offline",
        label="Serving throughput, offline",
        quantity="output_tokens_per_s",
        unit=_TOKENS,
        phases=("offline",),
    ),
    Figure(
        id="throughput-limits",
        label="Serving throughput under latency limits",
        quantity="output_tokens_per_s",
        unit=_TOKENS,
        phases=_LIMITED,
    ),
    Figure(
        id="throughput-concurrency",
        label="Serving throughput at fixed concurrency",
        quantity="output_tokens_per_s",
        unit=_TOKENS,
        phases=("concurrency",),
    ),
    Figure(
        id="tpot-mean",
        label="Time per output token, mean",
        quantity="tpot_mean_s",
        unit=_SECONDS,
        phases=("concurrency",),
    ),
    Figure(
        id="ttft-mean",
        label="First token, mean",
        quantity="ttft_mean_s",
        unit=_SECONDS,
        phases=("concurrency",),
    ),
    Figure(
        id="tpot-p99",
        label="Time per output token, p99, under latency limits",
        quantity="tpot_p99_s",
        unit=_SECONDS,
        phases=_LIMITED,
    ),
    Figure(
        id="ttft-p99",
        label="First token, p99, under latency limits",
        quantity="ttft_p99_s",
        unit=_SECONDS,
        phases=_LIMITED,
    ),
    Figure(
        id="tpot-p99-concurrency",
        label="Time per output token, p99, at fixed concurrency",
        quantity="tpot_p99_s",
        unit=_SECONDS,
        phases=("concurrency",),
    ),
    Figure(
        id="training",
        label="Training speed of one accelerator",
        quantity="tokens_per_s_per_accelerator",
        unit=_TOKENS,
    ),
    Figure(
        id="samples",
        label="Samples of models without tokens",
        quantity="samples_per_s",
        unit="samples/s",
    ),
    Figure(
        id="speculative-throughput",
        label="Serving throughput, speculative decoding",
        quantity="output_tokens_per_s",
        unit=_TOKENS,
        speculative=True,
    ),
    Figure(
        id="speculative-tpot",
        label="Time per output token, median, speculative decoding",
        quantity="tpot_p50_s",
        unit=_SECONDS,
        speculative=True,
    ),
)
_SIMULATED: Mapping[str, str] = {
    "ttft_mean_s": "First token, mean",
    "tpot_mean_s": "Time per output token, mean",
    "ttft_p99_s": "First token, p99",
    "tpot_p99_s": "Time per output token, p99",
}
_BY_ID = {figure.id: figure for figure in FIGURES}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One row of a table of errors."""

    label: str
    score: Score
    figure: Figure | None = None
    family: str = ""
    link: str = ""  # slug of an accelerator


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Errors of one figure, told apart by one property."""

    id: str
    title: str
    lines: Sequence[Line]


@lru_cache(maxsize=2)
def overview(split: str) -> tuple[Line, ...]:
    """One line for each figure that anything was measured of."""
    lines = []
    for figure in FIGURES:
        points = points_of(figure)
        if points:
            lines.append(Line(label=figure.label, score=score(points, split), figure=figure))
    return tuple(lines)


@lru_cache(maxsize=len(FIGURES))
def points_of(figure: Figure) -> tuple[Point, ...]:
    """The points of a figure."""
    return tuple(point for point in shipped_evidence() if figure.holds(point))


@lru_cache(maxsize=2 * len(FIGURES))
def breakdowns(figure: Figure, split: str) -> tuple[Breakdown, ...]:
    """Errors by who made the part, the part, the kind of model, the load and the source."""
    points = points_of(figure)
    family_of = {_vendor_family(p): p.row.family for p in points}
    by_vendor = [
        Line(label=label, score=found, family=family_of[label])
        for label, found in scores_by(points, _vendor_family, split)
    ]
    by_part = [
        Line(label=label, score=found, link=label)
        for label, found in scores_by(points, lambda p: p.row.accelerator, split)
    ]
    tables = [
        Breakdown(id="vendor", title="By vendor and family", lines=by_vendor),
        Breakdown(id="part", title="By accelerator", lines=by_part),
    ]
    for key, title, labels in (
        ("model_class", "By kind of model", _CLASS_LABELS),
        ("phase", "By load", _PHASE_LABELS),
        ("source", "By source", {}),
    ):
        lines = [
            Line(label=labels.get(name, name), score=found)
            for name, found in scores_by(points, _property(key), split)
        ]
        tables.append(Breakdown(id=key.replace("_", "-"), title=title, lines=lines))
    return tuple(tables)


def _property(name: str) -> Callable[[Point], str]:
    return lambda point: str(getattr(point.row, name))


def _vendor_family(point: Point) -> str:
    return f"{point.row.vendor}, {FAMILY_LABELS.get(point.row.family, point.row.family)}"


def _worst_first(points: Sequence[Point], split: str) -> list[dict[str, Any]]:
    rows = []
    for point in points:
        guess = point.guesses[split]
        if guess is not None:
            error = guess.value / point.measured - 1.0
            inside = guess.low <= point.measured <= guess.high
            rows.append(
                {
                    "point": point,
                    "guess": guess,
                    "error": error,
                    "inside": inside,
                    "reference": source_references().get(point.row.id, ""),
                }
            )
    return sorted(rows, key=lambda row: -abs(row["error"]))


def _finding(figure: Figure, found: Score) -> str:
    if not found.n:
        return f"{figure.label}: nothing measured could be predicted."
    half = f"Half of {found.n} predictions are within {found.median_error:.0%} of the measurement"
    tenth = f"nine of ten within {found.p90_error:.0%}"
    held = f"{found.coverage:.0%} of the measurements lie in the 80 % range"
    unproven = "" if found.is_proven else " With so few cases nothing is proven."
    return f"{half}, {tenth}; {held}.{unproven}".replace("%", " %").replace("  %", " %")


@require_safe
def evidence(request: HttpRequest) -> HttpResponse:
    figure = _BY_ID.get(request.GET.get("figure", ""), FIGURES[0])
    asked = request.GET.get("left_out", "")
    split = asked if asked in SPLITS else "group"
    points = points_of(figure)
    found = score(points, split)
    rows = Paginator(_worst_first(points, split), POINTS_ON_A_PAGE)
    context = {
        "nav": "evidence",
        "figures": FIGURES,
        "figure": figure,
        "splits": SPLITS,
        "split": split,
        "enough": ENOUGH,
        "overview": overview(split),
        "score": found,
        "finding": _finding(figure, found),
        "chart": predicted_against_measured(points, split, unit=figure.unit),
        "breakdowns": breakdowns(figure, split),
        "page": rows.get_page(request.GET.get("page")),
        "query": f"figure={figure.id}&left_out={split}",
        "simulated": [
            {"label": _SIMULATED[line.figure], "line": line} for line in shipped_simulated()
        ],
        "claims": checked_claims(),
    }
    return render(request, "evidence/evidence.html", context)
