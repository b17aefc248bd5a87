"""The JSON API: everything a page can do, for programs, under /api/v1/."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from ninja import NinjaAPI, Query, Schema, Status
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from ninja.throttling import AuthRateThrottle
from pydantic import Field

from advisor import queries
from advisor.api import files
from advisor.api.access import POLL_AFTER_S, Forbidden, KeyAuth, Strict, key_for
from advisor.api.calibrations import router as calibrations
from advisor.api.checks import router as checks
from advisor.api.decisions import router as decisions
from advisor.api.explanations import explanation_of
from advisor.api.explanations import router as explanations
from advisor.api.fleets import router as fleets
from advisor.api.money import router as money
from advisor.api.paths import router as paths
from advisor.api.private import router as private
from advisor.api.reasons import router as reasons
from advisor.api.simulations import router as simulations
from advisor.engine.answers import InvalidAnswers
from advisor.engine.errors import EngineRefusal, NotExplained
from advisor.exports.refusal import CannotExport
from advisor.exports.registry import UnknownFormat
from advisor.exports.subject import NoSuchPlan
from advisor.models import Assessment, Calibration, Job, Kind, Scope
from advisor.problems import pointer_of, problem_response
from advisor.questions import PRESETS, QUESTIONS
from advisor.services import assessments, jobs, mixing
from advisor.services.estimate_explanations import MOST_EXPLAINED, explained_estimates
from advisor.services.estimates import estimate
from advisor.services.recalibrating import NothingToFit
from advisor.services.refusals import problem, problem_of
from catalog.api import BadCursor, Page, PageQuery, cursor_at, start_of
from catalog.api import router as catalogue
from catalog.engine.tables import BadTable
from catalog.services.measurements import BadMeasurement
from costing.services import BadRow

MOST_CASES = 10_000


api = NinjaAPI(
    title="AI hardware advisor",
    version="1",
    description="Assessments, runs, estimates and the catalogue. Errors are problem details.",
    auth=KeyAuth(),
    docs_url=None,
    urls_namespace="api",
    throttle=[AuthRateThrottle("600/m")],
)
api.add_router("/catalog", catalogue)
api.add_router("", fleets)
api.add_router("", simulations)
api.add_router("", files.router)
api.add_router("", explanations)
api.add_router("", reasons)
api.add_router("", decisions)
api.add_router("", checks)
api.add_router("", private)
api.add_router("", paths)
api.add_router("", calibrations)
api.add_router("", money)


class AssessmentIn(Strict):
    """What the command line takes too: a preset and answers on top, or answers alone."""

    preset: str = Field("", description="id of a preset, see /presets")
    answers: dict[str, Any] = Field(default_factory=dict, description="answers by question id")

    def raw(self) -> dict[str, Any]:
        found: dict[str, Any] = {"answers": self.answers}
        return {"preset": self.preset, **found} if self.preset else found


class AssessmentOut(Schema):
    """An assessment as stored."""

    id: UUID
    name: str
    preset: str
    answers: dict[str, Any]
    revision: int
    runs: str = Field(description="where to POST to get it answered")


class RunOut(Schema):
    """A run: poll it until its state is final."""

    id: UUID
    assessment: UUID | None
    state: str
    stage: str
    progress: float
    result: dict[str, Any] | None
    problem: dict[str, Any] | None
    catalog_digest: str
    engine_version: str
    calibration_version: str
    created_at: str
    finished_at: str | None
    mixed_fleet: dict[str, Any] | None = Field(
        None,
        description="of a single workload: whether a mixed fleet pays, its shares and the plan "
        "that may be chosen, once it is searched; before that, where to POST to have it searched",
    )
    explanation: dict[str, Any] | None = Field(
        None, description="with ?explain=1: formula trees of a plan's figures"
    )


class EstimatesIn(Strict):
    """Configurations to predict, with the columns of `manage.py estimate`."""

    kind: str = Field(pattern="^(inference|training)$")
    cases: list[dict[str, Any]] = Field(min_length=1, max_length=MOST_CASES)


class EstimatesOut(Schema):
    """One row a case, in its order."""

    kind: str
    results: list[dict[str, Any]]


def _assessment_out(assessment: Assessment, response: HttpResponse) -> dict[str, Any]:
    response["ETag"] = f'"{assessment.revision}"'
    return {
        "id": assessment.pk,
        "name": assessment.name,
        "preset": assessment.preset,
        "answers": assessment.answers,
        "revision": assessment.revision,
        "runs": reverse("api:start_run", args=[assessment.pk]),
    }


def _run_out(job: Job, *, result: bool = True) -> dict[str, Any]:
    return {
        "id": job.pk,
        "assessment": job.assessment_id,
        "state": job.state,
        "stage": job.stage,
        "progress": job.progress,
        "result": job.result if result else None,
        "problem": job.problem,
        "catalog_digest": job.snapshot_digest,
        "engine_version": job.engine_version,
        "calibration_version": job.calibration_version,
        "created_at": job.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
    }


def _mixed(run: Job, searched: Job | None) -> dict[str, Any] | None:
    """What is known of a mixed fleet, or where to have it searched where one could pay."""
    because = (run.result or {}).get("mixing")
    if searched is not None:
        return mixing.verdict_of(searched)
    if not because:
        return None
    start = reverse("api:start_fleet", args=[run.pk])
    return {"state": "not started", "pays": None, "because": because, "start": start}


def _page(rows: Any, page: PageQuery) -> tuple[list[Any], str | None, int]:
    start = start_of(page.cursor)
    total = rows.count()
    stop = start + page.limit
    return list(rows[start:stop]), cursor_at(stop) if stop < total else None, total


@api.get("/presets", summary="Starting points of the questionnaire")
def list_presets(request: HttpRequest) -> list[dict[str, Any]]:
    key_for(request, Scope.READ_CATALOGUE)
    return [
        {"id": preset.id, "name": preset.name, "summary": preset.summary}
        for preset in PRESETS.values()
    ]


@api.get("/questions", summary="The questionnaire: ids, wording, units, types, limits")
def list_questions(request: HttpRequest) -> list[dict[str, Any]]:
    key_for(request, Scope.READ_CATALOGUE)
    return [
        {
            "id": item.id,
            "section": item.section,
            "scope": item.scope,
            "label": item.label,
            "help": item.help,
            "type": item.type,
            "unit": item.unit,
            "options": [{"id": option.id, "label": option.label} for option in item.options],
            "tier": item.tier,
            "required": item.required,
        }
        for item in QUESTIONS
    ]


@api.post("/assessments", response={201: AssessmentOut}, summary="Keep answers")
def create_assessment(
    request: HttpRequest, response: HttpResponse, payload: AssessmentIn
) -> Status[Any]:
    key = key_for(request, Scope.RUN)
    made = assessments.create(payload.raw(), key.owner, organisation=key.organisation)
    response["Location"] = reverse("api:get_assessment", args=[made.pk])
    return Status(201, _assessment_out(made, response))


@api.get("/assessments", response=Page, summary="Assessments, newest first")
def list_assessments(request: HttpRequest, page: Query[PageQuery]) -> dict[str, Any]:
    key = key_for(request, Scope.RUN)
    rows, cursor, total = _page(queries.assessments(key.organisation), page)
    items = [
        {"id": str(row.pk), "name": row.name, "preset": row.preset, "revision": row.revision}
        for row in rows
    ]
    return {"items": items, "next_cursor": cursor, "total": total, "catalog_digest": ""}


@api.get("/assessments/{assessment_id}", response=AssessmentOut, summary="One assessment")
def get_assessment(request: HttpRequest, response: HttpResponse, assessment_id: UUID) -> Any:
    key = key_for(request, Scope.RUN)
    return _assessment_out(queries.assessment(key.organisation, assessment_id), response)


@api.put("/assessments/{assessment_id}", response=AssessmentOut, summary="Change the answers")
def change_assessment(
    request: HttpRequest, response: HttpResponse, assessment_id: UUID, payload: AssessmentIn
) -> Any:
    key = key_for(request, Scope.RUN)
    match = request.headers.get("If-Match", "").strip('W/"')
    if not match:
        raise HttpError(428, "send If-Match with the ETag you read, so that no change is lost")
    stored = queries.assessment(key.organisation, assessment_id)
    if match != str(stored.revision):
        raise HttpError(412, "the assessment has changed since you read it; read it again")
    changed = assessments.update(stored, payload.raw(), revision=stored.revision)
    return _assessment_out(changed, response)


@api.post(
    "/assessments/{assessment_id}/runs",
    response={202: RunOut},
    summary="Answer an assessment in the background",
    url_name="start_run",
)
def start_run(request: HttpRequest, response: HttpResponse, assessment_id: UUID) -> Status[Any]:
    key = key_for(request, Scope.RUN)
    stored = queries.assessment(key.organisation, assessment_id)
    job = assessments.start_run(
        stored, key.owner, idempotency_key=request.headers.get("Idempotency-Key", "")[:200]
    )
    response["Location"] = reverse("api:get_run", args=[job.pk])
    response["Retry-After"] = str(POLL_AFTER_S)
    return Status(202, _run_out(job))


@api.get("/runs", response=Page, summary="Runs, newest first, without their results")
def list_runs(request: HttpRequest, page: Query[PageQuery]) -> dict[str, Any]:
    key = key_for(request, Scope.RUN)
    rows, cursor, total = _page(queries.jobs(key.organisation, kind=Kind.RUN), page)
    items = [
        {"id": str(job.pk), "state": job.state, "created_at": job.created_at.isoformat()}
        for job in rows
    ]
    return {"items": items, "next_cursor": cursor, "total": total, "catalog_digest": ""}


@api.get("/runs/{run_id}", response=RunOut, summary="State, progress and result of a run")
def get_run(
    request: HttpRequest,
    response: HttpResponse,
    run_id: UUID,
    explain: bool = False,  # noqa: FBT001, FBT002 -- a query parameter
    plan: str = "",
) -> Any:
    key = key_for(request, Scope.RUN)
    job = queries.job(key.organisation, run_id, kind=Kind.RUN)
    searched = mixing.known(job)
    found = _run_out(job) | {"mixed_fleet": _mixed(job, searched)}
    if explain:
        return found | {"explanation": explanation_of(job, plan)}
    if job.is_final:
        etag = f'"{job.pk}"' if searched is None else f'"{job.pk}-{searched.pk}-{searched.state}"'
        if request.headers.get("If-None-Match") == etag:
            return HttpResponse(status=304, headers={"ETag": etag})
        response["ETag"] = etag
    else:
        response["Retry-After"] = str(POLL_AFTER_S)
    return found


@api.delete("/runs/{run_id}", response={202: RunOut}, summary="Cancel a run")
def cancel_run(request: HttpRequest, run_id: UUID) -> Status[Any]:
    key = key_for(request, Scope.RUN)
    job = jobs.cancel(queries.job(key.organisation, run_id, kind=Kind.RUN))
    return Status(202, _run_out(job, result=False))


@api.post("/estimates", response=EstimatesOut, summary="Predict explicit configurations")
def create_estimates(
    request: HttpRequest,
    payload: EstimatesIn,
    explain: bool = False,  # noqa: FBT001, FBT002 -- a query parameter
) -> dict[str, Any]:
    key_for(request, Scope.RUN)
    rows = [
        {name: "" if value is None else str(value) for name, value in case.items()}
        for case in payload.cases
    ]
    results = estimate(rows, kind=payload.kind)
    if explain:
        if len(rows) > MOST_EXPLAINED:
            raise HttpError(422, f"at most {MOST_EXPLAINED} cases can be explained at once")
        trees = explained_estimates(rows, kind=payload.kind)
        results = [{**each, "explanation": tree} for each, tree in zip(results, trees, strict=True)]
    return {"kind": payload.kind, "results": results}


@api.exception_handler(EngineRefusal)
@api.exception_handler(InvalidAnswers)
def refuse_answers(request: HttpRequest, error: InvalidAnswers | EngineRefusal) -> HttpResponse:
    details = problem_of(error)
    return problem_response(request, details or problem("refused", str(error), status=422))


@api.exception_handler(BadMeasurement)
def refuse_measurement(request: HttpRequest, error: BadMeasurement) -> HttpResponse:
    errors = [
        {"pointer": f"/values/{name}", "detail": text} for name, text in error.problems.items()
    ]
    details = problem(
        "bad-measurement", "The measurement cannot be kept", status=422, errors=errors,
        detail="Correct the fields named below.",
    )  # fmt: skip
    return problem_response(request, details)


@api.exception_handler(ValidationError)
def refuse_body(request: HttpRequest, error: ValidationError) -> HttpResponse:
    errors = [
        {"pointer": pointer_of(tuple(each["loc"])), "detail": each["msg"]} for each in error.errors
    ]
    details = problem(
        "invalid-request", "The request cannot be read", status=422, errors=errors,
        detail="Correct the fields named below.",
    )  # fmt: skip
    return problem_response(request, details)


@api.exception_handler(BadRow)
def refuse_row(request: HttpRequest, error: BadRow) -> HttpResponse:
    details = problem(
        "invalid-request", "The row cannot be kept", status=422,
        detail="Correct the fields named below.",
        errors=[
            {"pointer": f"/{name}" if name else "", "detail": text}
            for name, text in error.problems.items()
        ],
    )  # fmt: skip
    return problem_response(request, details)


@api.exception_handler(BadTable)
def refuse_table(request: HttpRequest, error: BadTable) -> HttpResponse:
    details = problem(
        "invalid-request",
        "The file cannot be read",
        status=422,
        detail=f"{error}. Nothing was taken.",
    )
    return problem_response(request, details)


_STATUS: dict[type[Exception], tuple[str, str, int]] = {
    AuthenticationError: ("unauthorised", "No valid API key", 401),
    Forbidden: ("forbidden", "The key may not do that", 403),
    Http404: ("not-found", "There is nothing here", 404),
    Assessment.DoesNotExist: ("not-found", "There is no such assessment", 404),
    Job.DoesNotExist: ("not-found", "There is no such run", 404),
    CannotExport: ("cannot-export", "The plan cannot be had in that format", 422),
    UnknownFormat: ("unknown-format", "There is no such format", 422),
    NoSuchPlan: ("no-such-plan", "There is no such plan in this run", 404),
    Calibration.DoesNotExist: ("not-found", "There is no such calibration", 404),
    NothingToFit: ("refused", "There is nothing of that name to fit", 422),
    NotExplained: ("not-explained", "No formula stands behind this", 404),
    BadCursor: ("bad-cursor", "The cursor cannot be read", 422),
    assessments.StaleRevision: ("stale", "The assessment has changed", 412),
    jobs.IdempotencyConflict: ("idempotency-conflict", "The key was used for another request", 422),
    jobs.TooManyJobs: ("too-many-runs", "Too many unfinished runs", 429),
    jobs.NoSpace: ("no-space", "The server has no space left", 507),
    Throttled: ("too-many-requests", "Too many requests", 429),
    HttpError: ("refused", "The request was refused", 400),
}
_HINTS: dict[type[Exception], str] = {
    Assessment.DoesNotExist: "Check the id; assessments of other organisations are not shown.",
    Job.DoesNotExist: "Check the id; runs of other organisations are not shown.",
    Http404: "Check the path; /api/v1/openapi.json lists all there are.",
    Calibration.DoesNotExist: "Check the version; /api/v1/calibrations lists those kept.",
    AuthenticationError: "Send Authorization: Bearer <key>; the server prints its key on start.",
}


def _refuse(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    kind, title, status = next(_STATUS[base] for base in type(error).__mro__ if base in _STATUS)
    status = int(getattr(error, "status_code", status) or status)
    wait = getattr(error, "wait", None)
    headers = {"Retry-After": str(int(wait or 1) + 1)} if status == 429 else {}  # noqa: PLR2004
    if status == 401:  # noqa: PLR2004
        headers["WWW-Authenticate"] = "Bearer"
    detail = next((_HINTS[base] for base in type(error).__mro__ if base in _HINTS), str(error))
    return problem_response(request, problem(kind, title, status=status, detail=detail), headers)


for _kind in _STATUS:
    api.add_exception_handler(_kind, _refuse)
