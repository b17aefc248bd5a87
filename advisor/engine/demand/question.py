"""Answers become a Question: the demand, the limits and the wishes, in base units."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from advisor.engine.answers import Answers, AnswerSet, Origin
from advisor.engine.demand import rates
from advisor.engine.demand.model import Part, model_for
from advisor.engine.demand.search import generator_demand, is_batch, reembedding_demand
from advisor.engine.demand.serving import serving_demand
from advisor.engine.demand.training import TASKS, given_setup, training_demand
from advisor.engine.workload import LeastShare, Money, Owned, Question, Site, Workload
from catalog.specs import ModelSpec
from catalog.units import (
    DAYS_PER_MONTH,
    GIGA,
    KILO,
    PERCENT,
    SECONDS_PER_DAY,
    SECONDS_PER_HOUR,
    TERA,
    WEEKS_PER_MONTH,
)

SYSTEMIC_RISK_FLOPS = 1e25
LOG_APART = 0.25  # of the mean rate; a log nearer to the answers does not contradict them
WEIGHTS = ("cost", "latency", "risk", "simplicity", "carbon")
ENGINES_OF_PREFERENCE: Mapping[str, frozenset[str]] = {
    "vllm": frozenset({"vllm"}),
    "sglang": frozenset({"sglang"}),
    "tensorrt_llm": frozenset({"tensorrt-llm"}),
    "triton": frozenset({"tensorrt-llm", "tensorrt", "vllm"}),  # its back ends
    "tgi": frozenset({"other"}),
    "jax_serving": frozenset({"vendor"}),
    "vendor_stack": frozenset({"vendor"}),
    "onnxruntime": frozenset({"other"}),
    "no_preference": frozenset(),
}
PRICE_BOOK: Mapping[str, str] = {
    "own_usd_per_accel_hour": "usd_per_accelerator_hour",
    "own_storage_per_run": "storage_usd_per_run",
    "own_egress_per_run": "egress_usd_per_run",
    "own_engineering_per_run": "engineering_usd_per_run",
}


def question_of(
    answers: Answers, models: Mapping[str, ModelSpec], *, usd_per_currency_unit: float = 1.0
) -> Question:
    """What a run answers; raises InvalidAnswers where an answer does not fit the model it names.

    A search whose answers are written here brings the writing model as a workload of its own,
    and regular re-embedding another.

    Source: the answers; arithmetic of `demand_rates`.
    """
    said = answers.assessment
    parts = [
        Part(index=index, count=len(answers.workloads), own=own, assessment=said)
        for index, own in enumerate(answers.workloads)
    ]
    workloads: list[Workload] = []
    warnings = list(answers.warnings)
    for part in parts:
        workloads.extend(_workloads(part, models))
        warnings.extend(_findings(part, workloads[-1]))
    warnings += _expired_discounts(said, answers.read_on)
    warnings += _shares_of_plans(said)
    assumptions = [*answers.assumptions]
    for part in parts:
        assumptions.extend(part.assumed)
    return Question(
        name=said.text("assessment_name"),
        solve_for=said.text("solve_for"),
        deployment_allowed=frozenset(said.chosen("deployment_allowed")),
        families_allowed=frozenset(said.chosen("accel_families_allowed")),
        horizon_months=int(said.number("horizon_months")),
        workloads=tuple(workloads),
        residency_countries=frozenset(said.chosen("residency_countries")),
        user_countries=said.chosen("user_regions"),
        restore_within_s=said.number("rto_h") * SECONDS_PER_HOUR,
        regimes=frozenset(said.chosen("regimes")),
        isolation=said.text("isolation"),
        sovereign_operator=frozenset(said.chosen("sovereign_operator")),
        egress_bytes_per_month=said.number("egress_tb_month") * TERA,
        storage_bytes=_storage_bytes(said, parts, workloads),
        storage_bytes_per_s=said.number("storage_throughput_gb_s") * GIGA,
        inter_region_bytes_per_month=said.number("inter_region_tb_month") * TERA,
        site=_site(said, answers.read_on, usd=usd_per_currency_unit),
        money=_money(said, answers.read_on, usd=usd_per_currency_unit),
        frameworks=frozenset(said.chosen("frameworks")),
        custom_kernels=said.text("custom_kernels"),
        port_effort_max_weeks=said.number("port_effort_ok_pm") * WEEKS_PER_MONTH,
        ops_fte=said.number("ops_fte"),
        lockin=said.text("lockin_tolerance"),
        owned=_owned(said, answers.read_on, usd_per_currency_unit),
        single_provider_max=said.number("single_provider_max_pct") * PERCENT,
        single_vendor_max=said.number("single_vendor_max_pct") * PERCENT,
        least_shares=_least_shares(said),
        support_left_min_months=int(said.number("support_left_min_months")),
        maturity_min=said.text("maturity_min"),
        evidence_min=said.text("evidence_min"),
        priorities=priorities({each: said.number(f"weight_{each}") for each in WEIGHTS}),
        alternatives=int(said.number("alternatives_count")),
        carbon_g_per_kwh=_if_asked(said, "grid_g_per_kwh"),
        embodied_carbon="embodied_carbon" in said.asked and said.flag("embodied_carbon"),
        price_book=price_book(said, usd=usd_per_currency_unit),
        assumptions=tuple(assumptions),
        warnings=tuple(dict.fromkeys(warnings)),
        notes=said.text("notes"),
    )


def priorities(weights: Mapping[str, float]) -> dict[str, float]:
    """Weights that add up to one; equal ones where all are zero.

    Source: definition.
    """
    total = sum(weights.values())
    if total <= 0.0:
        return {name: 1.0 / len(weights) for name in weights}
    return {name: weight / total for name, weight in weights.items()}


def price_book(said: AnswerSet, *, usd: float) -> dict[str, float]:
    """The user's own prices in USD, by the keys of the price book; none where none is given.

    Source: the answers.
    """
    found = {key: _usd_if_asked(said, question, usd) for question, key in PRICE_BOOK.items()}
    return {key: value for key, value in found.items() if value is not None}


def _usd(said: AnswerSet, question: str, usd: float) -> float:
    """An amount in USD: what the user typed is in his currency, defaults and presets in USD."""
    return said.number(question) * (usd if said.origins[question] is Origin.GIVEN else 1.0)


def _usd_if_asked(said: AnswerSet, question: str, usd: float) -> float | None:
    return None if _if_asked(said, question) is None else _usd(said, question, usd)


def _workloads(part: Part, models: Mapping[str, ModelSpec]) -> list[Workload]:
    own = part.own
    model = model_for(part, models)
    trains = part.kind in TASKS
    serving = None if trains else serving_demand(part, model)
    workload = Workload(
        name=part.name,
        kind=part.kind,
        serving=serving,
        training=training_demand(part, model) if trains else None,
        given=given_setup(part),
        quality_loss_allowed=own.text("quality_loss_allowed"),
        spot_tolerance=own.text("spot_tolerance"),
        spot_share_max=own.number("spot_share_max_pct") * PERCENT
        if "spot_share_max_pct" in own.asked
        else 0.0,
        engines=engines(own.chosen("runtime_prefs") if "runtime_prefs" in own.asked else ()),
        disaggregation_allowed=own.flag("disagg_allowed"),
        disaggregation_asked=own.flag("disagg_allowed")
        and own.origins["disagg_allowed"] is Origin.GIVEN,
        speculative_allowed=own.flag("spec_decode_allowed"),
        weight=own.number("workload_weight"),
        power_limit_w=_if_asked(own, "edge_power_w"),
    )
    found = [workload]
    if part.kind == "embed_rag" and serving is not None and not is_batch(part):
        if own.text("rag_generator_here") == "yes_same_fleet":
            found.append(
                replace(
                    workload,
                    name=f"{part.name}: written answers",
                    kind="infer_llm_realtime",
                    serving=generator_demand(part, models, serving),
                )
            )
        if own.number("reembed_per_year") > 0.0:
            found.append(
                replace(
                    workload,
                    name=f"{part.name}: re-embedding",
                    serving=reembedding_demand(part, serving),
                )
            )
    return found


def engines(preferences: tuple[str, ...]) -> frozenset[str]:
    """Serving engines that the preferences allow; empty where all will do.

    Source: the engines each server runs, by its documentation.
    """
    if "no_preference" in preferences:
        return frozenset()
    return frozenset().union(*(ENGINES_OF_PREFERENCE[each] for each in preferences))


def _findings(part: Part, workload: Workload) -> list[str]:
    """Facts about the demand that somebody should act on; findings, never verdicts."""
    return [*_log_findings(part, workload), *_systemic_risk(part, workload)]


def _log_findings(part: Part, workload: Workload) -> list[str]:
    """Where the load that was answered is another than the log's, and how far the log reaches."""
    logs, demand = part.own.rows("trace_file"), workload.serving
    if not logs or "trace_file" not in part.own.asked or demand is None:
        return []
    log, mean = logs[0], demand.requests_per_s_mean
    recorded, duration_s = float(log["requests_per_s"]), float(log["duration_s"])
    if part.own.text("traffic_basis") != "trace_upload":
        if abs(mean - recorded) <= LOG_APART * max(mean, recorded):
            return []
        return [
            f"{part.name}: your answers come to {mean:,.3g} requests/s on average, the log of "
            f"requests to {recorded:,.3g}. Yours size the plan; the log is played that much "
            f"{'faster' if mean > recorded else 'slower'}."
        ]
    if duration_s >= SECONDS_PER_DAY:
        return []
    return [
        f"{part.name}: the log of requests covers {duration_s / SECONDS_PER_HOUR:,.2g} hours. It "
        "is taken as an ordinary stretch of the hours with traffic; send a whole day, or type the "
        "busiest minute over the mean, if other hours are busier."
    ]


