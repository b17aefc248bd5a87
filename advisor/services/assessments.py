"""Keep answers: new assessments, changed ones, and runs that answer them."""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F
from django.utils import timezone

from advisor.models import Assessment, Job, Kind, Organisation
from advisor.questions import PRESETS, QUESTIONS, Names, read_answers
from advisor.questions.logs import packed
from advisor.services import jobs
from advisor.services.accounts import organisation_of
from advisor.services.names import names_of
from advisor.services.private import frozen, private_of

UNNAMED = "Assessment"
MOST_NAME = 200


class StaleRevision(Exception):
    """The assessment has changed since the editor read it."""


@lru_cache(maxsize=1)
def questionnaire_version() -> str:
    """A text that changes whenever the questions do."""
    return hashlib.sha256(repr(QUESTIONS).encode()).hexdigest()[:12]


def create(
    raw: Mapping[str, Any],
    user: User,
    *,
    organisation: Organisation | None = None,
    checked: bool = True,
) -> Assessment:
    """Keep `{"preset": id, "answers": {...}}`; raises InvalidAnswers where it is checked.

    Pages that keep half-finished answers pass `checked=False`; a run checks them in any case.
    """
    organisation = organisation or organisation_of(user)
    if checked:
        check(raw, organisation)
    return Assessment.objects.create(
        name=_name(raw),
        preset=str(raw.get("preset") or ""),
        answers=packed(raw.get("answers") or {}),
        questionnaire_version=questionnaire_version(),
        owner=user,
        organisation=organisation,
    )


def update(
    assessment: Assessment,
    raw: Mapping[str, Any],
    *,
    revision: int | None = None,
    checked: bool = True,
) -> Assessment:
    """Replace the answers; raises StaleRevision where `revision` is not the stored one.

    Runs accepted before keep the answers they were accepted with.
    """
    if checked:
        check(raw, assessment.organisation)
    stored = Assessment.objects.filter(pk=assessment.pk)
    if revision is not None:
        stored = stored.filter(revision=revision)
    changed = stored.update(
        name=_name(raw),
        preset=str(raw.get("preset") or ""),
        answers=packed(raw.get("answers") or {}),
        questionnaire_version=questionnaire_version(),
        revision=F("revision") + 1,
        changed_at=timezone.now(),
    )
    if not changed:
        message = "somebody else has changed this assessment; read it again"
        raise StaleRevision(message)
    assessment.refresh_from_db()
    return assessment


def check(raw: Mapping[str, Any], organisation: Organisation) -> None:
    """Raise InvalidAnswers, with every problem, where answers cannot be used."""
    read_answers(raw, names=names_for(organisation))


def names_for(organisation: Organisation) -> Names:
    """How names are found for an organisation: the catalogue's, and its own quotes' sellers."""
    return names_of(private_of(organisation.pk))


def start_run(
    assessment: Assessment, user: User | None = None, *, idempotency_key: str = ""
) -> Job:
    """Accept the job that answers an assessment as it stands now."""
    return jobs.accept(
        Kind.RUN,
        {
            "answers": assessment.raw_answers(),
            "questionnaire_version": assessment.questionnaire_version,
            **_private(assessment.organisation.pk),
        },
        owner=user or assessment.owner,
        organisation=assessment.organisation,
        assessment=assessment,
        idempotency_key=idempotency_key,
    )


def _private(organisation: str) -> dict[str, Any]:
    """The organisation's quotes and prices as they stand, so that a run never changes."""
    own = private_of(organisation)
    return {"private": frozen(own)} if own else {}


def _name(raw: Mapping[str, Any]) -> str:
    answers = raw.get("answers") or {}
    given = answers.get("assessment_name") if isinstance(answers, Mapping) else None
    if isinstance(given, str) and given.strip():
        return given.strip()[:MOST_NAME]
    preset = PRESETS.get(str(raw.get("preset") or ""))
    return preset.name[:MOST_NAME] if preset else UNNAMED
