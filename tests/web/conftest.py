"""Pages as the local user sees them, and runs in every state."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from advisor.models import Job
from advisor.services import accounts, assessments, jobs
from tests.web import sample_advice

MakeRun = Callable[..., Job]


@pytest.fixture
def pages(catalogue: None) -> Client:
    """A browser on this machine."""
    return Client()


@pytest.fixture
def make_run(catalogue: None) -> MakeRun:
    """Accept a run of a preset; with a result document it is finished."""

    def made(
        document: dict[str, Any] | None = None,
        preset: str = "chatbot_1m",
        answers: dict[str, Any] | None = None,
    ) -> Job:
        user = accounts.local_user()
        kept = assessments.create({"preset": preset, "answers": answers or {}}, user)
        run = assessments.start_run(kept, user)
        if document is not None:
            held = jobs.claim(run.pk)
            assert held is not None
            jobs.finish(held, document)
        run.refresh_from_db()
        return run

    return made


@pytest.fixture
def serving_run(make_run: MakeRun) -> Job:
    return make_run(sample_advice.serving())
