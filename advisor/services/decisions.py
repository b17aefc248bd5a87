"""Decision records: what people chose on a run, why, under which conditions, signed by whom."""

import json
from collections.abc import Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from advisor.engine.answers import InvalidAnswers, Problem
from advisor.engine.errors import EngineRefusal
from advisor.engine.fleet.mixing import PLAN_ID
from advisor.models import Amendment, AmendmentKind, DecisionRecord, Job, Organisation
from advisor.models.decisions import SIGN_OFFS
from advisor.services import mixing
from advisor.services.replay import machine

SCHEMA = "decision/1"
NONE_OF_THEM = "none"
LONGEST_TEXT = 5_000
LONGEST_NAME = 120
FACTS = (
    "id", "name", "workload", "family", "accelerator", "accelerator_count", "system", "provider",
    "region", "country", "purchase", "precision", "engine", "parallelism", "total_cost_usd",
    "monthly_cost_usd", "cost_breakdown", "fleet", "notes",
)  # fmt: skip


class AlreadySigned(EngineRefusal):
    """Somebody has signed in that role before."""


class Withdrawn(EngineRefusal):
    """The decision was withdrawn; nothing more can be added."""


def record_decision(
    run: Job, *, owner: User, plan_id: str, reason: str, conditions: str = "", decided_by: str = ""
) -> DecisionRecord:
    """Keep a decision on an answered run for good.

    `plan_id` is a plan of the answer, "mixed" for its mixed fleet once that is searched, or
    "none". A reason is needed where it is not the recommended one. Raises InvalidAnswers with
    every problem.
    """
    document = run.result or {}
    plans = choices(run)
    recommended = recommended_of(run)
    plan = _plan(plans, plan_id)
    _check(plans, recommended, plan_id, reason, conditions, decided_by)
    content = {
        "schema": SCHEMA,
        "name": document.get("name", ""),
        "run": str(run.pk),
        "decided_on": timezone.now().date().isoformat(),
        "decided_by": decided_by.strip(),
        "chosen": _facts(plan),
        "recommended": _facts(recommended),
        "follows_recommendation": _follows(plan_id, recommended),
        "reason": reason.strip(),
        "conditions": [line.strip() for line in conditions.splitlines() if line.strip()],
        "sentence": document.get("sentence", ""),
        "why": list(document.get("why", ())),
        "warnings": list(document.get("warnings", ())),
        "answers": run.inputs["answers"],
        "basis": {
            "catalog_digest": run.snapshot_digest,
            "catalog_as_of": document.get("catalog_snapshot", {}).get("as_of"),
            "rates_digest": document.get("rates_digest", ""),
            "private_digest": digest_of(run.inputs["private"]) if "private" in run.inputs else "",
            "engine_version": run.engine_version,
            "calibration_version": run.calibration_version,
            "result_digest": digest_of(document),
            **_fleet_basis(run, plan_id),
            "machine": machine(),
        },
    }
    return DecisionRecord.objects.create(
        run=run,
        owner=owner,
        organisation=run.organisation,
        content=content,
        digest=digest_of(content),
    )


def _follows(plan_id: str, recommended: Mapping[str, Any] | None) -> bool:
    return recommended is not None and plan_id == str(recommended["id"])


def choices(run: Job) -> list[Mapping[str, Any]]:
    """Plans that may be chosen: those of the answer, and its mixed fleet once it is known."""
    mixed = mixing.mixed_plan(run)
    plans = list((run.result or {}).get("plans", ()))
    return [*plans, mixed] if mixed is not None else plans


def recommended_of(run: Job) -> Mapping[str, Any] | None:
    """What the application recommends: the mixed fleet where it is known to pay."""
    return mixing.recommended_plan(run) or (run.result or {}).get("recommendation")


def _fleet_basis(run: Job, plan_id: str) -> dict[str, str]:
    """The search behind a mixed fleet that was chosen."""
    job = mixing.known(run)
    if plan_id != PLAN_ID or job is None:
        return {}
    return {"fleet": str(job.pk), "fleet_digest": digest_of(job.result)}


def _plan(plans: Sequence[Mapping[str, Any]], plan_id: str) -> Mapping[str, Any] | None:
    return next((plan for plan in plans if plan["id"] == plan_id), None)


