"""Replicas that share a stream of requests, and how requests are spread over them."""

from dataclasses import dataclass

from advisor.engine.latency.step_times import StepTimes

ROUTERS = ("round_robin", "least_loaded", "prefix_aware")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Equal replicas behind a router.

    `prefix_share` is the share of a prompt's tokens that a replica need not compute where it
    has served the request's session before; with one session for all (the default of
    Requests) that is everywhere, from the start. Cached tokens cost no time and no memory of
    their own: they are shared. The prefix-aware router sends a session where its prefix is,
    unless that replica has `spill_requests` more in hand than the least loaded one.
    With `prefill` set the pool is disaggregated: prompts are computed on those replicas, and
    `transfer_s_per_token` later the pool's own replicas decode.

    Source: cache-aware routing with a balance threshold as in SGLang's model gateway
    (balance_abs_threshold, 64); disaggregation after Y. Zhong et al., "DistServe", OSDI 2024.
    """

    steps: StepTimes
    replicas: int = 1
    router: str = "least_loaded"
    prefix_share: float = 0.0
    spill_requests: int = 64
    prefill: "Pool | None" = None
    transfer_s_per_token: float = 0.0
