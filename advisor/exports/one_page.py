"""The answer on one page for those who decide: what, why, cost, risk, what would change it."""

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any, NoReturn

from django.template.loader import render_to_string
from django.utils.safestring import mark_safe

from advisor.exports.benchmark import BENCH
from advisor.exports.formats import Format
from advisor.exports.refusal import CannotExport
from advisor.exports.subject import Document, Subject
from advisor.exports.svg import Bar, bars
from advisor.exports.text import one_line
from advisor.templatetags.quantities import percent, usd, usd_short

STYLE = Path(__file__).resolve().parents[2] / "static" / "one-page.css"
MOST_LINES, MOST_PLANS, MOST_POINTS = 6, 5, 3
_NO_LIBRARIES = (
    "The system libraries that draw a PDF (Pango) are missing here. Open the page and print it "
    "from the browser: it is made for paper."
)
_SECOND_HAND = frozenset({"reported", "assumed"})


def one_page(subject: Subject) -> dict[str, Any]:
    """Everything the page and the PDF show."""
    document, plan = subject.document, subject.plan
    found: dict[str, Any] = {
        "document": document,
        "plan": plan,
        "title": one_line(document["name"], most=120),
        "sentence": one_line(document["sentence"], most=400),
        "instead": one_line(subject.instead(), most=500),
        "why": [one_line(reason, most=300) for reason in document["why"][:MOST_POINTS]],
        "run_id": subject.run_id,
        "answered_at": subject.answered_at,
    }
    if plan is None:
        return found | {"next": ["Change the answers that the reasons name, and ask again."]}
    return found | {
        "plan_name": one_line(plan["name"], most=160),
        "facts": list(_facts(plan)),
        "cost_chart": _cost_chart(plan),
        "plans_chart": _plans_chart(document, plan),
        "risk": one_line(main_risk(document, plan), most=400),
        "changes": [one_line(text, most=300) for text in changes(subject, plan)],
        "next": [one_line(text, most=300) for text in next_steps(subject, plan)],
    }


def _facts(plan: Document) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """The few figures of the page: label, figure and kind."""
    wanted = (
        ("Over the horizon", "total_cost_usd", "usd"),
        ("A month", "monthly_cost_usd", "usd"),
        ("Up front", "capex_usd", "usd"),
        ("First token, 95 of 100", "ttft_p95_s", "seconds"),
        ("Whole answer, 99 of 100", "e2e_p99_s", "seconds"),
        ("Time of one run", "hours", "hours"),
    )
    for label, key, kind in wanted:
        figure = plan.get(key)
        if isinstance(figure, Mapping) and (figure.get("value") or key == "total_cost_usd"):
            yield label, figure, kind


def _cost_chart(plan: Document) -> str:
    lines = sorted(plan["cost_breakdown"], key=lambda line: -abs(line["usd"]))
    shown = [line for line in lines[:MOST_LINES] if line["usd"] > 0.0]
    rows = [
        Bar(
            label=x["label"], value=x["usd"], low=x["low"], high=x["high"], text=usd_short(x["usd"])
        )
        for x in shown
    ]
    return mark_safe(bars(rows, title="The largest lines of the cost"))  # noqa: S308 -- escaped


def _plans_chart(document: Document, plan: Document) -> str:
    """The plan beside the cheapest plans on other hardware."""
    seen: dict[str, Document] = {plan["accelerator"]: plan}
    others = [p for p in document["plans"] if p["total_cost_usd"]["value"] and p["meets_targets"]]
    same = [p for p in others if p["workload"] == plan["workload"]]
    for each in sorted(same, key=lambda p: float(p["total_cost_usd"]["value"])):
        seen.setdefault(each["accelerator"], each)
    rows = []
    for each in list(seen.values())[:MOST_PLANS]:
        total = each["total_cost_usd"]
        if total["value"] is None:
            continue
        rows.append(
            Bar(
                label=_short_name(each), value=total["value"], low=total["low"], high=total["high"],
                text=usd_short(total["value"]), strong=each["id"] == plan["id"],
            )
        )  # fmt: skip
    return mark_safe(bars(rows, title="Cost of this plan and of others"))  # noqa: S308 -- escaped


def _short_name(plan: Document) -> str:
    if not plan["accelerator_count"]:
        return one_line(f"{plan['provider']}, by the token")
    return one_line(f"{plan['accelerator_count']} x {plan['accelerator']}")


