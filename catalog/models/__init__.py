"""The rows of the catalogue: what exists, where, at what price, measured by whom, read where."""

from catalog.models.hardware import Accelerator, System
from catalog.models.measurements import BenchmarkLimit, ServingMeasurement, TrainingMeasurement
from catalog.models.offers import Offer, PricePoint
from catalog.models.places import Provider, Region, RegionCompliance
from catalog.models.snapshots import Snapshot
from catalog.models.software import ModelArchitecture, ModelPrecision, SoftwareSupport
from catalog.models.sources import Source, Vendor

__all__ = [
    "Accelerator",
    "BenchmarkLimit",
    "ModelArchitecture",
    "ModelPrecision",
    "Offer",
    "PricePoint",
    "Provider",
    "Region",
    "RegionCompliance",
    "ServingMeasurement",
    "Snapshot",
    "SoftwareSupport",
    "Source",
    "System",
    "TrainingMeasurement",
    "Vendor",
]
