"""The JSON API of calibrations: own measurements, refits in the background, which one is used."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from ninja import Router, Schema, Status
from pydantic import Field

from advisor import queries
from advisor.api.access import Strict, key_for
from advisor.api.work import WorkOut, accepted, polled
from advisor.models import Calibration, CalibrationChoice, Kind, Scope
from advisor.services import recalibrating
from advisor.services.calibrations import active_calibration, back_to_shipped, choose
from catalog.services.measurements import add_own

router = Router(tags=["calibrations"])


class MeasurementIn(Strict):
    """A measurement of your own; fields as in the catalogue's measurements."""

    kind: str = Field(description="serving or training")
    values: dict[str, Any] = Field(
        description="accelerator, model, accelerator_count, precision, … and what was measured"
    )


class MeasurementOut(Schema):
    """A kept measurement."""

    id: str
    kind: str


class RecalibrationIn(Strict):
    """What to refit, and whether runs use it from then on."""

    subjects: list[str] = Field(["serving", "training", "samples"])
    use: bool = True
    note: str = ""


class RecalibrationOut(WorkOut):
    """A recalibration: poll it until its state is final."""


class CalibrationsOut(Schema):
    """The fits that are kept, newest first, and what was in use since when."""

    in_use: str
    fits: list[dict[str, Any]]
    history: list[dict[str, Any]]


class UseIn(Strict):
    """Fits to use, by version; none means the shipped ones."""

    versions: list[str] = Field(default_factory=list)
    note: str = ""


@router.post(
    "/measurements", response={201: MeasurementOut}, summary="Add a measurement of your own"
)
def add_measurement(request: HttpRequest, payload: MeasurementIn) -> Status[Any]:
    key_for(request, Scope.ADMIN)
    return Status(201, {"id": add_own(payload.kind, payload.values).pk, "kind": payload.kind})


@router.post(
    "/recalibrations",
    response={202: RecalibrationOut},
    summary="Refit the performance model to all measurements, in the background",
)
def start_recalibration(
    request: HttpRequest, response: HttpResponse, payload: RecalibrationIn
) -> Status[Any]:
    key = key_for(request, Scope.ADMIN)
    job = recalibrating.start(
        payload.subjects, owner=key.owner, organisation=key.organisation,
        use=payload.use, note=payload.note,
    )  # fmt: skip
    return accepted(response, job, at=reverse("api:get_recalibration", args=[job.pk]))


@router.get(
    "/recalibrations/{job_id}",
    response=RecalibrationOut,
    summary="Progress and outcome of a recalibration",
    url_name="get_recalibration",
)
def get_recalibration(request: HttpRequest, response: HttpResponse, job_id: UUID) -> Any:
    key = key_for(request, Scope.ADMIN)
    return polled(response, queries.job(key.organisation, job_id, kind=Kind.RECALIBRATION))


@router.get("/calibrations", response=CalibrationsOut, summary="Fits kept, and which are in use")
def list_calibrations(request: HttpRequest) -> Any:
    key_for(request, Scope.RUN)
    return _calibrations()


@router.put("/calibrations/active", response=CalibrationsOut, summary="Use these fits from now on")
def use_calibrations(request: HttpRequest, payload: UseIn) -> Any:
    key = key_for(request, Scope.ADMIN)
    rows = [Calibration.objects.get(version=version) for version in payload.versions]
    if rows:
        choose(rows, by=key.owner, note=payload.note)
    else:
        back_to_shipped(by=key.owner)
    return _calibrations()


def _calibrations() -> dict[str, Any]:
    return {
        "in_use": active_calibration().version,
        "fits": [
            {
                "version": row.version,
                "subject": row.subject,
                "rows": len(row.measurements),
                "own": [each["id"] for each in row.own],
                "note": row.note,
                "created_at": row.created_at.isoformat(),
            }
            for row in Calibration.objects.defer("parameters")
        ],
        "history": [
            {
                "version": choice.version,
                "fits": sorted(row.version for row in choice.sections.all()),
                "note": choice.note,
                "chosen_at": choice.chosen_at.isoformat(),
            }
            for choice in CalibrationChoice.objects.prefetch_related("sections")
        ],
    }
