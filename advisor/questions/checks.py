"""Answers that are fine one by one are held against each other."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date

from advisor.engine.answers import AnswerSet, Origin, Value
from advisor.engine.latency.traces import FORMATS
from advisor.questions.items import BY_ID
from advisor.questions.log_answers import contradictions, log_in
from advisor.questions.logs import LOG
from advisor.questions.parsing import shown

WEIGHTS = ("weight_cost", "weight_latency", "weight_risk", "weight_simplicity", "weight_carbon")
MOST_GROWTH = 10.0
HIGH_AVAILABILITY_PCT = 99.9
OPERATORS_FOR_HIGH_AVAILABILITY = 2
TOKENS_PER_PARAM_LOW = 5.0
TOKENS_PER_PARAM_HIGH = 2000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A problem with the answer to one question."""

    workload: int | None
    question: str
    message: str


@dataclass(slots=True, kw_only=True)
class Findings:
    """What the checks found, gathered while they run."""

    problems: list[Found] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    set_aside: list[str] = field(default_factory=list)

    def refuse(self, workload: int | None, question: str, message: str) -> None:
        """Note a problem."""
        self.problems.append(Found(workload=workload, question=question, message=message))


def check(
    assessment: AnswerSet,
    workloads: tuple[AnswerSet, ...],
    findings: Findings,
    *,
    today: date,
    listed: bool,
) -> None:
    """Run every check; refusals, warnings and notes go into `findings`."""
    _limits(assessment, findings, place="")
    _decision(assessment, findings, today=today)
    _owned(assessment, findings, today=today)
    _money(assessment, findings)
    _data(assessment, findings)
    _names(workloads, findings)
    for index, answered in enumerate(workloads):
        place = f"{answered.text('workload_name')}: " if listed else ""
        _limits(answered, findings, place=place)
        _model(answered, findings, index=index, place=place)
        _required(answered, findings, index=index)
        if LOG in answered.asked:
            findings.warnings += [place + each for each in contradictions(answered)]
        if "input_tokens_mean" in answered.asked:
            _tokens(answered, findings, index=index)
        if "slo_ttft_ms" in answered.asked:
            _service_levels(answered, findings, place=place)
        _load(
            answered, findings, index=index, place=place, months=assessment.number("horizon_months")
        )
        _operations(assessment, answered, findings, place=place)


def _say(question: str, value: Value) -> str:
    return f"{BY_ID[question].label} ({shown(BY_ID[question], value)})"


def _limits(answered: AnswerSet, findings: Findings, *, place: str) -> None:
    """Comment on values that are allowed and unusual."""
    for question in sorted(answered.asked, key=list(BY_ID).index):
        item, value = BY_ID[question], answered.values[question]
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        if answered.origins[question] is not Origin.GIVEN or not item.used:
            continue
        if item.warn_below is not None and value < item.warn_below:
            findings.warnings.append(
                f"{place}{_say(question, value)} is unusually low; "
                f"below {shown(item, item.warn_below)} please check it."
            )
        if item.warn_above is not None and value > item.warn_above:
            findings.warnings.append(
                f"{place}{_say(question, value)} is unusually high; "
                f"above {shown(item, item.warn_above)} please check it."
            )


def _decision(assessment: AnswerSet, findings: Findings, *, today: date) -> None:
    for question in ("deployment_allowed", "accel_families_allowed"):
        if not assessment.chosen(question):
            findings.refuse(
                None, question, f"tick at least one: {', '.join(BY_ID[question].option_labels)}"
            )
    go_live = assessment.text("go_live_date")
    if go_live and date.fromisoformat(go_live) < today:
        findings.refuse(
            None, "go_live_date", f"{go_live} has passed; type today's date or a later one"
        )
    commitment = float(assessment.text("commitment_max_months"))
    horizon = assessment.number("horizon_months")
    if commitment > horizon and assessment.origins["commitment_max_months"] is Origin.GIVEN:
        findings.warnings.append(
            f"A commitment of {commitment:.0f} months is longer than the {horizon:.0f} months "
            "compared; commitments up to the horizon are proposed."
        )


def _owned(assessment: AnswerSet, findings: Findings, *, today: date) -> None:
    """Machines whose support or lease is over cannot be counted on."""
    for number, row in enumerate(assessment.rows("owned_inventory"), start=1):
        ends_on = str(row.get("ends_on") or "")
        if ends_on and date.fromisoformat(ends_on) < today:
            findings.refuse(
                None,
                "owned_inventory",
                f"row {number}: {row['accel_ref']} ended on {ends_on}; leave the row out, or type "
                "the day until which its support or lease is extended",
            )


