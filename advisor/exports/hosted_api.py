"""For hosted plans: a client of the API that stops before it costs more than the plan says."""

import json
from typing import IO

from advisor.exports.benchmark import api_model
from advisor.exports.formats import Format
from advisor.exports.refusal import CannotExport
from advisor.exports.subject import Subject
from advisor.exports.text import STARTING_POINT, ZIP, comment, one_line, script, slug_of, write_zip

DEPLOYED = (
    "The plan runs on machines of your own or rented ones: nobody bills by the token. Take the "
    "launch script, or choose a hosted plan."
)


def check(subject: Subject) -> None:
    """Only hosted plans are called by an API of somebody else."""
    if subject.chosen.row is not None:
        raise CannotExport(DEPLOYED)


def settings(subject: Subject) -> dict[str, object]:
    """What the client must know: model, prices, and the month's limit."""
    chosen = subject.chosen
    plan, serving = chosen.plan, chosen.workload.serving
    price = plan["price"]
    tokens = sum(line["usd"] for line in plan["cost_breakdown"] if line["label"] == "Hosted tokens")
    months = subject.document["horizon_months"]
    return {
        "model": api_model(str(plan["system"]), str(plan["provider"])),
        "usd_per_million_input_tokens": price["usd_per_million_input_tokens"] or 0.0,
        "usd_per_million_output_tokens": price["usd_per_million_output_tokens"] or 0.0,
        "usd_a_month": round(tokens / months, 2),
        "max_output_tokens": max(round(serving.output_tokens_p95), 1) if serving else 1,
        "prices_read": price["observed_on"],
    }


def files_of(subject: Subject) -> dict[str, str]:
    """The files by their path."""
    plan = subject.chosen.plan
    heading = comment(
        f"Client of {one_line(plan['name'])}.",
        f"Run {subject.run_id}, catalogue {subject.document['catalog_snapshot']['as_of']}.",
        STARTING_POINT,
    )
    return {
        "client.py": "#!/usr/bin/env python3\n" + heading + script("hosted_client"),
        "settings.json": json.dumps(settings(subject), indent=2) + "\n",
        "README.md": (
            "# Hosted model with a cost guard\n\n"
            "A starting point made from the plan's own numbers: test it before you rely on it.\n\n"
            "1. `pip install openai`; set `OPENAI_API_KEY` and `OPENAI_BASE_URL` of the provider.\n"
            "2. `python client.py 'your question'`.\n"
            "3. `settings.json` holds the prices the plan was computed with and the month's limit; "
            "`spent.json` counts. The client refuses a request that could pass the limit. Several "
            "machines need one shared count.\n"
        ),
    }


def _write(subject: Subject, stream: IO[bytes]) -> None:
    write_zip(stream, files_of(subject), folder=f"api-{slug_of(subject.chosen.plan['provider'])}")


API = Format(
    id="api",
    label="API client with cost guard",
    audience="For engineers",
    purpose="For hosted models: a client that counts what it spends and stops at the plan's "
    "monthly bill.",
    suffix=".zip",
    content_type=ZIP,
    write=_write,
    check=check,
)
