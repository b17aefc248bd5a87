"""What may be considered at all: each refusal names the first limit that is broken."""

from collections.abc import Mapping, Sequence

from advisor.engine.plan import Rejection
from advisor.engine.workload import Question, Site, Workload
from catalog.specs import (
    AcceleratorSpec,
    Family,
    ModelSpec,
    OfferSpec,
    Purchase,
    SupportSpec,
)

FAMILY_OPTION: Mapping[Family, str] = {
    Family.GPU: "gpu",
    Family.APU: "gpu",
    Family.TPU: "tpu",
    Family.IPU: "ipu",
    Family.WAFERSCALE: "wafer_scale",
    Family.ASIC: "custom_asic",
}
"""Accelerator families as the questionnaire names them; one-die parts count as GPUs."""

HARD_REGIMES = frozenset(
    {"fedramp_moderate", "fedramp_high", "dod_il4", "dod_il5", "hipaa", "secnumcloud", "c5"}
)
"""Regimes whose status an offer must have on record; the others give findings."""

TASK_OF_KIND: Mapping[str, str] = {
    "pretrain": "training",
    "finetune_full": "training",
    "finetune_peft": "lora",
    "rl_posttrain": "training",
    "infer_llm_realtime": "llm_inference",
    "infer_llm_batch": "llm_inference",
    "embed_rag": "embeddings",
    "vision": "vision",
    "diffusion": "diffusion",
    "recsys": "recsys",
    "speech": "speech",
    "graph": "graph",
}
_OWNED = frozenset({"on_prem", "colocation", "hybrid", "edge"})
WHOLE_MACHINE = 4  # accelerators from which an instance is taken to be a machine of its own
_KG_PER_RACK_UNIT = 17.0  # a DGX H100 weighs 130 kg in 8 units (NVIDIA DGX H100 user guide)


def support_of(
    support: Sequence[SupportSpec], part: AcceleratorSpec, software: str
) -> SupportSpec | None:
    """What the catalogue records of a piece of software on a part, if anything."""
    for row in support:
        if row.software == software and row.vendor == part.vendor and row.family == part.family:
            return row
    return None


def part_refusal(
    part: AcceleratorSpec,
    *,
    question: Question,
    workload: Workload,
    support: Sequence[SupportSpec],
    porting_weeks: float,
) -> Rejection | None:
    """The first limit that keeps a part out before any arithmetic, or None.

    Families the user excluded, parts not for sale yet, software that is recorded as
    unsupported, and porting effort above what the user accepts.
    """

    def refuse(limit: str, reason: str) -> Rejection:
        return Rejection(
            family=part.family.value,
            accelerator=part.name,
            limit=limit,
            reason=reason,
            workload=workload.name,
        )

    if FAMILY_OPTION[part.family] not in question.families_allowed:
        return refuse("family", f"You excluded the {part.family.value} family.")
    if part.lifecycle == "announced" and question.maturity_min != "announced":
        return refuse(
            "maturity",
            f"{part.name} is announced and cannot be bought or rented yet; you ask for "
            f"{question.maturity_min.replace('_', ' ')}.",
        )
    if question.lockin == "avoid" and part.form_factor.startswith("cloud only"):
        return refuse(
            "lock-in",
            f"Only its maker's own cloud rents {part.name}; you want to avoid such dependence.",
        )
    task = support_of(support, part, TASK_OF_KIND[workload.kind])
    if task is not None and task.status == "unsupported":
        return refuse("software", f"{task.note} ({task.source})")
    for framework in sorted(question.frameworks & {"pytorch", "jax", "tensorflow", "onnx"}):
        known = support_of(support, part, framework)
        if known is not None and known.status == "unsupported":
            return refuse("framework", f"{framework} is not supported on {part.name}: {known.note}")
    if porting_weeks > question.port_effort_max_weeks:
        return refuse(
            "porting",
            f"Moving {question.custom_kernels} custom kernels to {part.name} is put at "
            f"{porting_weeks:.0f} person-weeks; you accept {question.port_effort_max_weeks:.0f}.",
        )
    return None


def weights_refusal(model: ModelSpec, *, nearest_open: ModelSpec | None) -> str | None:
    """Why a model cannot be self-hosted, naming the nearest open one; None where it can."""
    if model.weights_access != "closed":
        return None
    nearest = (
        f" The nearest open model here is {nearest_open.name}."
        if nearest_open
        else f" {model.note}"
    )
    return (
        f"The weights of {model.name} are not published, so it runs only behind its owner's "
        f"API and cannot be self-hosted.{nearest}"
    )


def deployment_kind(offer: OfferSpec) -> str:
    """Deployment option of the questionnaire that an offer belongs to."""
    if offer.purchase in (Purchase.BUY, Purchase.QUOTE):
        return "on_prem"
    if offer.purchase == Purchase.HOSTED_TOKENS:
        return "managed_api"
    return offer.provider_kind


