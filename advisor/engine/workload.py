"""What the user wants, as plain values in base units: the demand that plans must serve."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.specs import ModelSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Slo:
    """Targets that hold at one percentile of requests; None where no target was set."""

    percentile: float = 0.95
    ttft_s: float | None = None
    tpot_s: float | None = None
    e2e_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServingDemand:
    """Requests that arrive, or a batch that must be through in a window."""

    model: ModelSpec
    unit: str  # what one request is: "request", "frame", "image", "query", "stream", "item"
    requests_per_s_mean: float  # over the hours with traffic
    requests_per_s_peak: float  # what the plan is sized for; a batch has mean = peak
    input_tokens: float  # mean per request; 0 for models without tokens
    output_tokens: float
    input_tokens_p95: float
    output_tokens_p95: float
    prefix_cached_fraction: float
    max_context_tokens: float
    samples_per_request: float  # forward passes of a non-LLM model; 1 for LLMs
    active_hours_per_month: float  # hours in which the capacity is needed
    requests_per_month: float
    burstiness_cv: float
    growth_per_month: float
    growth_stops_month: int
    slo: Slo
    is_batch: bool
    batch_window_s: float | None
    scale_to_zero: bool
    cold_start_limit_s: float | None
    availability: float
    redundancy: str  # none, n_plus_1, two_zones, two_regions, active_active
    headroom_fraction: float
    precision: str  # the format asked for, one of catalog.specs.PRECISIONS
    kv_precision: str
    index_bytes: float = 0.0  # vector index or embedding tables beside the model
    bytes_per_sample_extra: float = 0.0  # memory traffic beside the weights (table lookups)
    stages_s: Mapping[str, float] = field(default_factory=dict)
    """Extra stages in the path of a request, mean seconds each (signing, retrieval, rerank)."""
    share_with_stages: float = 1.0
    active_hours_per_day: float = 24.0
    active_days_per_week: float = 7.0
    simulated_replicas: Mapping[tuple[object, ...], int] = field(default_factory=dict)
    """Replicas that layouts need by simulation, instead of the closed form's with headroom: by
    accelerator slug, precision, engine, and degrees of tensor, pipeline, expert and attention."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingDemand:
    """A training or tuning job that runs a number of times in the horizon."""

    model: ModelSpec
    task: str  # pretrain, finetune, lora, rl
    tokens: float  # per run; samples for models without tokens
    seq_len: float
    global_batch_tokens: float
    precision: str
    optimizer: str
    recompute: str  # none, selective, full
    offload: bool
    lora_rank: int
    trainable_fraction: float
    quantised_base: bool
    goodput: float
    user_mfu: float | None  # the user's own measurement, where the answer was changed
    deadline_s: float | None
    runs_per_month: float
    rerun_factor: float
    checkpoint_interval_s: float
    dataset_bytes: float
    rollout_tokens: float = 0.0
    rollout_fleet_fraction: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenSetup:
    """A set-up the user already has in mind, to be checked."""

    accelerator_slug: str
    accelerator_count: int
    hours: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """One workload of an assessment: exactly one of serving and training is set."""

    name: str
    kind: str  # option id of the question "workload"
    serving: ServingDemand | None
    training: TrainingDemand | None
    given: GivenSetup | None
    quality_loss_allowed: str  # no, if_benchmarked, yes
    spot_tolerance: str
    spot_share_max: float
    engines: frozenset[str]  # serving software the user can run; empty is no preference
    disaggregation_allowed: bool
    disaggregation_asked: bool  # the user said yes, rather than nothing
    speculative_allowed: bool
    weight: float = 3.0
    power_limit_w: float | None = None  # of one place at the edge

    @property
    def is_job(self) -> bool:
        """Whether it is work to be finished rather than traffic to be answered."""
        serving = self.serving
        return self.training is not None or (serving is not None and serving.is_batch)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumption:
    """Something the user did not say, and what was taken instead."""

    workload: str  # "" for the assessment
    question: str
    label: str
    value: str
    basis: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The user's own room, if any."""

    exists: str  # own_datacentre, colocation, server_room, none
    country: str
    power_w: float | None
    rack_power_w: float | None
    racks: int | None
    cooling: frozenset[str]
    pue: float
    floor_load_kg_per_m2: float | None
    usd_per_kwh: float
    demand_usd_per_kw_month: float
    colocation_usd_per_kw_month: float
    lead_time_max_weeks: float
    fabrics: frozenset[str] = frozenset()  # networks that may join own machines; empty is any


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Financial answers, in USD."""

    currency: str
    usd_per_currency_unit: float
    budget_total_usd: float | None
    budget_month_usd: float | None
    capex_max_usd: float | None
    capex_opex: str
    discount_rate: float
    depreciation_years: float
    residual_fraction: float
    commitment_max_months: int
    discounts: Mapping[str, float]  # by provider, fraction off
    support_fraction_per_year: float
    software_usd_per_accelerator_year: float
    contingency_fraction: float
    staff_usd_per_year: float
    carbon_usd_per_tonne: float
    carbon_cap_tonnes: float | None
    tax_fraction: float = 0.0
    financing: str = "cash"  # cash, loan, lease
    financing_rate: float = 0.0  # per year
    financing_months: int = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """Accelerators the user has already: their price is sunk, running them is not."""

    accelerator_slug: str
    count: int
    age_months: float
    free_fraction: float  # that this assessment may use
    ends_on: str = ""  # last day of its support or lease, ISO; empty where nobody said
    months_left: float | None = None  # from today to that day
    resale_usd: float | None = None  # what one accelerator fetches today; None: nobody said


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastShare:
    """A share of the accelerator-hours that one seller or maker is to keep at least."""

    kind: str  # provider, vendor
    name: str
    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The whole assessment as the engine sees it: what a run answers."""

    name: str
    solve_for: str  # min_cost, best_for_budget, min_time, weighted, check_given_setup
    deployment_allowed: frozenset[str]
    families_allowed: frozenset[str]
    horizon_months: int
    workloads: tuple[Workload, ...]
    residency_countries: frozenset[str]
    user_countries: tuple[str, ...]
    restore_within_s: float  # after a place is lost
    regimes: frozenset[str]
    isolation: str
    sovereign_operator: frozenset[str]
    egress_bytes_per_month: float
    storage_bytes: float
    site: Site
    money: Money
    frameworks: frozenset[str]
    custom_kernels: str  # none, few, many
    port_effort_max_weeks: float
    ops_fte: float
    lockin: str
    single_provider_max: float
    support_left_min_months: int
    maturity_min: str
    evidence_min: str
    priorities: Mapping[str, float]  # cost, latency, risk, simplicity, carbon; sum to one
    alternatives: int
    carbon_g_per_kwh: float | None
    embodied_carbon: bool
    storage_bytes_per_s: float = 0.0  # speed that all readers need together
    inter_region_bytes_per_month: float = 0.0
    price_book: Mapping[str, float] = field(default_factory=dict)
    """Figures of the user's own that override list prices, by key of costing's rates."""
    assumptions: tuple[Assumption, ...] = ()
    warnings: tuple[str, ...] = ()
    owned: tuple[Owned, ...] = ()
    single_vendor_max: float = 1.0
    least_shares: tuple[LeastShare, ...] = ()
    notes: str = ""  # printed in the report, never computed with