def _money(assessment: AnswerSet, findings: Findings) -> None:
    if all(assessment.number(weight) == 0 for weight in WEIGHTS):
        findings.refuse(
            None, WEIGHTS[0], "all five weights are zero; give at least one more than zero"
        )
    if (
        assessment.text("solve_for") == "best_for_budget"
        and assessment.number_or_none("budget_total") is None
    ):
        findings.refuse(
            None, "budget_total", "the best plan for a budget needs one; type the amount"
        )
    total, month = (
        assessment.number_or_none(each) for each in ("budget_total", "budget_month_max")
    )
    horizon = assessment.number("horizon_months")
    if total is not None and month is not None and month * horizon < total:
        findings.warnings.append(
            f"The monthly limit allows only {month * horizon:,.0f} over the horizon, "
            f"less than the whole budget of {total:,.0f}: the monthly limit decides."
        )


def _data(assessment: AnswerSet, findings: Findings) -> None:
    """Say what kinds of data usually call for; findings, never verdicts."""
    classes = frozenset(assessment.chosen("data_classes"))
    regimes = frozenset(assessment.chosen("regimes"))
    personal = classes & {"personal", "special_category", "health"}
    if personal and not assessment.chosen("residency_countries"):
        findings.warnings.append(
            "Personal data may then be processed in any country; name countries if law or "
            "contracts limit you."
        )
    if "health" in classes and not regimes & {"hipaa", "gdpr", "iso_27001", "other"}:
        findings.warnings.append(
            "Health data is named without a rule that applies to it; tick one if there is any."
        )
    if "payment" in classes and "pci_dss" not in regimes:
        findings.warnings.append(
            "Payment data is named without PCI DSS; tick it if card data is processed."
        )
    if "classified" in classes and assessment.text("isolation") == "shared":
        findings.warnings.append(
            "Classified data is named with shared machines; dedicated or air-gapped ones are usual."
        )
    power_kw = assessment.number_or_none("power_available_kw")
    if "power_available_kw" in assessment.asked and power_kw is not None and power_kw >= 500:  # noqa: PLR2004
        findings.warnings.append(
            "Data centres with 500 kW or more of installed IT power report yearly under "
            "Delegated Regulation (EU) 2024/1364, if the site is in the EU."
        )
    if "site_country" in assessment.asked and not assessment.chosen("site_country"):
        findings.warnings.append(
            "The country of your site is not given; carbon and legal limits of the site are open."
        )


def _names(workloads: tuple[AnswerSet, ...], findings: Findings) -> None:
    counts = Counter(each.text("workload_name").casefold() for each in workloads)
    for index, answered in enumerate(workloads):
        name = answered.text("workload_name")
        if counts[name.casefold()] > 1:
            findings.refuse(
                index, "workload_name", f"{name!r} names two workloads; give each its own name"
            )


def _model(answered: AnswerSet, findings: Findings, *, index: int, place: str) -> None:
    total = answered.number_or_none("params_total_b")
    active = answered.number_or_none("params_active_b")
    if (
        {"params_total_b", "params_active_b"} <= answered.asked
        and total is not None
        and active is not None
        and active > total
    ):
        findings.refuse(
            index,
            "params_active_b",
            f"{active:g} billion active parameters are more than the {total:g} billion in all; "
            f"type at most {total:g}",
        )
    if answered.text("workload") == "pretrain" and total and "params_total_b" in answered.asked:
        ratio = answered.number("train_tokens_b") / total
        if not TOKENS_PER_PARAM_LOW <= ratio <= TOKENS_PER_PARAM_HIGH:
            findings.warnings.append(
                f"{place}{ratio:,.3g} training tokens for each parameter are unusual; "
                f"{TOKENS_PER_PARAM_LOW:g} to {TOKENS_PER_PARAM_HIGH:,g} are common."
            )
    if answered.text("model_licence_ok") == "no" and "model_licence_ok" in answered.asked:
        findings.warnings.append(
            f"{place}The model's licence is not cleared for this use: no plan helps until it is."
        )
    if "ft_tokens_per_example" in answered.asked and answered.number(
        "ft_tokens_per_example"
    ) > answered.number("train_seq_len"):
        findings.warnings.append(
            f"{place}Examples of {answered.number('ft_tokens_per_example'):,.0f} tokens on average "
            f"do not fit the sequence length of {answered.number('train_seq_len'):,.0f}; "
            "most would be cut."
        )


def _required(answered: AnswerSet, findings: Findings, *, index: int) -> None:
    if "given_accel" in answered.asked and not answered.text("given_accel"):
        findings.refuse(
            index,
            "given_accel",
            "to check a set-up, name its accelerator, for example nvidia-h100-sxm",
        )
    if (
        answered.text("traffic_basis") == "trace_upload"
        and "traffic_basis" in answered.asked
        and log_in(answered.values) is None
        and all((each.workload, each.question) != (index, LOG) for each in findings.problems)
    ):
        findings.refuse(
            index, LOG, f"send the log that you know the load by; readable are {'; '.join(FORMATS)}"
        )


