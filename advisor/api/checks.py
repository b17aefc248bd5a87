"""Check a set-up somebody has in mind, and a quote somebody was sent."""

from typing import Any

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from advisor.api.access import Strict, key_for
from advisor.models import Scope
from advisor.services.checking import LONGEST_QUOTE, check_quote, check_setup

router = Router(tags=["checks"])


class SetupIn(Strict):
    """A part, a count, and the answers of the workload they are to hold."""

    accelerator: str = Field(description="slug or name")
    count: int = Field(ge=1, le=100_000)
    preset: str = ""
    answers: dict[str, Any] = Field(default_factory=dict)


class QuoteIn(Strict):
    """The lines of a quote, as pasted."""

    text: str = Field(min_length=1, max_length=LONGEST_QUOTE)
    currency: str = Field(default="", max_length=3, description="code, where the text names none")


@router.post("/check/setup", response=dict[str, Any])
def check_a_setup(request: HttpRequest, payload: SetupIn) -> Any:
    """Whether a set-up holds the workload, what it lacks, and what beats it."""
    key_for(request, Scope.RUN)
    raw: dict[str, Any] = {"answers": payload.answers}
    if payload.preset:
        raw["preset"] = payload.preset
    return check_setup(raw, accelerator=payload.accelerator, count=payload.count)


@router.post("/check/quote", response=dict[str, Any])
def check_a_quote(request: HttpRequest, payload: QuoteIn) -> Any:
    """A quote against the catalogue: prices, missing items, and lines that were not read."""
    key_for(request, Scope.RUN)
    return check_quote(payload.text, currency=payload.currency)
