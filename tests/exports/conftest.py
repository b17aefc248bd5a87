"""Every preset answered once, and its answer as the subject of files, each made once."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from advisor.exports.registry import file_of
from advisor.exports.subject import Subject

SubjectOf = Callable[..., Subject]
ContentOf = Callable[..., bytes]


@dataclass(frozen=True, kw_only=True)
class Shared(Subject):
    """A subject that many tests read, with the files made of it so far."""

    made: dict[str, bytes] = field(default_factory=dict)


@pytest.fixture(scope="session")
def subject_of_preset(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> SubjectOf:
    """The subject of a preset's recommended plan, or of the first plan that a test accepts."""
    from advisor.services.advice import Worked, document_of, worked_from

    @cache
    def worked(preset: str, answers: str) -> tuple[Worked, dict[str, Any]]:
        with django_db_blocker.unblock():
            done = worked_from({"preset": preset, "answers": json.loads(answers)})
            return done, document_of(done)

    @cache
    def shared(preset: str, answers: str, plan_id: str | None) -> Subject:
        done, document = worked(preset, answers)
        plans = {plan["id"]: plan for plan in document["plans"]}
        return Shared(
            run_id="0f4c2a1e-0000-4000-8000-000000000000",
            document=document,
            plan=document["recommendation"] if plan_id is None else plans[plan_id],
            answered_at=None,
            reopen=lambda: done,
        )

    def subject(
        preset: str, wanted: Callable[[Mapping[str, Any]], bool] | None = None, **answers: Any
    ) -> Subject:
        asked = json.dumps(answers)
        _, document = worked(preset, asked)
        if wanted is None:
            return shared(preset, asked, None)
        plan_id = next(plan["id"] for plan in document["plans"] if wanted(plan))
        return shared(preset, asked, plan_id)

    return subject


@pytest.fixture(scope="session")
def content_of() -> ContentOf:
    """The bytes of a file."""

    def content(subject: Subject, format_id: str) -> bytes:
        made = subject.made if isinstance(subject, Shared) else {}
        if format_id not in made:
            with file_of(subject, format_id).stream as stream:
                made[format_id] = stream.read()
        return made[format_id]

    return content