def _systemic_risk(part: Part, workload: Workload) -> list[str]:
    training = workload.training
    if training is None or "eu_ai_act" not in part.assessment.chosen("regimes"):
        return []
    if workload.training is None or workload.kind not in ("pretrain", "rl_posttrain"):
        return []
    flops = rates.training_flops(params=training.model.active_params, tokens=training.tokens)
    if flops < SYSTEMIC_RISK_FLOPS:
        return []
    return [
        f"{part.name}: a run of {flops:.2g} FLOP reaches the 1e25 FLOP from which Article 51(2) of "
        "Regulation (EU) 2024/1689 presumes systemic risk of a general-purpose model."
    ]


def _storage_bytes(said: AnswerSet, parts: list[Part], workloads: list[Workload]) -> float:
    """Fast storage: what was asked for, at least the training data, and a batch's data."""
    data = sum(each.training.dataset_bytes for each in workloads if each.training is not None)
    batches = sum(
        part.own.number("batch_io_gb") * GIGA for part in parts if "batch_io_gb" in part.own.asked
    )
    return max(said.number("storage_hot_tb") * TERA, data) + batches


def _if_asked(answered: AnswerSet, question: str) -> float | None:
    return answered.number_or_none(question) if question in answered.asked else None


def _site(said: AnswerSet, today: date, *, usd: float) -> Site:
    exists = said.text("facility_exists") if "facility_exists" in said.asked else "none"
    country = said.chosen("site_country") if "site_country" in said.asked else ()
    lead_weeks = said.number("lead_time_max_weeks")
    if said.text("go_live_date"):
        days = (date.fromisoformat(said.text("go_live_date")) - today).days
        lead_weeks = min(lead_weeks, max(days / 7.0, 0.0))
    power_kw = _if_asked(said, "power_available_kw")
    rack_kw = _if_asked(said, "rack_kw_max")
    racks = _if_asked(said, "racks_free")
    return Site(
        exists=exists,
        country=country[0] if country else "",
        power_w=None if power_kw is None else power_kw * KILO,
        rack_power_w=None if rack_kw is None else rack_kw * KILO,
        racks=None if racks is None else int(racks),
        cooling=frozenset(said.chosen("cooling")),
        pue=said.number("pue"),
        floor_load_kg_per_m2=_if_asked(said, "floor_load_kg_m2"),
        usd_per_kwh=_usd(said, "electricity_price", usd),
        demand_usd_per_kw_month=_usd(said, "demand_charge", usd),
        colocation_usd_per_kw_month=_usd(said, "colo_price_kw_month", usd),
        lead_time_max_weeks=lead_weeks,
        fabrics=frozenset(said.chosen("network_fabric")),
    )


