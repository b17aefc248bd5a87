"""The decision record in Markdown: what is kept in a repository beside the code."""

from collections.abc import Mapping
from typing import IO, Any

from advisor.exports.as_table import COLUMNS, footer, plan_cells, short
from advisor.exports.formats import Format
from advisor.exports.subject import Subject
from advisor.exports.text import one_line, write_text

Document = Mapping[str, Any]
NOBODY_YET = "| | | |"
_MARKED = str.maketrans({sign: f"\\{sign}" for sign in "\\`*_[]|~#"} | {"<": "&lt;", ">": "&gt;"})


def as_markdown(document: Document, subject: Subject | None = None) -> str:
    """The record: question, decision, alternatives, cost, why not, assumptions, origin, sign-off.

    `subject` adds the run's own identity and the plan chosen in place of the recommended one.
    """
    plan = subject.plan if subject is not None else document["recommendation"]
    lines = [f"# Decision: {md(document['name'])}", ""]
    lines += _status(document, subject)
    lines += ["", "## Question", "", *_question(document)]
    lines += [
        "",
        "## Decision",
        "",
        *_decision(document, plan, subject.instead() if subject else ""),
    ]
    lines += ["", "## Alternatives", "", *_alternatives(document)]
    if plan is not None:
        lines += ["", "## Cost over the horizon", "", *_cost(plan)]
    lines += ["", "## Why not", "", *_why_not(document)]
    lines += ["", "## Assumptions", "", *_assumptions(document)]
    lines += ["", "## Where this comes from", "", *_origin(document, subject)]
    lines += ["", "## Sign-off", "", *_sign_off(subject)]
    return "\n".join([*lines, "", *(md(line) for line in footer(document))]) + "\n"


def md(text: object) -> str:
    """Text that Markdown shows as it is: no link, no markup, no HTML, no new line."""
    return one_line(text, most=2_000).translate(_MARKED).replace("](", "]\\(")


def _status(document: Document, subject: Subject | None) -> list[str]:
    day = subject.answered_at if subject is not None else None
    status = "proposed" if document["recommendation"] else "open: nothing can be recommended"
    return [
        f"- Status: {status}",
        f"- Date: {day.date().isoformat() if day else document['catalog_snapshot']['as_of']}",
        f"- Horizon: {document['horizon_months']} months",
    ]


def _question(document: Document) -> list[str]:
    lines = []
    for demand in document.get("demand", ()):
        figures = "; ".join(
            f"{each['label']} {short(each['value'])} {each['unit']}" for each in demand["figures"]
        )
        lines.append(f"- **{md(demand['workload'])}** ({md(demand['model'])}): {md(figures)}")
    notes = document.get("notes", "")
    return [*lines, *([f"- Notes: {md(notes)}"] if notes else [])]


def _decision(document: Document, plan: Document | None, instead: str) -> list[str]:
    best = document["recommendation"]
    lines = [md(document["sentence"]), ""]
    if instead:
        lines += [f"**Recommended instead, over the hours of a week:** {md(instead)}", ""]
    lines += [f"- {md(reason)}" for reason in document["why"]]
    if plan is not None and best is not None and plan["id"] != best["id"]:
        lines += ["", f"Chosen instead: **{md(plan['name'])}** ({md(plan['id'])})."]
    if plan is not None:
        lines += [f"- {md(note)}" for note in plan["notes"]]
    return lines


def _alternatives(document: Document) -> list[str]:
    rows = plan_cells(document)
    if not rows:
        return ["No plan of the catalogue passes the limits."]
    header = [label for key, label in COLUMNS if key in rows[0]["keys"]]
    lines = ["| | " + " | ".join(header) + " |", "|---" * (len(header) + 1) + "|"]
    for row in rows:
        mark = "**chosen**" if row["mark"] else ""
        lines.append(f"| {mark} | " + " | ".join(md(cell) for cell in row["cells"]) + " |")
    more = len(document["plans"]) - len(rows)
    return [*lines, "", f"{more} more in the JSON and CSV files."] if more > 0 else lines


def _cost(plan: Document) -> list[str]:
    lines = ["| line | USD | evidence | source |", "|---|---:|---|---|"]
    lines += [
        f"| {md(line['label'])} | {line['usd']:,.2f} | {md(line['evidence'])} "
        f"| {md(line['source'])} |"
        for line in plan["cost_breakdown"]
    ]
    total = plan["total_cost_usd"]
    if total["value"] is None:
        return [*lines, "| **total** | open: get a quote | | |"]
    span = f"80 % range {total['low']:,.2f} to {total['high']:,.2f}"
    return [*lines, f"| **total** | **{total['value']:,.2f}** | {md(total['evidence'])} | {span} |"]


def _why_not(document: Document) -> list[str]:
    return [
        f"- **{md(item['accelerator'] or item['family'])}** ({md(item['family'])}): "
        f"{md(item['reason'])}"
        for item in document["rejected"]
    ] or ["Nothing was rejected."]


def _assumptions(document: Document) -> list[str]:
    return [
        f"- {md(item['label'])}: {md(item['value'])} ({md(item['basis'])})"
        for item in document["assumptions"]
    ] or ["Every answer was given."]


def _origin(document: Document, subject: Subject | None) -> list[str]:
    catalogue = document["catalog_snapshot"]
    return [
        *([f"- Run: `{subject.run_id}`"] if subject is not None else []),
        f"- Catalogue: as of {catalogue['as_of']}, SHA-256 `{catalogue['digest']}`",
        f"- Engine: {document['engine_version']}; calibration: {document['calibration_version']}",
    ]


def _sign_off(subject: Subject | None) -> list[str]:
    """The newest decision on the run with its signatures; empty rows where nobody decided yet."""
    table = ["| name | role | date |", "|---|---|---|"]
    records = subject.decisions() if subject is not None else []
    if not records:
        return [*table, NOBODY_YET, NOBODY_YET]
    record = records[0]
    chosen = record["chosen"]
    lines = [
        f"Decided on {md(record['decided_on'])} by {md(record['decided_by'])}: "
        f"{md(chosen['name']) if chosen else 'none of the plans'}; {md(record['status'])}. "
        f"Record SHA-256 `{record['digest']}`.",
        "",
        *table,
    ]
    for each in record["amendments"]:
        said = f": {md(each['text'])}" if each["text"] else ""
        lines.append(f"| {md(each['name'])} | {md(each['label'])}{said} | {each['said_on']} |")
    return lines


def _write(subject: Subject, stream: IO[bytes]) -> None:
    write_text(stream, as_markdown(subject.document, subject))


MARKDOWN = Format(
    id="md",
    label="Decision record",
    audience="For the record",
    purpose="Question, decision, alternatives, assumptions and sign-off in Markdown: ready for a "
    "pull request.",
    suffix=".md",
    content_type="text/markdown; charset=utf-8",
    write=_write,
    of_plan=False,
)