def _facts(plan: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if plan is None else {key: plan[key] for key in FACTS if key in plan}


def _check(
    plans: Sequence[Mapping[str, Any]],
    recommended: Mapping[str, Any] | None,
    plan_id: str,
    reason: str,
    conditions: str,
    decided_by: str,
) -> None:
    problems = []
    if plan_id != NONE_OF_THEM and _plan(plans, plan_id) is None:
        problems.append(
            Problem(
                pointer="/plan",
                message=f"choose a plan of the answer, or “{NONE_OF_THEM}” for none of them",
            )
        )
    elif not reason.strip() and not _follows(plan_id, recommended):
        problems.append(
            Problem(pointer="/reason", message="say why, since this is not the recommended plan")
        )
    if not decided_by.strip():
        problems.append(Problem(pointer="/decided_by", message="say who decides"))
    lengths = (("reason", reason, LONGEST_TEXT), ("conditions", conditions, LONGEST_TEXT),
               ("decided_by", decided_by, LONGEST_NAME))  # fmt: skip
    problems += [
        Problem(pointer=f"/{name}", message=f"at most {most:,} characters")
        for name, text, most in lengths
        if len(text) > most
    ]
    if problems:
        raise InvalidAnswers(problems)


def amend(
    record: DecisionRecord, *, owner: User, kind: str, name: str, text: str = "",
    said_on: date | None = None,
) -> Amendment:  # fmt: skip
    """Add to a decision; raises InvalidAnswers, AlreadySigned or Withdrawn."""
    _check_amendment(kind, name, text, said_on)
    try:
        with transaction.atomic():
            rows = Amendment.objects.filter(record=record)
            if rows.filter(kind=AmendmentKind.WITHDRAWN).exists():
                message = "this decision was withdrawn; record a new one"
                raise Withdrawn(message)
            number = (rows.aggregate(last=Max("number"))["last"] or 0) + 1
            before = rows.filter(number=number - 1).first()
            content = {
                "number": number,
                "kind": kind,
                "name": name.strip(),
                "text": text.strip(),
                "said_on": (said_on or timezone.now().date()).isoformat(),
            }
            previous = before.digest if before else record.digest
            return Amendment.objects.create(
                record=record,
                owner=owner,
                previous=previous,
                digest=digest_of({"previous": previous, **content}),
                **{**content, "said_on": date.fromisoformat(str(content["said_on"]))},
            )
    except IntegrityError as twice:
        message = "that role has signed already, or somebody else added something this moment"
        raise AlreadySigned(message) from twice


def _check_amendment(kind: str, name: str, text: str, said_on: date | None) -> None:
    problems = []
    if kind not in AmendmentKind.values:
        kinds = ", ".join(AmendmentKind.values)
        problems.append(Problem(pointer="/kind", message=f"choose one of {kinds}"))
    if not name.strip() or len(name) > LONGEST_NAME:
        problems.append(
            Problem(pointer="/name", message=f"say who, in at most {LONGEST_NAME} characters")
        )
    if not text.strip() and kind not in SIGN_OFFS:
        problems.append(Problem(pointer="/text", message="say what"))
    if len(text) > LONGEST_TEXT:
        problems.append(Problem(pointer="/text", message=f"at most {LONGEST_TEXT:,} characters"))
    if said_on is not None and said_on > timezone.now().date():
        problems.append(Problem(pointer="/said_on", message="type today's date or an earlier one"))
    if problems:
        raise InvalidAnswers(problems)


def digest_of(content: Any) -> str:
    """SHA-256 over the content as JSON with sorted keys and no blanks."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def is_intact(record: DecisionRecord) -> bool:
    """Whether the record, its run's answer and each addition still hash to what they did."""
    if digest_of(record.content) != record.digest:
        return False
    if digest_of(record.run.result) != record.content["basis"]["result_digest"]:
        return False
    if not _fleet_is_intact(record):
        return False
    before = record.digest
    for number, row in enumerate(_added_to(record), start=1):
        content = {
            "number": row.number, "kind": row.kind, "name": row.name, "text": row.text,
            "said_on": row.said_on.isoformat(),
        }  # fmt: skip
        if (row.number, row.previous) != (number, before):
            return False
        if row.digest != digest_of({"previous": before, **content}):
            return False
        before = row.digest
    return True


def _fleet_is_intact(record: DecisionRecord) -> bool:
    """Whether the search behind a chosen mixed fleet still says what it did."""
    basis = record.content["basis"]
    if "fleet" not in basis:
        return True
    job = Job.objects.of(record.organisation).filter(pk=basis["fleet"]).first()
    return job is not None and digest_of(job.result) == basis["fleet_digest"]


def _added_to(record: DecisionRecord) -> QuerySet[Amendment]:
    return Amendment.objects.filter(record=record).order_by("number")


def decisions_of(run: Job) -> list[DecisionRecord]:
    """A run's decisions, newest first."""
    return list(DecisionRecord.objects.of(run.organisation).filter(run=run))


def decision(organisation: Organisation, record_id: Any) -> DecisionRecord:
    """One decision; raises DecisionRecord.DoesNotExist, also where it is somebody else's."""
    return DecisionRecord.objects.of(organisation).select_related("run").get(pk=record_id)


def record_document(record: DecisionRecord) -> dict[str, Any]:
    """A decision with its additions, as files and the API carry it."""
    amendments = [
        {
            "number": row.number,
            "kind": row.kind,
            "label": row.get_kind_display(),
            "name": row.name,
            "text": row.text,
            "said_on": row.said_on.isoformat(),
            "added_at": row.created_at.isoformat(timespec="seconds"),
            "previous": row.previous,
            "digest": row.digest,
        }
        for row in _added_to(record)
    ]
    signed = {each["kind"]: each for each in amendments if each["kind"] in SIGN_OFFS}
    found = {
        **record.content,
        "id": str(record.pk),
        "recorded_at": record.created_at.isoformat(timespec="seconds"),
        "digest": record.digest,
        "amendments": amendments,
        "signed": {role.value: signed.get(role.value) for role in SIGN_OFFS},
        "withdrawn": any(each["kind"] == AmendmentKind.WITHDRAWN for each in amendments),
        "intact": is_intact(record),
    }
    return found | {"status": _status(found)}


def as_markdown(document: Mapping[str, Any]) -> str:
    """A decision as an architecture decision record."""
    basis, chosen = document["basis"], document["chosen"]
    lines = [
        f"# Decision: {_one_line(document['name'])}",
        "",
        f"- Decided on {document['decided_on']} by {_one_line(document['decided_by'])}",
        f"- Status: {_status(document)}",
        f"- Chosen: {_one_line(chosen['name']) if chosen else 'none of the plans'}",
    ]
    if chosen and chosen.get("total_cost_usd", {}).get("value") is not None:
        lines.append(f"- Cost over the horizon: {chosen['total_cost_usd']['value']:,.0f} USD")
    recommended = document["recommended"]
    if not document["follows_recommendation"]:
        named = _one_line(recommended["name"]) if recommended else "nothing"
        lines.append(f"- Recommended was: {named}")
    lines += ["", "## Why", ""]
    if document["reason"]:
        lines += [_one_line(document["reason"]), ""]
    lines += [f"- {_one_line(sentence)}" for sentence in document["why"]]
    if document["conditions"]:
        lines += ["", "## Conditions", ""]
        lines += [f"- {_one_line(condition)}" for condition in document["conditions"]]
    lines += ["", "## Signatures and additions", ""]
    lines += [
        f"- {each['said_on']} {each['label']}: {_one_line(each['name'])}"
        + (f": {_one_line(each['text'])}" if each["text"] else "")
        for each in document["amendments"]
    ] or ["None yet."]
    lines += ["", "## What it rests on", ""]
    lines += [
        f"- Catalogue of {basis['catalog_as_of']}, digest {basis['catalog_digest']}",
        f"- Rates, digest {basis['rates_digest']}",
        f"- Calibration {basis['calibration_version']}, engine {basis['engine_version']}, "
        f"{basis['machine']}",
        f"- Answer, digest {basis['result_digest']}",
        *([f"- Fleet, digest {basis['fleet_digest']}"] if "fleet" in basis else []),
        f"- This record, digest {document['digest']}",
        "",
    ]
    return "\n".join(lines)


def _status(document: Mapping[str, Any]) -> str:
    if document["withdrawn"]:
        return "withdrawn"
    signed = [role for role, row in document["signed"].items() if row]
    missing = [role for role, row in document["signed"].items() if not row]
    if not missing:
        return "signed by architect and buyer"
    return (
        f"proposed; to be signed by the {' and the '.join(missing)}"
        if not signed
        else (f"signed by the {signed[0]}; to be signed by the {missing[0]}")
    )


def _one_line(text: str) -> str:
    """Text that starts no heading, list or table of its own."""
    return " ".join(str(text).split()).replace("|", "\\|").replace("<", "&lt;")
