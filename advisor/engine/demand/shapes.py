"""Models that the catalogue does not hold, shaped from what the user knows of them."""

from collections.abc import Mapping
from dataclasses import replace

from catalog.specs import ModelSpec
from catalog.units import GIGA, MEGA

ASPECT = 128.0  # width over number of layers of common decoders
FFN_OVER_HIDDEN = 3.5
USUAL_VOCAB = 128_256
USUAL_KV_HEADS = 8
EXPERTS_PER_TOKEN = 8
DETECTOR_FLOPS_PER_PARAM = 165.2e9 / 43.7e6  # at 640 pixels
DETECTOR_PIXELS = 640.0
PICTURE_PIXELS = 1024.0 * 1024.0
LATENT_PIXELS = 16.0  # pixels along one side of a latent patch
TEXT_TOKENS = 512.0
HEARD_PER_S = 50.0  # positions of an encoder
SPOKEN_PER_S = 75.0  # tokens of an audio codec
AUDIO_POSITIONS_PER_S: Mapping[str, float] = {
    "transcription": HEARD_PER_S,
    "diarisation": HEARD_PER_S,
    "synthesis": SPOKEN_PER_S,
    "speech_to_speech": HEARD_PER_S + SPOKEN_PER_S,
}
LATENT_FRAMES = 4.0  # video frames that share one latent frame
ROW_ELEMENTS = 128.0
FP32_BYTES = 4.0
VISION_PATCH = 28.0
PROMPT_TOKENS = 50.0


def language_model(
    *,
    total_params: float,
    active_params: float,
    layers: int | None = None,
    kv_heads: int | None = None,
    head_dim: int | None = None,
    precision: str = "bf16",
) -> ModelSpec:
    """A decoder of this size with the usual proportions; what is given is kept.

    Weights of a decoder number about 12 L h^2, and width is about 128 times depth in
    published models of 7 to 405 billion weights; a mixture of experts is as wide as the
    weights that work on one token suggest, with eight experts a token.

    Source: J. Kaplan et al., "Scaling Laws for Neural Language Models", 2020, section 2.1,
    arXiv:2001.08361; proportions of Llama 3, arXiv:2407.21783, table 3.
    """
    width = (
        (active_params / (12.0 * layers)) ** 0.5
        if layers
        else (active_params * ASPECT / 12.0) ** (1.0 / 3.0)
    )
    size = head_dim or 128
    hidden = max(round(width / size), 1) * size
    depth = layers or max(round(active_params / (12.0 * hidden**2)), 1)
    heads = hidden // size
    sparse = active_params < total_params
    return ModelSpec(
        slug="",
        name=f"your {total_params / GIGA:,.4g}B model",
        kind="moe_llm" if sparse else "dense_llm",
        total_params=total_params,
        active_params=active_params,
        layers=depth,
        hidden=hidden,
        ffn=round(FFN_OVER_HIDDEN * hidden / (EXPERTS_PER_TOKEN if sparse else 1)),
        heads=heads,
        kv_heads=kv_heads or min(USUAL_KV_HEADS, heads),
        head_dim=size,
        vocab=USUAL_VOCAB,
        experts=round(EXPERTS_PER_TOKEN * total_params / active_params) if sparse else 0,
        experts_per_token=EXPERTS_PER_TOKEN if sparse else 0,
        native_precision=precision,
        source="shaped from the size you gave",
    )


def encoder(*, params: float) -> ModelSpec:
    """An embedding model of this size, shaped like a decoder without a cache.

    Source: as `language_model`.
    """
    shape = language_model(total_params=params, active_params=params)
    return replace(shape, kind="embedding")


def detector(*, params: float, flops_per_frame: float | None) -> ModelSpec:
    """A detector on frames of 640 pixels; its FLOPs follow its weights unless they are given.

    Source: Ultralytics YOLOv8 model table, YOLOv8l: 43.7 million weights, 165.2 GFLOP at
    640 pixels.
    """
    flops = flops_per_frame or DETECTOR_FLOPS_PER_PARAM * params
    return _plain("vision", params, flops, "frame", name=f"your {params / MEGA:,.4g}M model")


