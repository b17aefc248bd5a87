"""Launch scripts of vLLM and SGLang with the plan's parallelism and limits."""

from collections.abc import Callable
from typing import IO

from advisor.exports.deployment import TRAINS, Deployment, deployments_of
from advisor.exports.engines import COMMANDS, LISTEN, NAMES, arguments, ending, model_lines
from advisor.exports.formats import Format
from advisor.exports.pools import script_apart
from advisor.exports.refusal import CannotExport
from advisor.exports.subject import Subject
from advisor.exports.text import comment, write_text

SHELL = "text/x-shellscript; charset=utf-8"


def engine_check(engine: str) -> Callable[[Subject], None]:
    """The check that a plan runs on one serving engine."""

    def check(subject: Subject) -> None:
        found = deployments_of(subject)[-1]
        if found.chosen.workload.serving is None:
            raise CannotExport(TRAINS)
        if found.engine == engine:
            return
        if found.engine in COMMANDS:
            other = NAMES[found.engine]
            message = f"The plan runs on {other}: take the {other} launch script."
        elif found.serving.output_tokens <= 0.0:
            message = (
                f"{NAMES[engine]} serves language models; {found.model.name} makes no tokens and "
                "runs on the maker's own runtime."
            )
        else:
            message = (
                f"The plan runs on the maker's own runtime for {found.part.name}, which "
                f"{NAMES[engine]} does not support there."
            )
        raise CannotExport(message)

    return check


def launch_script(subject: Subject, found: Deployment) -> str:
    """A shell script that starts one replica."""
    notes = [
        *found.heading(subject, f"{NAMES[found.engine]} launch script"),
        f"One replica takes {found.chips} x {found.part.name}; the plan runs {found.replicas}.",
    ]
    if found.machines_per_replica > 1:
        notes.append(
            f"A replica spans {found.machines_per_replica} machines: start it on all of them."
        )
    return (
        "#!/usr/bin/env bash\n"
        + comment(*notes)
        + "set -euo pipefail\n"
        + model_lines(found)
        + ending([COMMANDS[found.engine], *arguments(found), LISTEN])
    )


def _write(subject: Subject, stream: IO[bytes]) -> None:
    found = deployments_of(subject)
    apart = len(found) > 1
    text = script_apart(subject, found) if apart else launch_script(subject, found[0])
    write_text(stream, text)


def _format(engine: str) -> Format:
    return Format(
        id=engine,
        label=f"{NAMES[engine]} launch script",
        audience="For engineers",
        purpose="Starts one replica with the plan's parallelism, memory and request limits.",
        suffix=".sh",
        content_type=SHELL,
        write=_write,
        check=engine_check(engine),
    )


VLLM, SGLANG = _format("vllm"), _format("sglang")