def _money(said: AnswerSet, today: date, *, usd: float) -> Money:
    def amount(question: str) -> float | None:
        return _usd_if_asked(said, question, usd)

    commitment = int(said.text("commitment_max_months"))
    if said.origins["exit_notice_months"] is Origin.GIVEN:
        commitment = min(commitment, int(said.number("exit_notice_months")))
    return Money(
        currency=said.text("currency"),
        usd_per_currency_unit=usd,
        budget_total_usd=amount("budget_total"),
        budget_month_usd=amount("budget_month_max"),
        capex_max_usd=amount("capex_max"),
        capex_opex=said.text("capex_opex_pref"),
        discount_rate=said.number("discount_rate_pct") * PERCENT,
        depreciation_years=said.number("depreciation_years"),
        residual_fraction=said.number("residual_pct") * PERCENT,
        commitment_max_months=commitment,
        discounts=_discounts(said, today),
        support_fraction_per_year=said.number("support_pct_year") * PERCENT,
        software_usd_per_accelerator_year=_usd(said, "software_per_accel_year", usd),
        contingency_fraction=said.number("contingency_pct") * PERCENT,
        staff_usd_per_year=_usd(said, "fte_cost_year", usd),
        carbon_usd_per_tonne=(amount("carbon_price") or 0.0),
        carbon_cap_tonnes=_if_asked(said, "carbon_cap_t"),
        tax_fraction=(_if_asked(said, "tax_pct") or 0.0) * PERCENT,
        financing=said.text("financing") if "financing" in said.asked else "cash",
        financing_rate=(_if_asked(said, "financing_rate_pct") or 0.0) * PERCENT,
        financing_months=int(_if_asked(said, "financing_months") or 0),
    )