def main_risk(document: Document, plan: Document) -> str:
    """What could hurt most, in the order of what stops a project: price, targets, evidence."""
    total = plan["total_cost_usd"]
    if total["value"] is None:
        return "No price is public: the cost is open until quotes are in."
    span = f"The total may lie between {usd(total['low'])} and {usd(total['high'])}."
    if not plan["meets_targets"]:
        return f"The plan misses a target. {span}"
    if total["evidence"] in _SECOND_HAND:
        return f"The price is second-hand, not a quote to you. {span}"
    if plan["family"] == "hosted":
        return str(plan["notes"][0]) if plan["notes"] else span
    if document["warnings"]:
        return str(document["warnings"][0])
    if plan["purchase"] == "spot":
        return f"Spot capacity may be taken back at any time. {span}"
    return span


def changes(subject: Subject, plan: Document) -> list[str]:
    """The nearest inputs that make another plan win, where they have been worked out."""
    reasons = subject.reasons()
    flips = [f for f in (reasons or {}).get("flips") or () if f["flips_at"] is not None and f["at"]]
    if flips and subject.is_recommended:
        return [
            f"{f['label']}: {'up' if f['flips_at'] > f['at'] else 'down'} by "
            f"{percent(abs(f['flips_at'] / f['at'] - 1.0))}, and {f['winner']} wins."
            for f in flips[:MOST_POINTS]
        ]
    found = [_against(plan, each) for each in _cheapest_others(subject.document, plan)]
    return [*found, "The page Why works out the nearest change of every input."]


def _cheapest_others(document: Document, plan: Document) -> list[Document]:
    """On other hardware: the cheapest plan that may be recommended, the cheapest that may not."""
    others = [
        each
        for each in document["plans"]
        if each["accelerator"] != plan["accelerator"]
        and each["workload"] == plan["workload"]
        and each["meets_targets"]
        and each["total_cost_usd"]["value"]
    ]
    others.sort(key=lambda each: float(each["total_cost_usd"]["value"]))
    free = [each for each in others if not each.get("not_recommended_because")]
    held = [each for each in others if each.get("not_recommended_because")]
    return [*free[:1], *held[:1]]


def _against(plan: Document, other: Document) -> str:
    usd_other, usd_own = other["total_cost_usd"]["value"], plan["total_cost_usd"]["value"]
    told = f"{_short_name(other)}, {other['provider']}, costs {usd(usd_other)}"
    held = other.get("not_recommended_because")
    if held:
        return f"{told}, and is held back: {held}"
    if not usd_own:
        return f"{told}."
    gap = percent(abs(usd_other / usd_own - 1.0))
    return f"{told}: once the two move by {gap} against each other, their order turns."


def next_steps(subject: Subject, plan: Document) -> list[str]:
    """What to do before signing, from the way the plan is bought and how sure it is."""
    steps = []
    if plan["price_open"] or plan["purchase"] in ("buy", "quote"):
        steps.append("Get quotes for the bill of materials in the workbook, support included.")
    elif plan["purchase"] != "hosted_tokens":
        where = f"{plan['provider']} {plan['region']}".strip()
        steps.append(
            f"Confirm with {where} that {plan['accelerator_count']} accelerators are free, "
            "and at which price."
        )
    if not BENCH.refusal(subject):
        steps.append("Run the benchmark file on a part of the hardware: it says pass or fail.")
    else:
        steps.append("Measure a part of the load on a part of the hardware before signing.")
    return [*steps, "Sign the decision record and keep it beside the code."]


@cache
def _pdf_is_possible() -> bool:
    try:
        import weasyprint  # noqa: F401 -- its system libraries are what is asked for
    except OSError:
        return False
    return True


def check_pdf(subject: Subject) -> None:
    """PDF needs libraries of the system; the page does not."""
    if not _pdf_is_possible():
        raise CannotExport(_NO_LIBRARIES)


def as_html(subject: Subject) -> str:
    """The page as a document of its own, style included: what becomes the PDF."""
    style = mark_safe(STYLE.read_text(encoding="utf-8"))  # noqa: S308 -- our own file
    return render_to_string("exports/one_page.html", one_page(subject) | {"style": style})


def _write(subject: Subject, stream: IO[bytes]) -> None:
    from weasyprint import HTML
    from weasyprint.urls import URLFetcher

    class Nothing(URLFetcher):  # type: ignore[misc]
        """Fetches nothing: a name in the answer must not make the server ask another one."""

        def fetch(self, url: str, headers: Any = None) -> NoReturn:
            message = f"nothing is fetched for a PDF: {one_line(url)}"
            raise ValueError(message)

    page = HTML(string=as_html(subject), url_fetcher=Nothing())
    page.write_pdf(stream, pdf_variant="pdf/ua-1")


PDF = Format(
    id="pdf",
    label="One page for the board",
    audience="For the board",
    purpose="What, why, cost with its range, main risk, what would change it and what to do next.",
    suffix=".pdf",
    content_type="application/pdf",
    write=_write,
    check=check_pdf,
    page="one-page",
)
