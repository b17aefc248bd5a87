"""What an organisation may read of its assessments and jobs."""

from uuid import UUID

from django.db.models import QuerySet

from advisor.models import Assessment, Job, Kind, Organisation

HEAVY = ("result", "inputs")


def assessments(organisation: Organisation) -> QuerySet[Assessment]:
    """An organisation's assessments, newest first."""
    return Assessment.objects.of(organisation)


def assessment(organisation: Organisation, assessment_id: UUID) -> Assessment:
    """One assessment; raises Assessment.DoesNotExist, also where it is somebody else's."""
    return Assessment.objects.of(organisation).get(pk=assessment_id)


def jobs(organisation: Organisation, *, kind: Kind | None = None) -> QuerySet[Job]:
    """An organisation's jobs without their inputs and results, newest first."""
    found = Job.objects.of(organisation).defer(*HEAVY)
    return found.filter(kind=kind) if kind else found


def job(organisation: Organisation, job_id: UUID, *, kind: Kind | None = None) -> Job:
    """One job with its result; raises Job.DoesNotExist, also where it is somebody else's."""
    found = Job.objects.of(organisation)
    return (found.filter(kind=kind) if kind else found).get(pk=job_id)


def progress_of(organisation: Organisation, job_id: UUID) -> Job:
    """One job without inputs and result, cheap enough to be asked every second."""
    return Job.objects.of(organisation).defer(*HEAVY).get(pk=job_id)


def runs_of(assessment: Assessment) -> QuerySet[Job]:
    """The runs that answer an assessment, newest first, without their results."""
    return assessment.jobs.filter(kind=Kind.RUN).defer(*HEAVY)
