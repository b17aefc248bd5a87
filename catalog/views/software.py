"""Models to run."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from catalog.engine.schema import ACCESSES, MODEL_KINDS
from catalog.models import ModelArchitecture, ServingMeasurement, TrainingMeasurement
from catalog.views.listing import Filter, choices, listing

KIND_LABELS = {
    "dense_llm": "dense language model",
    "moe_llm": "mixture of experts",
    "recsys": "recommender",
    "graph": "graph network",
}
FIGURES = (
    (
        "Size",
        (
            ("total_params_b", "Parameters", "billion"),
            ("active_params_b", "Parameters that one token visits", "billion"),
            ("layers", "Layers", ""),
            ("hidden", "Hidden width", ""),
            ("ffn", "Feed-forward width", ""),
            ("vocab", "Vocabulary", "tokens"),
            ("context_max_tokens", "Longest context", "tokens"),
        ),
    ),
    (
        "Attention and experts",
        (
            ("heads", "Query heads", ""),
            ("kv_heads", "Key and value heads", ""),
            ("head_dim", "Width of a head", ""),
            ("kv_lora_rank", "Rank of the compressed cache", ""),
            ("window_tokens", "Window of local layers", "tokens"),
            ("full_attention_fraction", "Share of layers that keep the whole context", ""),
            ("experts", "Experts of a layer", ""),
            ("experts_per_token", "Experts that one token visits", ""),
        ),
    ),
    (
        "Without tokens",
        (
            ("gflops_per_sample", "Work of one sample", "GFLOP"),
            ("mb_per_sample", "Traffic of one sample", "MB"),
        ),
    ),
)


@require_safe
def models(request: HttpRequest) -> HttpResponse:
    found = listing(
        request,
        ModelArchitecture.objects.all(),
        search=("name", "slug", "aliases"),
        filters=(
            Filter(
                name="kind", label="Kind", column="kind", options=choices(MODEL_KINDS, KIND_LABELS)
            ),
            Filter(
                name="weights", label="Weights", column="weights_access", options=choices(ACCESSES)
            ),
        ),
        per_page=100,
    )
    return render(request, "catalog/models.html", {"nav": "catalogue", "listing": found})


@require_safe
def model(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(ModelArchitecture.objects.select_related("source"), pk=slug)
    context = {
        "nav": "catalogue",
        "model": found,
        "kind_label": KIND_LABELS.get(found.kind, found.kind),
        "groups": [
            (title, [(label, getattr(found, name), unit) for name, label, unit in figures])
            for title, figures in FIGURES
        ],
        "precisions": found.precisions.select_related("source"),
        "serving_count": ServingMeasurement.objects.filter(architecture=found).count(),
        "training_count": TrainingMeasurement.objects.filter(architecture=found).count(),
    }
    return render(request, "catalog/model.html", context)