def _discounts(said: AnswerSet, today: date) -> dict[str, float]:
    """Private discounts in force by provider; an expired one is worth nothing."""
    return {
        str(row["provider"]).lower(): float(row["percent"]) * PERCENT
        for row in said.rows("negotiated_discounts")
        if "percent" in row and not _is_past(row, today)
    }


def _owned(said: AnswerSet, today: date, usd_per_unit: float) -> tuple[Owned, ...]:
    """What the user has already; rows without accelerator or count say nothing."""
    found = []
    for row in said.rows("owned_inventory"):
        count = float(str(row.get("count") or 0))
        free, resale = row.get("free_share_pct"), row.get("resale_each")
        ends_on = str(row.get("ends_on") or "")
        if row.get("accel_ref") and count >= 1.0:
            found.append(
                Owned(
                    accelerator_slug=str(row["accel_ref"]),
                    count=int(count),
                    age_months=float(str(row.get("age_months") or 0.0)),
                    free_fraction=1.0 if free is None else float(str(free)) * PERCENT,
                    ends_on=ends_on,
                    months_left=_months_until(ends_on, today),
                    resale_usd=None if resale is None else float(str(resale)) * usd_per_unit,
                )
            )
    return tuple(found)


def _least_shares(said: AnswerSet) -> tuple[LeastShare, ...]:
    return tuple(
        LeastShare(kind=kind, name=str(row[kind]), fraction=float(str(row["percent"])) * PERCENT)
        for kind in ("provider", "vendor")
        for row in said.rows(f"{kind}_least_shares")
        if "percent" in row
    )


def _shares_of_plans(said: AnswerSet) -> list[str]:
    """That a plan of one part cannot keep a share; the fleet is where shares are held to."""
    found = []
    whole = 100.0
    for kind, word in (("provider", "provider"), ("vendor", "maker")):
        most = said.number(f"single_{kind}_max_pct")
        least = [row for row in said.rows(f"{kind}_least_shares") if row.get("percent")]
        asked = [f"at most {most:g} % with one {word}"] if most < whole else []
        asked += [f"at least {row['percent']:g} % with {row[kind]}" for row in least]
        found += [
            f"You ask for {each}. One plan alone is all with one {word}, so the plans below break "
            "it where they are not mixed; the fleet mixes them and keeps it."
            for each in asked
        ]
    return found


def _months_until(day: str, today: date) -> float | None:
    """Months from today to a day; none where it has passed, None where there is no day."""
    if not day:
        return None
    return max((date.fromisoformat(day) - today).days / DAYS_PER_MONTH, 0.0)


def _is_past(row: Mapping[str, object], today: date) -> bool:
    until = str(row.get("valid_until") or "")
    return bool(until) and date.fromisoformat(until) < today


def _expired_discounts(said: AnswerSet, today: date) -> list[str]:
    return [
        f"Your discount with {row['provider']} ended on {row['valid_until']}; it is not counted."
        for row in said.rows("negotiated_discounts")
        if _is_past(row, today)
    ]
