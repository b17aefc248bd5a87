"""Every preset answered once, and its answer as the subject of files."""

import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from advisor.exports.registry import file_of
from advisor.exports.subject import Subject

SubjectOf = Callable[..., Subject]
ContentOf = Callable[..., bytes]


@pytest.fixture(scope="session")
def subject_of_preset(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> SubjectOf:
    """The subject of a preset's recommended plan, or of the first plan that a test accepts."""
    from advisor.services.advice import Worked, document_of, worked_from

    @cache
    def worked(preset: str, answers: str) -> tuple[Worked, dict[str, Any]]:
        with django_db_blocker.unblock():
            done = worked_from({"preset": preset, "answers": json.loads(answers)})
            return done, document_of(done)

    def subject(
        preset: str, wanted: Callable[[Mapping[str, Any]], bool] | None = None, **answers: Any
    ) -> Subject:
        done, document = worked(preset, json.dumps(answers))
        plan = document["recommendation"]
        if wanted is not None:
            plan = next(each for each in document["plans"] if wanted(each))
        return Subject(
            run_id="0f4c2a1e-0000-4000-8000-000000000000",
            document=document,
            plan=plan,
            answered_at=None,
            reopen=lambda: done,
        )

    return subject


@pytest.fixture(scope="session")
def content_of() -> ContentOf:
    """The bytes of a file."""

    def content(subject: Subject, format_id: str) -> bytes:
        with file_of(subject, format_id).stream as stream:
            return stream.read()

    return content
