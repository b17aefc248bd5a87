"""Models to run, formats they were checked in, software that runs on a family."""

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.engine.schema import (
    ACCESSES,
    ATTENTIONS,
    MODEL_KINDS,
    SAMPLE_UNITS,
    SUPPORT_STATES,
)
from catalog.engine.values import model_spec, support_spec
from catalog.models.fields import allowed, chosen, count, figure, line, positive, slug, words
from catalog.models.records import record_of
from catalog.models.sources import Sourced, Vendor
from catalog.specs import PRECISIONS, Family, ModelSpec, SupportSpec


class ModelArchitecture(Sourced):
    """The shape of a model, enough to count its FLOPs and bytes."""

    slug = slug("llama3.1-70b")
    name = models.CharField(max_length=200, unique=True)
    aliases = words("published spellings")
    kind = chosen(MODEL_KINDS)
    total_params_b = figure("1e9 parameters")
    active_params_b = figure("1e9 parameters that one token visits")
    layers = count("layers")
    hidden = count("width of the residual stream")
    ffn = count("width of the feed-forward part, of one expert in mixtures")
    heads = count("query heads")
    kv_heads = count("key and value heads")
    head_dim = count("width of a head")
    vocab = count("vocabulary")
    experts = count("routed experts of a layer")
    experts_per_token = count("routed experts that one token visits")
    attention = chosen(ATTENTIONS, blank=True)
    attention_note = line("as published, where it is more than one of the kinds")
    kv_lora_rank = count("rank of the compressed cache, multi-head latent attention")
    window_tokens = count("sliding window of the local layers")
    full_attention_fraction = figure("share of the layers that keep the whole context")
    context_max_tokens = count("longest context, tokens")
    native_precision = chosen(PRECISIONS)
    native_precision_published = line("the publisher's word for it")
    weights_access = chosen(ACCESSES)
    licence = line()
    gflops_per_sample = figure("1e9 FLOP of one sample's forward pass")
    mb_per_sample = figure("1e6 bytes of one sample beyond the weights")
    sample_unit = chosen(SAMPLE_UNITS)
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        constraints = (
            *positive(
                "model", "total_params_b", "active_params_b", "gflops_per_sample", "mb_per_sample"
            ),
            allowed("model", "kind", MODEL_KINDS),
            allowed("model", "native_precision", PRECISIONS),
            allowed("model", "weights_access", ACCESSES),
            allowed("model", "attention", ATTENTIONS, blank=True),
            models.CheckConstraint(
                condition=models.Q(active_params_b__isnull=True)
                | models.Q(active_params_b__lte=models.F("total_params_b")),
                name="model_active_within_total",
            ),
            models.CheckConstraint(
                condition=models.Q(full_attention_fraction__isnull=True)
                | models.Q(full_attention_fraction__gte=0, full_attention_fraction__lte=1),
                name="model_attention_fraction",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def to_spec(self) -> ModelSpec | None:
        """The model in base units; None where its size is unpublished."""
        precisions = [record_of(p) for p in self.precisions.select_related("source")]
        return model_spec(record_of(self), precisions)


class ModelPrecision(Sourced):
    """A published accuracy result of a model in a number format."""

    model = models.ForeignKey(
        ModelArchitecture, on_delete=models.PROTECT, related_name="precisions"
    )
    precision = chosen(PRECISIONS)
    benchmark = models.CharField(max_length=200)
    score = figure("in the benchmark's own unit")
    score_at_native = figure("the same benchmark in the native format")
    native_precision = chosen(PRECISIONS, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = (
            "model",
            "precision",
            "benchmark",
        )
        constraints = (
            models.UniqueConstraint(
                fields=["model", "precision", "benchmark", "source"], name="model_precision_once"
            ),
            allowed("model_precision", "precision", PRECISIONS),
        )

    def __str__(self) -> str:
        return f"{self.model_id} in {self.precision}: {self.benchmark}"


class SoftwareSupport(Sourced):
    """What a framework, engine or task is known to do on a vendor's family."""

    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="support")
    family = chosen(Family)
    software = models.CharField(max_length=120, help_text="framework, engine or task id")
    status = chosen(SUPPORT_STATES)
    porting_weeks = figure("person-weeks from a CUDA code base")
    history = HistoricalRecords()

    class Meta:
        ordering = (
            "vendor",
            "family",
            "software",
        )
        verbose_name_plural = "software support"
        constraints = (
            models.UniqueConstraint(fields=["vendor", "family", "software"], name="support_once"),
            allowed("support", "family", Family),
            allowed("support", "status", SUPPORT_STATES),
            models.CheckConstraint(
                condition=models.Q(porting_weeks__isnull=True) | models.Q(porting_weeks__gte=0),
                name="support_porting_not_negative",
            ),
        )

    def __str__(self) -> str:
        return f"{self.software} on {self.vendor_id} {self.family}: {self.status}"

    def to_spec(self) -> SupportSpec:
        """The support statement as a value."""
        return support_spec(record_of(self, vendor=self.vendor.name))
