"""Files of an answered run: which there are, and each of them."""

from typing import Any
from uuid import UUID

from django.http import FileResponse, HttpRequest
from ninja import Router, Schema
from ninja.errors import HttpError
from pydantic import Field

from advisor import queries
from advisor.api.access import key_for
from advisor.exports.registry import BY_ID, file_of, menu_of
from advisor.exports.subject import Subject, subject_of
from advisor.models import Kind, Scope

router = Router()


class FileOut(Schema):
    """One format of the menu, for one plan of the run."""

    format: str
    label: str
    purpose: str
    offered: bool
    why_not: str = Field(description="why this plan cannot be had in this format; else empty")


def _subject(request: HttpRequest, run_id: UUID, plan: str) -> Subject:
    key = key_for(request, Scope.EXPORT)
    job = queries.job(key.organisation, run_id, kind=Kind.RUN)
    if job.result is None:
        raise HttpError(409, f"the run is {job.state}; only a succeeded run can be exported")
    return subject_of(job, plan)


@router.get("/runs/{run_id}/files", response=list[FileOut], summary="Formats a plan can be had in")
def list_files(request: HttpRequest, run_id: UUID, plan: str = "") -> Any:
    return [
        {
            "format": each.id,
            "label": each.label,
            "purpose": each.purpose,
            "offered": not reason,
            "why_not": reason,
        }
        for each, reason in menu_of(_subject(request, run_id, plan))
    ]


@router.get("/runs/{run_id}/export", summary=f"The result as a file: {', '.join(BY_ID)}")
def export_run(
    request: HttpRequest,
    run_id: UUID,
    format: str = "json",  # noqa: A002
    plan: str = "",
) -> FileResponse:
    file = file_of(_subject(request, run_id, plan), format)
    return FileResponse(
        file.stream, as_attachment=True, filename=file.name, content_type=file.content_type
    )
