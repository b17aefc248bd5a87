"""Published spellings of accelerators and models, found whatever their case or punctuation."""

import re
from collections.abc import Iterable, Iterator
from typing import Protocol

VENDORS = (
    r"nvidia|amd|intel|google|cloud|aws|amazon|qualcomm|graphcore|cerebras|groq|sambanova|apple"
    r"|habana|tenstorrent|untether|biren|geforce|instinct|tesla|cloud"
)
ACCELERATOR_NOISE = re.compile(
    rf"\b({VENDORS}|tensor core|gpus?|accelerators?|data ?cent(er|re))\b|^\d+\s*x\s+|\s*x\s*\d+$",
    re.IGNORECASE,
)
MEMORY = re.compile(r"[\s_-]*\b\d+\s*gi?b\b(\s*hbm\d?e?)?", re.IGNORECASE)
FORM = re.compile(r"\b(sxm)\d\b", re.IGNORECASE)
FORM_WORD = re.compile(r"[\s_-]*\b(sxm\d?|pcie|oam)\b", re.IGNORECASE)
MODEL_NOISE = re.compile(
    r"[\s_-]*\b(instruct|chat|hf|it|base|fp8|fp4|nvfp4|mxfp4|bf16|fp16|int4|int8|awq|gptq|kv"
    r"|w4a16|w8a8|w4a8|thinking|20\d\d|\d{4}|meta|99(\.9)?|v0\.\d|sampled|dynamic|model)\b",
    re.IGNORECASE,
)
BRACKETS = re.compile(r"\([^)]*\)")


class Named(Protocol):
    """Anything with a slug, a name and published spellings."""

    @property
    def slug(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def aliases(self) -> tuple[str, ...]: ...


def plain(text: str) -> str:
    """A spelling without case, blanks and punctuation."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def _accelerator_forms(text: str) -> Iterator[str]:
    """Spellings to try, from the most to the least exact."""
    yield text
    bare = ACCELERATOR_NOISE.sub(" ", text.replace("_", "-")).strip(" -")
    yield bare
    yield FORM.sub(r"\1", bare)
    yield BRACKETS.sub("", bare)
    without_memory = MEMORY.sub("", FORM.sub(r"\1", bare))
    yield without_memory
    yield FORM_WORD.sub("", bare)
    yield FORM_WORD.sub("", without_memory)


def _model_forms(text: str) -> Iterator[str]:
    yield text
    short = text.rsplit("/", 1)[-1]
    yield short
    yield BRACKETS.sub("", short)
    bare = MODEL_NOISE.sub("", BRACKETS.sub("", short).replace("_", "-"))
    yield bare
    # "Qwen3-Coder-480B" for "...-480B-A35B" and the like: the active size is often left out.
    yield re.sub(r"[\s_-]*\ba\d+(\.\d+)?b\b", "", bare, flags=re.IGNORECASE)


def _index(things: Iterable[Named], *, models: bool) -> dict[str, str]:
    """Every spelling to its slug: exact ones first, so that a looser one never displaces them."""
    forms = _model_forms if models else _accelerator_forms
    spellings: dict[str, str] = {}
    things = tuple(things)
    for kind in ("slug", "name", "aliases"):
        for thing in things:
            value = getattr(thing, kind)
            for spelling in (value,) if isinstance(value, str) else value:
                spellings.setdefault(plain(spelling), thing.slug)
    loose: dict[str, set[str]] = {}
    for thing in things:
        for spelling in (thing.slug, thing.name, *thing.aliases):
            for form in forms(spelling):
                loose.setdefault(plain(form), set()).add(thing.slug)
    for form, slugs in loose.items():
        if form and len(slugs) == 1:
            spellings.setdefault(form, next(iter(slugs)))
    spellings.pop("", None)
    return spellings


class Spellings:
    """A dictionary of all spellings of accelerators or models."""

    def __init__(self, things: Iterable[Named], *, models: bool) -> None:
        self._models = models
        self._slugs = _index(things, models=models)

    def find(self, text: str) -> str | None:
        """The slug that a published spelling means, None where it is unknown or ambiguous."""
        forms = _model_forms if self._models else _accelerator_forms
        for form in forms(text.strip()):
            if slug := self._slugs.get(plain(form)):
                return slug
        return None
