"""Addresses of the pages."""

from django.urls import URLPattern, path

from advisor.views import (
    check,
    decision,
    docs,
    evidence,
    explanation,
    files,
    fleet,
    latency,
    money,
    paths,
    private,
    questionnaire,
    run_bids,
    runs,
    start,
    why,
)
from catalog import views as catalogue


def _private(url: str, pages: private.Pages) -> list[URLPattern]:
    """The same addresses for quotes and for prices of one's own."""
    given = {"pages": pages}
    return [
        path(url, private.listed, given, name=url),
        path(f"{url}.csv", private.exported, given, name=f"{url}-csv"),
        path(f"{url}/new", private.new, given, name=f"{url}-new"),
        path(f"{url}/import", private.imported, given, name=f"{url}-import"),
        path(f"{url}/<int:row_id>", private.edited, given, name=f"{url}-edit"),
        path(f"{url}/<int:row_id>/drop", private.dropped, given, name=f"{url}-drop"),
    ]


urlpatterns = [
    path("", start.start, name="start"),
    path("start/blank", start.blank, name="blank"),
    path("start/<slug:preset_id>", start.preset, name="preset"),
    path("assessments", start.index, name="assessments"),
    path("assessments/<uuid:assessment_id>", questionnaire.questionnaire, name="questionnaire"),
    path("assessments/<uuid:assessment_id>/run", questionnaire.run_again, name="assessment-run"),
    path("runs/<uuid:run_id>", runs.run, name="run"),
    path("runs/<uuid:run_id>/part", runs.run_part, name="run-part"),
    path("runs/<uuid:run_id>/mix", runs.run_mix, name="run-mix"),
    path("runs/<uuid:run_id>/asked-fleet", runs.run_asked_fleet, name="run-asked-fleet"),
    path("runs/<uuid:run_id>/cancel", runs.run_cancel, name="run-cancel"),
    path("runs/<uuid:run_id>/latency", latency.latency, name="latency"),
    path("runs/<uuid:run_id>/latency/<slug:topic>", paths.path_topic, name="path"),
    path(
        "runs/<uuid:run_id>/latency/<uuid:simulation_id>/part",
        latency.latency_part,
        name="latency-part",
    ),
    path(
        "runs/<uuid:run_id>/latency/<uuid:simulation_id>/changed",
        latency.latency_changed,
        name="latency-changed",
    ),
    path("runs/<uuid:run_id>/money", money.money, name="money"),
    path("runs/<uuid:run_id>/money/<slug:table>.csv", money.money_csv, name="money-csv"),
    path("runs/<uuid:run_id>/files", files.files, name="files"),
    path("runs/<uuid:run_id>/one-page", files.board, name="one-page"),
    path("runs/<uuid:run_id>/export.<slug:form>", files.run_export, name="run-export"),
    path(
        "runs/<uuid:run_id>/explain/<slug:plan_id>/<slug:figure>",
        explanation.explanation,
        name="explain",
    ),
    path("runs/<uuid:run_id>/why", why.why, name="why"),
    path("runs/<uuid:run_id>/why/part", why.why_part, name="why-part"),
    path("runs/<uuid:run_id>/why/again", why.why_again, name="why-again"),
    path("runs/<uuid:run_id>/bids", run_bids.run_bids, name="run-bids"),
    *_private("bids", private.BIDS),
    *_private("prices", private.PRICES),
    path("runs/<uuid:run_id>/fleet", fleet.fleet, name="fleet"),
    path("runs/<uuid:run_id>/fleet/<uuid:fleet_id>/part", fleet.fleet_part, name="fleet-part"),
    path(
        "runs/<uuid:run_id>/fleet/<uuid:fleet_id>/cancel", fleet.fleet_cancel, name="fleet-cancel"
    ),
    path("runs/<uuid:run_id>/decision", decision.decision, name="decision"),
    path("decisions/<uuid:record_id>", decision.decision_record, name="decision-record"),
    path("decisions/<uuid:record_id>.md", decision.decision_markdown, name="decision-markdown"),
    path("check/setup", check.setup, name="check-setup"),
    path("check/quote", check.quote, name="check-quote"),
    path("catalogue", catalogue.index, name="catalogue"),
    path("catalogue/accelerators", catalogue.accelerators, name="catalogue-accelerators"),
    path("catalogue/accelerators/<slug:slug>", catalogue.accelerator, name="accelerator"),
    path("catalogue/systems", catalogue.systems, name="catalogue-systems"),
    path("catalogue/models", catalogue.models, name="catalogue-models"),
    path("catalogue/models/<path:slug>", catalogue.model, name="model"),
    path("catalogue/offers", catalogue.offers, name="catalogue-offers"),
    path("catalogue/measurements", catalogue.measurements, name="catalogue-measurements"),
    path("catalogue/training", catalogue.training_measurements, name="catalogue-training"),
    path("catalogue/sources", catalogue.sources, name="catalogue-sources"),
    path("evidence/", evidence.evidence, name="evidence"),
    path("docs/", docs.docs, name="docs"),
    path("docs/<slug:name>", docs.docs, name="docs-page"),
]
