"""Accelerators and the systems built of them, in the datasheets' units."""

from django.db import models
from simple_history.models import HistoricalRecords

from catalog.engine.schema import CONFIDENCES, LIFECYCLES
from catalog.engine.values import accelerator_spec, system_spec
from catalog.models.fields import allowed, chosen, count, figure, line, positive, slug, words
from catalog.models.records import record_of
from catalog.models.sources import Sourced, Vendor
from catalog.specs import AcceleratorSpec, Family, SystemSpec

COOLINGS = ("air", "liquid")
ACCELERATOR_FIGURES = (
    "memory_gib",
    "usable_memory_gib",
    "memory_bandwidth_gb_per_s",
    "sram_mib",
    "streaming_memory_gib",
    "streaming_gb_per_s",
    "tflops_fp64",
    "tflops_fp32",
    "tflops_tf32",
    "tflops_bf16",
    "tflops_fp16",
    "tflops_fp8",
    "tflops_fp4",
    "tops_int8",
    "tdp_w",
    "scale_up_gb_per_s",
    "scale_up_domain",
    "host_link_gb_per_s",
)


class Accelerator(Sourced):
    """One accelerator as its datasheet rates it, dense figures only."""

    slug = slug("nvidia-h100-sxm")
    name = models.CharField(max_length=200, unique=True)
    aliases = words("published spellings")
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="accelerators")
    family = chosen(Family)
    year = models.PositiveSmallIntegerField()
    memory_gib = figure("GiB, the vendor's label", null=False)
    usable_memory_gib = figure("GiB that software sees")
    memory_type = line()
    memory_bandwidth_gb_per_s = figure("GB/s")
    sram_mib = figure("MiB on chip")
    streaming_memory_gib = figure("GiB of an off-package tier that weights stream from")
    streaming_gb_per_s = figure("GB/s of that tier")
    unified_memory = models.BooleanField(default=False)
    tflops_fp64 = figure("TFLOP/s")
    tflops_fp32 = figure("TFLOP/s")
    tflops_tf32 = figure("TFLOP/s, dense")
    tflops_bf16 = figure("TFLOP/s, dense")
    tflops_fp16 = figure("TFLOP/s, dense")
    tflops_fp8 = figure("TFLOP/s, dense")
    tflops_fp4 = figure("TFLOP/s, dense")
    tops_int8 = figure("TOP/s, dense")
    tdp_w = figure("W")
    scale_up_link = line()
    scale_up_gb_per_s = figure("GB/s, both directions added")
    scale_up_domain = count("accelerators joined by the fast fabric; 1 is PCIe only")
    host_link = line()
    host_link_gb_per_s = figure("GB/s, one direction")
    form_factor = line()
    cooling = chosen(COOLINGS, blank=True)
    lifecycle = chosen(LIFECYCLES)
    software = words("software that runs on it")
    confidence = chosen(CONFIDENCES)
    second_source = models.TextField(blank=True, default="")
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        constraints = (
            *positive("accelerator", *ACCELERATOR_FIGURES),
            allowed("accelerator", "family", Family),
            allowed("accelerator", "lifecycle", LIFECYCLES),
            allowed("accelerator", "cooling", COOLINGS, blank=True),
            models.CheckConstraint(
                condition=models.Q(year__gte=2000, year__lte=2100), name="accelerator_year_sane"
            ),
            models.CheckConstraint(
                condition=models.Q(usable_memory_gib__isnull=True)
                | models.Q(usable_memory_gib__lte=models.F("memory_gib")),
                name="accelerator_usable_within_label",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def to_spec(self) -> AcceleratorSpec:
        """The accelerator in base units."""
        return accelerator_spec(record_of(self, vendor=self.vendor.name))


class System(Sourced):
    """A node, rack, slice or pod built of one accelerator type."""

    slug = slug("dgx-h100")
    name = models.CharField(max_length=200, unique=True)
    aliases = words("published spellings")
    vendor = models.ForeignKey(Vendor, on_delete=models.PROTECT, related_name="systems")
    accelerator = models.ForeignKey(Accelerator, on_delete=models.PROTECT, related_name="systems")
    accelerator_count = count("accelerators in one", null=False)
    host_cpu = line()
    host_memory_gib = figure("GiB")
    nic_gbit_per_s = figure("Gbit/s, all scale-out ports together")
    max_power_kw = figure("kW")
    rack_units = figure("U")
    cooling = chosen(COOLINGS, blank=True)
    history = HistoricalRecords()

    class Meta:
        ordering = ("name",)
        constraints = (
            *positive(
                "system",
                "accelerator_count",
                "host_memory_gib",
                "nic_gbit_per_s",
                "max_power_kw",
                "rack_units",
            ),
            allowed("system", "cooling", COOLINGS, blank=True),
        )

    def __str__(self) -> str:
        return self.name

    def to_spec(self) -> SystemSpec:
        """The system in base units."""
        return system_spec(
            record_of(self, vendor=self.vendor.name, accelerator=self.accelerator_id)
        )
