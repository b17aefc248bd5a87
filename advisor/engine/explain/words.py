"""Words for the names that formulas use: what they mean, in which unit, where they stand."""

from collections.abc import Mapping

UNITS: Mapping[str, str] = {
    "_tokens_per_s": "tokens/s",
    "_requests_per_s": "requests/s",
    "_samples_per_s": "samples/s",
    "_bytes_per_s": "B/s",
    "_flops_per_s": "FLOP/s",
    "_per_s": "1/s",
    "_usd_per_h": "USD/h",
    "_s": "s",
    "_h": "h",
    "_bytes": "B",
    "_flops": "FLOP",
    "_tokens": "tokens",
    "_params": "parameters",
    "_w": "W",
    "_usd": "USD",
}
"""By the ending of a name, longest first."""
WHOLE_UNITS: Mapping[str, str] = {
    "flops": "FLOP", "tokens": "tokens", "bandwidth": "", "memory": "", "peak": "FLOP/s",
    "peak_16": "FLOP/s", "link": "", "scale_out": "", "weights": "", "compute": "s",
    "overhead": "s", "outputs": "tokens", "context": "", "seq_len": "tokens", "turn": "s",
    "start": "s", "burst": "s", "others": "s", "queue": "s", "tail": "s", "rate": "1/s",
    "step_s": "s", "tpot": "s", "samples_per_s": "samples/s", "requests_per_s": "requests/s",
    "output_tokens_per_s": "tokens/s", "tokens_per_s_per_accelerator": "tokens/s",
    "mfu": "fraction", "hours": "h", "users_at_slo": "concurrent users",
}  # fmt: skip
LABELS: Mapping[str, str] = {
    "alone_s": "one prompt alone, no queue",
    "marginal_s": "one prompt more on a busy replica",
    "step_s": "fixed time of a step",
    "layer_s": "fixed time of a layer",
    "sequence_s": "time of a step for each running request",
    "hop_s": "latency of one exchange",
    "tpot": "time per output token",
    "outputs": "output tokens of a request",
    "context": "tokens of context, on average",
    "inside": "requests running on one replica",
    "others": "prefill work of the other requests",
    "burst": "part of it waited for before the first token",
    "start": "first token without waiting for others",
    "turn": "time of one request from start to end",
    "queue": "wait outside a full deployment",
    "matmul": "share of the peak that matrices reach",
    "bandwidth": "share of the memory bandwidth reached",
    "attention": "share of the peak that attention reaches",
    "cache": "share of the bandwidth reached reading the cache",
    "experts": "experts, or their share of the matrix rate",
    "link": "links",
    "thin": "rows that a thin matrix is padded to",
    "overlap": "share of the shorter time that is not hidden",
    "decode": "what remains of a decode step beyond its terms",
    "prefill": "what remains of prefill work beyond its terms",
    "gain": "tokens a step yields",
    "prompts_s": "queue and prompt in the prefill pool",
    "handed_s": "hand-over, a place and the first step in the decode pool",
    "move_s": "way of a prompt's cache from prefill to decode",
    "network_bytes_per_s": "network of one accelerator",
    "kv_bytes_per_sequence": "cache of one prompt",
    "dense_s": "arithmetic of the layers every token passes",
    "routed_s": "arithmetic of the experts",
    "attention_s": "arithmetic of attention",
    "dense_m": "reading the weights every token needs",
    "routed_m": "reading the experts touched",
    "cache_m": "reading the KV cache",
    "transfer_s": "exchange between accelerators",
    "latency_s": "latency of the exchanges",
    "overhead_s": "fixed times: launches, scheduling, latency",
    "bytes_per_s": "memory bandwidth reached",
    "dense_flops_per_s": "matrix rate reached",
    "peak_flops_per_s": "peak of the number format",
    "bandwidth_bytes_per_s": "memory bandwidth of the part",
    "usable_memory_bytes": "usable memory of the part",
    "floor_s": "reading the weights at full bandwidth",
    "middle": "median of the first token",
    "beyond": "wait beyond the median",
    "spread": "deviation at the percentile",
    "wait": "share of the others' prefill waited for at rest",
    "crowd": "the same share beyond it, when prefill never pauses",
    "busy": "share of the time spent on prefill",
    "first_steps": "decode steps before the first token leaves",
    "cold_s": "wait of a benchmark's first requests for an engine that is not warm yet",
    "admit_s": "handling of one running request before a new one starts",
    "typical": "median wait for a free replica",
    "load": "replicas busy on average",
    "servers": "replicas",
    "waiting": "chance that a request must wait",
    "compute": "arithmetic of a step",
    "memory": "memory traffic",
    "overhead": "fixed times and pipeline bubble of a step",
    "bubble": "idle share of the pipeline",
    "shift": "logarithm of the correction that measured relatives ask for",
    "predict": "learnt from measured relatives",
    "goodput": "share of time that makes progress",
    "mfu": "model FLOP utilisation",
    "hours": "time of one run",
    "users_at_slo": "users within the targets",
    "kv_values": "KV-cache values of a token on one chip",
    "stages": "pipeline stages",
    "ranks": "tensor-parallel ranks",
    "attention_ranks": "tensor-parallel ranks of attention",
    "pipeline_parallel": "pipeline stages",
    "tensor_parallel": "tensor-parallel ranks",
    "burstiness_cv": "burstiness of arrivals",
}
TRAINING_LABELS: Mapping[str, str] = {
    "inside": "rate of the links inside the fast fabric",
    "outside": "rate of the network cards",
    "context": "ranks that share a sequence, or their exchange",
    "beyond": "doublings of the accelerators beyond a node",
    "spread": "ranks the experts are spread over",
    "overlap": "share of the work that may hide traffic",
    "memory": "memory traffic of a step",
    "weights": "exchange of weights and gradients",
    "dispatch": "exchange of tokens between experts",
    "tensor": "tensor-parallel ranks, or their exchange",
    "attention": "attention, or the share of the peak it reaches",
    "wide": "share of the rate that wide matrices keep",
    "narrow": "share of the rate that narrow experts keep",
    "passes": "forward passes' worth of work, recomputation included",
    "selective": "extra work of recomputing what is cheap",
    "straggle": "time lost for each doubling beyond a node",
    "hiding": "share of the work that hides traffic",
    "exposed": "share of the traffic never hidden",
    "spill": "optimizer state to and from host memory",
    "serial": "fixed times of all layers and microbatches",
    "moved": "bytes moved",
    "held": "weights a rank exchanges",
    "reach": "rate at which weights travel",
    "traffic": "bytes moved a token, layer and unit of width",
    "step_s": "time of a step, or its fixed part",
    "speed": "tokens a second of one accelerator",
    "work": "accelerator-seconds at one token a second",
    "booked": "time of one run",
}
SAMPLES_LABELS: Mapping[str, str] = {
    "speed": "samples a second",
    "compute": "arithmetic of a sample",
    "powered": "rate that the power limit pays for",
    "own": "bytes of a sample beside the weights",
    "fixed": "fixed time of a pass",
    "wanted": "batch that makes the fixed time small",
    "batch": "samples of a pass",
    "held": "share of the offline rate kept under a limit",
    "count": "accelerators, or copies",
    "capacity": "requests a second of all copies",
    "passing": "passes between arrival and answer",
    "reuse": "FLOPs for each byte moved",
    "spilled": "share of the traffic that leaves the chip",
}
_BY_SUBJECT: Mapping[str, Mapping[str, str]] = {
    "training": TRAINING_LABELS,
    "samples": SAMPLES_LABELS,
}
PLACES: Mapping[str, tuple[str, str]] = {
    "AcceleratorTable": ("list", "datasheet of the part, in the catalogue"),
    "AcceleratorSpec": ("list", "datasheet of the part, in the catalogue"),
    "ModelTable": ("list", "published shape of the model, in the catalogue"),
    "ModelSpec": ("list", "published shape of the model, in the catalogue"),
    "TrainingWork": ("list", "shape of the model and datasheet of the part, in the catalogue"),
    "SampleWork": ("list", "shape of the model and datasheet of the part, in the catalogue"),
    "InferenceCases": ("", "the configuration of the plan"),
    "TrainingCases": ("", "the configuration of the plan"),
    "SampleCases": ("", "the configuration of the plan"),
    "ServingDemand": ("", "your answers"),
    "TrainingDemand": ("", "your answers"),
    "Slo": ("", "your answers"),
    "GivenSetup": ("", "your answers"),
    "Reach": ("calibrated", "round trips between places; see the method pages"),
    "Layouts": ("", "the layout that is fastest and fits"),
}
"""Evidence and origin by the kind of record in which a given value stood."""


def label_of(symbol: str, subject: str = "") -> str:
    """What a symbol means, in words; its own letters where nobody wrote more."""
    own = _BY_SUBJECT.get(subject, {})
    if symbol in own or symbol in LABELS:
        return own.get(symbol) or LABELS[symbol]
    text = symbol
    for ending in (*UNITS, "_m"):
        if text.endswith(ending) and len(text) > len(ending):
            text = text[: -len(ending)]
            break
    return text.replace("_", " ") or symbol


def unit_of(symbol: str) -> str:
    """The unit that a name tells; empty where the value is a plain number or share."""
    if symbol in WHOLE_UNITS:
        return WHOLE_UNITS[symbol]
    return next((unit for ending, unit in UNITS.items() if symbol.endswith(ending)), "")


def origin_words(where: str) -> tuple[str, str]:
    """Evidence class and origin of a given value, from the place it was taken from."""
    if where in PLACES:
        return PLACES[where]
    name = where.rpartition(".")[2]
    if where.startswith(("advisor.", "costing.")) and name.strip("_").isupper():
        return "assumed", f"a constant of the method, {where}"
    return "", "computed on the way" if where else "a plain number of the formula"
