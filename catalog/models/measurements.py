"""Published performance figures with what they mean."""

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.engine.schema import DEFINITIONS, SCENARIOS, TASKS
from catalog.models.fields import allowed, chosen, count, line, positive
from catalog.models.hardware import Accelerator
from catalog.models.software import ModelArchitecture
from catalog.models.sources import Source


def measured(unit: str) -> models.FloatField:
    """A measured figure; empty where it was not published."""
    return models.FloatField(null=True, blank=True, help_text=unit)


class Measured(models.Model):
    """What all published measurements share."""

    id = models.CharField(primary_key=True, max_length=160)
    accelerator = models.ForeignKey(Accelerator, on_delete=models.PROTECT, related_name="+")
    precision = line("as published", max_length=80)
    model = models.CharField(max_length=200, help_text="as published")
    architecture = models.ForeignKey(
        ModelArchitecture, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    source_ref = models.TextField(blank=True, default="")
    own = models.BooleanField(
        default=False,
        help_text="measured by yourselves: wins over published ones once you recalibrate",
    )
    note = models.TextField(blank=True, default="")
    changed_at = models.DateTimeField(auto_now=True, db_index=True)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.id


class ServingMeasurement(Measured):
    """A published serving result: throughput of a run, or latency at a fixed concurrency."""

    definition = chosen(DEFINITIONS)
    accelerator_count = count("accelerators that shared the load")
    engine = line(max_length=120)
    engine_version = line()
    measured_month = line("YYYY-MM", max_length=10)
    scenario = chosen(SCENARIOS)
    input_tokens = measured("tokens")
    input_tokens_assumed = models.BooleanField(default=False)
    output_tokens = measured("tokens")
    concurrency = measured("requests in the system")
    parallelism = line("as published")
    tensor_parallel = count("degree")
    pipeline_parallel = count("degree")
    attention_data_parallel = count("degree")
    expert_parallel = count("degree")
    disaggregated = models.BooleanField(default=False)
    speculative = line(max_length=40)
    output_tokens_per_s = measured("tokens/s, whole deployment")
    requests_per_s = measured("requests/s, whole deployment")
    ttft_mean_s = measured("s")
    ttft_p50_s = measured("s")
    ttft_p99_s = measured("s")
    tpot_mean_s = measured("s")
    tpot_p50_s = measured("s")
    tpot_p99_s = measured("s")
    history = HistoricalRecords()

    class Meta:
        ordering = ("id",)
        constraints = (
            allowed("serving", "definition", DEFINITIONS),
            allowed("serving", "scenario", SCENARIOS),
            *positive(
                "serving", "accelerator_count", "output_tokens_per_s", "ttft_mean_s", "tpot_mean_s"
            ),
        )


class TrainingMeasurement(Measured):
    """A published training result."""

    system = line()
    accelerator_count = count("accelerators of the run", null=False)
    framework = line()
    params_b = measured("1e9 parameters")
    task = chosen(TASKS)
    seq_len = measured("tokens")
    global_batch = measured("sequences")
    tokens_per_s_per_accelerator = measured("tokens/s")
    tflops_per_accelerator = measured("TFLOP/s")
    mfu = measured("fraction of the dense peak")
    time_to_train_min = measured("minutes")
    history = HistoricalRecords()

    class Meta:
        ordering = ("id",)
        constraints = (
            allowed("training", "task", TASKS),
            *positive("training", "accelerator_count", "tokens_per_s_per_accelerator"),
            models.CheckConstraint(
                condition=models.Q(mfu__isnull=True) | models.Q(mfu__gt=0, mfu__lte=1),
                name="training_mfu_fraction",
            ),
        )


class BenchmarkLimit(models.Model):
    """Latency limits that a benchmark sets for a model in a scenario."""

    model = models.CharField(max_length=200, help_text="as published")
    scenario = chosen(SCENARIOS)
    ttft_p99_limit_s = measured("s")
    tpot_p99_limit_s = measured("s")
    e2e_p99_limit_s = measured("s")
    source = models.ForeignKey(Source, on_delete=models.PROTECT, related_name="+")
    changed_at = models.DateTimeField(auto_now=True, db_index=True)
    history = HistoricalRecords()

    class Meta:
        ordering = (
            "model",
            "scenario",
        )
        constraints = (
            models.UniqueConstraint(fields=["model", "scenario"], name="limit_once"),
            allowed("limit", "scenario", SCENARIOS),
        )

    def __str__(self) -> str:
        return f"{self.model}, {self.scenario}"