def _tokens(answered: AnswerSet, findings: Findings, *, index: int) -> None:
    for side in ("input", "output"):
        mean = answered.number(f"{side}_tokens_mean")
        tail = answered.number(f"{side}_tokens_p95")
        if tail < mean:
            findings.refuse(
                index,
                f"{side}_tokens_p95",
                f"the 95th percentile ({tail:,.0f}) is below the mean ({mean:,.0f}); "
                f"type {mean:,.0f} or more",
            )
    whole = answered.number("input_tokens_mean") + answered.number("output_tokens_mean")
    longest = answered.number("max_context_tokens")
    if longest < whole and answered.given("max_context_tokens"):
        findings.refuse(
            index,
            "max_context_tokens",
            f"a mean request has {whole:,.0f} tokens in and out; type at least {whole:,.0f}",
        )


def _service_levels(answered: AnswerSet, findings: Findings, *, place: str) -> None:
    """Explain a target for the whole answer that is stricter than its parts."""
    whole_s = answered.number_or_none("slo_e2e_s")
    gaps = answered.number("output_tokens_mean") - 1.0
    first_s = answered.number("slo_ttft_ms") / 1e3
    gap_s = answered.number("slo_itl_ms") / 1e3
    if whole_s is None or gaps <= 0 or whole_s >= first_s + gaps * gap_s:
        return
    implied_ms = (whole_s - first_s) / gaps * 1e3
    parts = f"{first_s:g} s + {gaps:,.0f} x {gap_s * 1e3:g} ms = {first_s + gaps * gap_s:,.4g} s"
    if implied_ms <= 0:
        findings.warnings.append(
            f"{place}The whole answer may take {whole_s:g} s, less than its first token may "
            f"({first_s:g} s): the whole answer is the target that decides."
        )
        return
    findings.warnings.append(
        f"{place}The whole answer may take {whole_s:g} s, but its parts add up to {parts}: "
        f"the whole answer decides, which leaves {implied_ms:.3g} ms between tokens."
    )


def _load(
    answered: AnswerSet, findings: Findings, *, index: int, place: str, months: float
) -> None:
    if "growth_month_pct" in answered.asked:
        grown = (1.0 + answered.number("growth_month_pct") / 100.0) ** min(
            months, answered.number("growth_stops_month")
        )
        if grown > MOST_GROWTH:
            findings.warnings.append(
                f"{place}Growth of {answered.number('growth_month_pct'):g} % a month makes the "
                f"load {grown:,.3g} times today's by the end of the horizon."
            )
    if (
        answered.text("workload") == "vision"
        and answered.flag("video_decode_on_accel")
        and not answered.flag("batch_mode")
    ):
        frames = answered.number("vision_streams") * answered.number("vision_fps")
        findings.warnings.append(
            f"{place}{answered.number('vision_streams'):,.0f} streams bring {frames:,.0f} frames "
            "a second to decode; the catalogue does not record decoders, so check their number "
            "before you order."
        )
    if (
        "chunk_tokens" in answered.asked
        and answered.origins["chunk_tokens"] is Origin.GIVEN
        and answered.number("chunk_tokens") > answered.number("doc_tokens_mean")
    ):
        findings.warnings.append(
            f"{place}Chunks of {answered.number('chunk_tokens'):,.0f} tokens are longer than a "
            f"mean document ({answered.number('doc_tokens_mean'):,.0f})."
        )
    if "slo_goodput_pct" in answered.asked and answered.number("slo_goodput_pct") > answered.number(
        "availability_pct"
    ):
        findings.warnings.append(
            f"{place}More requests must meet the targets "
            f"({answered.number('slo_goodput_pct'):g} %) than the service is up "
            f"({answered.number('availability_pct'):g} %)."
        )


def _operations(
    assessment: AnswerSet, answered: AnswerSet, findings: Findings, *, place: str
) -> None:
    if (
        "ops_fte" in assessment.asked
        and assessment.text("facility_exists") != "none"
        and "availability_pct" in answered.asked
        and answered.number("availability_pct") >= HIGH_AVAILABILITY_PCT
        and assessment.number("ops_fte") < OPERATORS_FOR_HIGH_AVAILABILITY
    ):
        findings.warnings.append(
            f"{place}{answered.number('availability_pct'):g} % availability on own hardware with "
            f"{assessment.number('ops_fte'):g} people to run it is not realistic."
        )
