"""Who asks, and what of theirs they may see."""

from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from advisor import queries
from advisor.models import Assessment, Job, Kind
from advisor.services.accounts import organisation_of


def asker(request: HttpRequest) -> User:
    """The signed-in user; in the embedded set-up the local user is signed in by itself."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def assessments_of(request: HttpRequest) -> QuerySet[Assessment]:
    """The assessments of the asker's organisation."""
    return queries.assessments(organisation_of(asker(request)))


def assessment_of(request: HttpRequest, assessment_id: UUID) -> Assessment:
    """One of them; another organisation's is not found."""
    return get_object_or_404(assessments_of(request), pk=assessment_id)


def run_of(request: HttpRequest, run_id: UUID, *, with_result: bool = True) -> Job:
    """A run of the asker's organisation; another organisation's is not found."""
    organisation = organisation_of(asker(request))
    found = queries.jobs(organisation, kind=Kind.RUN).filter(assessment__isnull=False)
    found = found.select_related("assessment")
    return get_object_or_404(found.defer(None) if with_result else found, pk=run_id)