def diffusion_model(*, params: float) -> ModelSpec:
    """A diffusion transformer; one pass over an image of 1024 x 1024 pixels, text included.

    Source: two FLOPs for each weight and latent token (as arXiv:2001.08361, section 2.1), patches
    of 16 pixels as in P. Esser et al., arXiv:2403.03206, section 4.
    """
    tokens = PICTURE_PIXELS / LATENT_PIXELS**2 + TEXT_TOKENS
    return _plain("diffusion", params, 2.0 * params * tokens, "image")


def speech_model(*, params: float, task: str = "transcription") -> ModelSpec:
    """A speech model by the second of audio it hears, speaks, or both.

    Source: two FLOPs for each weight and position; 1,500 positions for 30 seconds heard
    (A. Radford et al., "Whisper", 2022, section 2.2, arXiv:2212.04356), 75 codec steps for a second
    spoken (A. Defossez et al., "EnCodec", 2022, section 3.1, arXiv:2210.13438).
    """
    positions = AUDIO_POSITIONS_PER_S[task]
    return _plain("speech", params, 2.0 * params * positions, "audio_second")


def recommender(
    *, dense_params: float, table_bytes: float, lookups: float, extra_bytes: float = 0.0
) -> ModelSpec:
    """A recommender: dense layers for each sample and rows read from embedding tables.

    Tables count as weights in fp32; a row has 128 elements.

    Source: M. Naumov et al., "Deep Learning Recommendation Model", 2019, arXiv:1906.00091; row
    width of MLPerf's DLRM-DCNv2.
    """
    spec = _plain("recsys", dense_params, 2.0 * dense_params, "sample", precision="fp32")
    return replace(
        spec,
        total_params=dense_params + table_bytes / FP32_BYTES,
        bytes_per_sample=lookups * ROW_ELEMENTS * FP32_BYTES + extra_bytes,
        name=f"your recommender with {table_bytes / 1e9:,.4g} GB of tables",
    )


def graph_model(*, width: float, layers: float, neighbours: float, training: bool) -> ModelSpec:
    """A graph network, by the node: each layer mixes the node and the mean of its neighbours.

    Neighbour rows are gathered from memory; training passes forward once and backward twice.

    Source: W. Hamilton et al., "Inductive Representation Learning on Large Graphs", 2017,
    algorithm 1, arXiv:1706.02216.
    """
    params = layers * 2.0 * width**2
    passes = 3.0 if training else 1.0
    flops = passes * layers * (2.0 * 2.0 * width**2 + neighbours * width)
    spec = _plain("graph", params, flops, "sample", name="your graph model", precision="fp32")
    return replace(spec, bytes_per_sample=passes * layers * (neighbours + 1.0) * width * FP32_BYTES)


def frame_reader(model: ModelSpec, *, pixels: float) -> ModelSpec:
    """A language model that reads one frame: patches of 28 pixels and a short prompt.

    Source: P. Wang et al., "Qwen2-VL", 2024, section 2.1, arXiv:2409.12191.
    """
    tokens = (pixels / VISION_PATCH) ** 2 + PROMPT_TOKENS
    return replace(
        model,
        kind="vision",
        flops_per_sample=2.0 * model.active_params * tokens,
        sample_unit="frame",
    )


def _plain(
    kind: str,
    params: float,
    flops: float,
    unit: str,
    *,
    name: str = "",
    precision: str = "fp16",
) -> ModelSpec:
    return ModelSpec(
        slug="",
        name=name or f"your {params / GIGA:,.4g}B model",
        kind=kind,
        total_params=params,
        active_params=params,
        layers=None,
        hidden=None,
        ffn=None,
        heads=None,
        kv_heads=None,
        head_dim=None,
        vocab=None,
        native_precision=precision,
        flops_per_sample=flops,
        sample_unit=unit,
        source="shaped from the size you gave",
    )
