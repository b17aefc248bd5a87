"""A serving plan as the simulator runs it: its replica, their number, the traffic it is for."""

from dataclasses import dataclass
from math import ceil

from advisor.engine.latency.pool import Pool
from advisor.engine.latency.step_times import StepTimes
from advisor.engine.latency.traffic import Arrivals, Lengths, Requests, drawn_requests
from advisor.engine.workload import ServingDemand


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Served:
    """What a plan of a language model comes to under load.

    `steps` is one replica at the most its engine and memory run; `batch_limit` is the limit on
    requests at once that the plan was sized with, which keeps its time per output token.
    """

    steps: StepTimes
    batch_limit: int
    replicas: int
    demand: ServingDemand
    prefill: "Served | None" = None
    """Replicas that only compute prompts; the others only decode then."""
    hand_over_s: float = 0.0  # of a prompt's cache at its mean length, from one to the other

    def pool(
        self,
        *,
        replicas: int | None = None,
        batch_limit: int | None = None,
        router: str = "least_loaded",
    ) -> Pool:
        """The plan's replicas behind a router, or other numbers of them and of the batch.

        Replicas that only prefill keep their number for each that decodes, rounded up.
        """
        count = self.replicas if replicas is None else replicas
        first = self.prefill
        return Pool(
            steps=self.steps.limited_to(batch_limit or self.batch_limit),
            replicas=count,
            router=router,
            prefix_share=self.demand.prefix_cached_fraction,
            prefill=None
            if first is None
            else first.pool(replicas=ceil(first.replicas * count / self.replicas), router=router),
            transfer_s_per_token=self.hand_over_s / max(self.demand.input_tokens, 1.0),
        )

    @property
    def prompts(self) -> Lengths:
        """Prompt lengths of the demand, cached tokens included."""
        return self._lengths(self.demand.input_tokens, self.demand.input_tokens_p95)

    @property
    def outputs(self) -> Lengths:
        """Output lengths of the demand."""
        return self._lengths(self.demand.output_tokens, self.demand.output_tokens_p95)

    def _lengths(self, mean: float, p95: float) -> Lengths:
        most = max(self.demand.max_context_tokens, mean, p95)
        return Lengths(mean_tokens=mean, p95_tokens=p95, most_tokens=most)

    def requests(
        self, *, count: int, seed: int, load: float = 1.0, cv: float | None = None
    ) -> Requests:
        """Requests at a multiple of the peak rate; bursty as the demand says, or as told."""
        arrivals = Arrivals(
            requests_per_s=self.demand.requests_per_s_peak * load,
            cv=self.demand.burstiness_cv if cv is None else cv,
        )
        return drawn_requests(arrivals, self.prompts, self.outputs, count=count, seed=seed)
