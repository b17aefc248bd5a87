"""The questionnaire: what is asked, how answers are read, and where to start from."""

from advisor.engine.answers import (
    Answers,
    AnswerSet,
    InvalidAnswers,
    Origin,
    Problem,
    answers_from_dict,
)
from advisor.questions.asking import Asked, asked, first_page, with_form
from advisor.questions.items import BY_ID, QUESTIONS, SECTIONS, Item, Option
from advisor.questions.names import Names
from advisor.questions.presets import PRESETS, Preset
from advisor.questions.reading import Draft, draft, read_answers

__all__ = [
    "BY_ID",
    "PRESETS",
    "QUESTIONS",
    "SECTIONS",
    "AnswerSet",
    "Answers",
    "Asked",
    "Draft",
    "InvalidAnswers",
    "Item",
    "Names",
    "Option",
    "Origin",
    "Preset",
    "Problem",
    "answers_from_dict",
    "asked",
    "draft",
    "first_page",
    "read_answers",
    "with_form",
]