def offer_refusal(offer: OfferSpec, *, question: Question, workload: Workload) -> str | None:
    """The first rule that keeps an offer out, in a sentence; None where it may be used."""
    kind = deployment_kind(offer)
    allowed = question.deployment_allowed
    if kind == "on_prem":
        if not allowed & _OWNED:
            return "Own hardware is not among the deployments you allow."
    elif kind not in allowed:
        return f"{kind.replace('_', ' ').capitalize()} is not among the deployments you allow."
    return _contract_refusal(offer, question=question, workload=workload) or _isolation_refusal(
        offer, question=question
    )


def _contract_refusal(offer: OfferSpec, *, question: Question, workload: Workload) -> str | None:
    if offer.purchase == Purchase.SPOT:
        if workload.spot_tolerance == "never":
            return "You exclude interruptible capacity."
        realtime = workload.serving is not None and not workload.serving.is_batch
        if realtime and workload.spot_tolerance != "freely":
            return "Interruptible capacity is not used for real-time answers without a fallback."
    term_months = {Purchase.RESERVED_1Y: 12, Purchase.RESERVED_3Y: 36}.get(offer.purchase, 0)
    if term_months > question.money.commitment_max_months:
        return (
            f"The {term_months}-month commitment is longer than the "
            f"{question.money.commitment_max_months} months you would sign."
        )
    if term_months > question.horizon_months:
        return (
            f"The {term_months}-month commitment outlasts your horizon of "
            f"{question.horizon_months} months."
        )
    weeks = offer.lead_time_weeks
    if weeks is not None and weeks > question.site.lead_time_max_weeks:
        return (
            f"It is delivered in {weeks:.0f} weeks; you can wait "
            f"{question.site.lead_time_max_weeks:.0f}."
        )
    owned = offer.purchase in (Purchase.BUY, Purchase.QUOTE)
    if owned and question.money.capex_opex == "opex_only":
        return "You want running cost only, and this is bought."
    if not owned and question.money.capex_opex == "capex_only":
        return "You want to buy only, and this is rented."
    return None


def place_refusal(offer: OfferSpec, *, question: Question) -> str | None:
    """Why an offer may not be used for where it stands: residency, recorded status."""
    if deployment_kind(offer) == "on_prem":
        country = question.site.country
        if (
            question.residency_countries
            and country
            and (country not in question.residency_countries)
        ):
            return f"Your site is in {country}, outside the countries your data may be in."
        return None
    country = offer.region.country if offer.region else ""
    if question.residency_countries and country not in question.residency_countries:
        where = f"is in {country}" if country else "names no country"
        wanted = ", ".join(sorted(question.residency_countries))
        return f"The offer {where}; your data must stay in {wanted}."
    recorded = offer.region.compliance if offer.region else frozenset()
    missing = sorted((question.regimes & HARD_REGIMES) - recorded)
    if missing:
        names = ", ".join(name.replace("_", " ") for name in missing)
        return f"No recorded {names} status for {offer.provider} in this region."
    return None


def _isolation_refusal(offer: OfferSpec, *, question: Question) -> str | None:
    if question.isolation == "air_gapped" and deployment_kind(offer) != "on_prem":
        return "You need an air-gapped installation; this is reached over a network."
    part_of_a_host = deployment_kind(offer) != "on_prem" and offer.accelerator_count < WHOLE_MACHINE
    shared = offer.purchase in (Purchase.HOSTED_TOKENS, Purchase.SPOT) or part_of_a_host
    if shared and question.isolation in ("dedicated_host", "dedicated_cluster"):
        return "You need dedicated machines; this shares them with others."
    return None


def site_refusal(
    name: str,
    *,
    systems: float,
    power_w: float,
    rack_units: float | None,
    site: Site,
    liquid_only: bool,
) -> str | None:
    """Why the user's room cannot take a number of systems; None where it can.

    Colocation and rooms not built yet have no limits of their own. Rack power is that of
    one system, which cannot be split over racks.
    """
    if site.exists == "none":
        return None
    per_system_w = power_w / max(systems, 1.0)
    power_known = per_system_w > 0.0
    if liquid_only and not site.cooling & {"direct_to_chip", "immersion"}:
        return f"{name} is liquid-cooled; your room has {', '.join(sorted(site.cooling))}."
    if site.rack_power_w is not None and per_system_w > site.rack_power_w:
        return (
            f"One {name} draws {per_system_w / 1e3:.1f} kW; your racks take "
            f"{site.rack_power_w / 1e3:.0f} kW."
        )
    if site.power_w is not None and power_w > site.power_w:
        return (
            f"{systems:.0f} x {name} draw {power_w / 1e3:.0f} kW; "
            f"{site.power_w / 1e3:.0f} kW are available."
        )
    if power_known and site.racks is not None and site.rack_power_w is not None:
        per_rack = max(1.0, site.rack_power_w // per_system_w)
        racks = -(-systems // per_rack)
        if racks > site.racks:
            return f"{systems:.0f} x {name} need {racks:.0f} racks; {site.racks} are free."
    if site.floor_load_kg_per_m2 is not None and rack_units is not None:
        # A rack stands on about one square metre with its share of the aisle.
        load = rack_units * _KG_PER_RACK_UNIT
        if load > site.floor_load_kg_per_m2:
            return (
                f"One {name} weighs about {load:.0f} kg; your floor takes "
                f"{site.floor_load_kg_per_m2:.0f} kg per square metre."
            )
    return None
