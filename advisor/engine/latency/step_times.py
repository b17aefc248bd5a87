"""How long a step of one replica takes, as the simulator needs to know it."""

from dataclasses import dataclass, replace

import numpy as np

from advisor.engine.cases import Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StepTimes:
    """Times of one replica with continuous batching, by what is in the step.

    A step that decodes B requests with K KV tokens in all takes `fixed_s[B]` +
    `per_kv_token_s[B]` x K. Prompt tokens from position a to b of a prompt, taken along in the
    step, add `prefill_s` x (b - a) + `prefill_s2` x (b^2 - a^2), and `prefill_request_s` once a
    prompt. A step without decoding takes `idle_prefill_s` more than its prompt tokens. A prompt
    is never through sooner than alone: what a busy replica hides of that time (`idle_prefill_s`
    beyond the decoding in its step, and `prefill_late_s` a token) delays all its tokens and holds
    up nobody else; so does the engine's handling of those that run, `admit_s` each. A request
    is seen by the scheduler `request_s` after it arrives. At most `chunk_tokens` tokens go into
    a step, decoding ones counted; prompts are cut at that. `kv_capacity_tokens` bounds the KV
    tokens held; beyond it the request admitted last is pre-empted and computed again later,
    unless the engine reserves the whole output on admission.

    Source: continuous batching after G.-I. Yu et al., "Orca", OSDI 2022; chunks after
    A. Agrawal et al., "Sarathi-Serve", OSDI 2024; pre-emption by recomputing after W. Kwon et
    al., "PagedAttention", SOSP 2023, section 4.5.
    """

    fixed_s: Floats  # index: requests decoding, 0 to max_batch; index 0 is not used
    per_kv_token_s: Floats  # the same index
    prefill_s: float  # a token
    prefill_s2: float = 0.0  # a token squared
    prefill_request_s: float = 0.0
    idle_prefill_s: float = 0.0
    prefill_late_s: float = 0.0  # a token
    admit_s: float = 0.0  # a request that runs when a prompt is through
    request_s: float = 0.0
    chunk_tokens: int = 8192
    kv_capacity_tokens: float = float("inf")
    kv_bytes_per_token: float = 0.0  # whole replica; for the transfer to separate decoders
    reserves_output: bool = False

    @property
    def max_batch(self) -> int:
        """Requests that run at once."""
        return len(self.fixed_s) - 1

    def prompt_s(self, tokens: Floats) -> Floats:
        """How long prompts of so many tokens hold up a busy replica."""
        return np.asarray(
            self.prefill_s * tokens + self.prefill_s2 * np.square(tokens) + self.prefill_request_s
        )

    def decoding(self) -> "StepTimes":
        """The same replica where prompts come computed from elsewhere."""
        return replace(
            self, prefill_s=0.0, prefill_s2=0.0, prefill_request_s=0.0, idle_prefill_s=0.0,
            prefill_late_s=0.0, admit_s=0.0, request_s=0.0,
        )  # fmt: skip

    def limited_to(self, batch: int) -> "StepTimes":
        """The same replica told to run fewer requests at once; never more than it could."""
        most = min(max(int(batch), 1), self.max_batch)
        return replace(
            self, fixed_s=self.fixed_s[: most + 1], per_kv_token_s=self.per_kv_token_s[: most + 1]
        )


def steady_steps(
    *, step_s: float, max_batch: int, prefill_s: float = 0.0, **rest: float
) -> StepTimes:
    """Steps that take the same time whatever runs: a station of `max_batch` servers.

    Each server needs one step for each output token, so that a request of n tokens takes
    n x step_s. With step_s far below the mean service this is M/G/c.
    """
    return StepTimes(
        fixed_s=np.full(max_batch + 1, step_s),
        per_kv_token_s=np.zeros(max_batch + 1),
        prefill_s=prefill_s,
        **rest,  # type: ignore[arg-type]
    )
