"""Which model a workload runs: the catalogue's, or one shaped from the answers."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from advisor.engine.answers import AnswerSet, InvalidAnswers, Origin, Problem, Value
from advisor.engine.demand import shapes as model_shapes
from advisor.engine.workload import Assumption
from catalog.specs import PRECISIONS, ModelSpec
from catalog.units import GIGA, MEGA

LANGUAGE_KINDS = frozenset({"dense_llm", "moe_llm"})
KINDS: Mapping[str, frozenset[str]] = {
    "infer_llm_realtime": LANGUAGE_KINDS,
    "infer_llm_batch": LANGUAGE_KINDS,
    "rl_posttrain": LANGUAGE_KINDS,
    "embed_rag": LANGUAGE_KINDS | {"embedding", "encoder"},
    "vision": LANGUAGE_KINDS | {"vision"},
    "diffusion": frozenset({"diffusion"}),
    "recsys": frozenset({"recsys"}),
    "speech": frozenset({"speech"}),
    "graph": frozenset({"graph"}),
}
"""Kinds of models that fit a workload; training takes any."""
PRECISION_OF_ANSWER: Mapping[str, str] = {"mxfp8": "fp8", "mxfp4": "fp4", "nvfp4": "fp4"}
# Side of the frames that the catalogue's figures hold for, in pixels.
# Sources: model cards of torchvision and Ultralytics; MLPerf Inference rules (RetinaNet).
NATIVE_PIXELS: Mapping[str, float] = {
    "resnet50": 224.0,
    "resnet101": 224.0,
    "vgg16": 224.0,
    "vit-base": 224.0,
    "efficientnet-b4": 380.0,
    "mask-rcnn": 800.0,
    "retinanet": 800.0,
    "yolo11n": 640.0,
    "yolo11s": 640.0,
    "yolo11m": 640.0,
    "yolo11l": 640.0,
    "yolo11x": 640.0,
}
# Passes and pixels (of all frames) of the result that the catalogue's figures hold for.
# Sources: model cards of Stability AI, Black Forest Labs and Wan-AI.
NATIVE_PASSES: Mapping[str, tuple[float, float]] = {
    "sdxl": (40.0, 1024.0 * 1024.0),
    "stable-diffusion-v2": (100.0, 512.0 * 512.0),
    "flux1-schnell": (4.0, 1024.0 * 1024.0),
    "flux1-dev": (28.0, 1024.0 * 1024.0),
    "wan2.2-t2v-a14b": (40.0, 1280.0 * 720.0 * 81.0),
}
UTTERANCE_S: Mapping[str, float] = {"rnnt": 7.2}  # LibriSpeech dev-clean, mean


@dataclass(slots=True, kw_only=True)
class Part:
    """One workload's answers, with the assessment's, and what has been assumed on the way."""

    index: int
    count: int  # workloads in the assessment
    own: AnswerSet
    assessment: AnswerSet
    assumed: list[Assumption] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The workload's name."""
        return self.own.text("workload_name")

    @property
    def kind(self) -> str:
        """The workload's kind: an option of the question `workload`."""
        return self.own.text("workload")

    def assume(self, question: str, label: str, value: str, basis: str) -> None:
        """Note something that the answers left open."""
        self.assumed.append(
            Assumption(workload=self.name, question=question, label=label, value=value, basis=basis)
        )

    def refuse(self, question: str, message: str) -> InvalidAnswers:
        """The refusal of one answer."""
        at = f"/workloads/{self.index}" if self.count > 1 else ""
        return InvalidAnswers([Problem(pointer=f"/answers{at}/{question}", message=message)])


def model_for(part: Part, models: Mapping[str, ModelSpec]) -> ModelSpec:
    """The model of a workload, ready to count with.

    Source: the catalogue, or the shapes of `model_shapes`.
    """
    own = part.own
    if part.kind == "recsys":
        return _recommender(part)
    slug = own.text("model_ref") if "model_ref" in own.asked else ""
    if slug in models:
        return _checked(part, models[slug])
    if not slug:
        return _from_size(part, own.values, given=own)
    if own.origins["model_ref"] is Origin.PRESET and own.fallbacks.get("params_total_b"):
        part.assume(
            "model_ref",
            "Model",
            f"a model of {own.fallbacks['params_total_b']:g} billion parameters",
            f"the catalogue does not hold the preset's {slug}",
        )
        return _from_size(part, {**own.values, **own.fallbacks}, given=None)
    close = difflib.get_close_matches(slug.lower(), list(models), n=1, cutoff=0.5)
    raise part.refuse(
        "model_ref",
        f"the catalogue holds no model {slug!r}"
        + (f"; did you mean {close[0]!r}?" if close else "")
        + " Name one of the catalogue, or leave this empty and give its parameters.",
    )


def named_model(part: Part, question: str, models: Mapping[str, ModelSpec]) -> ModelSpec:
    """The language model that another question names.

    Source: the catalogue; a dense one of eight billion weights where the default is not in it.
    """
    slug = part.own.text(question)
    if slug in models:
        return models[slug]
    if part.own.given(question) and slug:
        raise part.refuse(
            question, f"the catalogue holds no model {slug!r}; name one that it holds"
        )
    part.assume(question, "Model that writes the answers", "8 billion parameters", "our assumption")
    return model_shapes.language_model(total_params=8.0 * GIGA, active_params=8.0 * GIGA)


def precision_for(part: Part, model: ModelSpec) -> str:
    """The format of the weights: as asked, or as the model is published.

    Source: the answers; the model's card.
    """
    own = part.own
    if "weight_precision" in own.asked and own.text("weight_precision"):
        asked = own.text("weight_precision")
        return PRECISION_OF_ANSWER.get(asked, asked)
    native = model.native_precision if model.native_precision in PRECISIONS else "bf16"
    if "weight_precision" in own.asked:
        part.assume(
            "weight_precision",
            "Numeric format of the weights",
            native,
            f"the format in which {model.name} is published",
        )
    return native


def kv_precision_for(part: Part, precision: str) -> str:
    """The format of the key-value cache: as asked; 8 bits beside weights of 4.

    Source: the answers.
    """
    asked = part.own.text("kv_precision")
    if asked not in ("", "same_as_weights"):
        return asked
    if precision in ("fp4", "int4"):
        part.assume(
            "kv_precision",
            "Numeric format of the key-value cache",
            "fp8",
            "our assumption: servers do not keep caches at four bits by default",
        )
        return "fp8"
    return "bf16" if precision in ("fp32", "tf32") else precision


def _checked(part: Part, model: ModelSpec) -> ModelSpec:
    kinds = KINDS.get(part.kind)
    if kinds is not None and model.kind not in kinds:
        raise part.refuse(
            "model_ref",
            f"{model.name} is of kind {model.kind}, which this workload cannot run; "
            f"name a model of kind {', '.join(sorted(kinds))}",
        )
    _check_context(part, model)
    if part.kind == "vision":
        return _for_frames(part, model)
    if part.kind == "diffusion":
        return _one_pass(part, model)
    if part.kind == "speech":
        return _one_second(part, model)
    if part.kind == "graph" and model.flops_per_sample is None:
        usual = _graph(part)
        return replace(
            model,
            flops_per_sample=usual.flops_per_sample,
            bytes_per_sample=usual.bytes_per_sample,
        )
    return model


def _one_pass(part: Part, model: ModelSpec) -> ModelSpec:
    """The model by one pass over a picture of 1024 x 1024 pixels, or over a frame of a clip."""
    if model.flops_per_sample is None:
        return _with_flops(part, model, model_shapes.diffusion_model(params=model.active_params))
    passes, pixels = NATIVE_PASSES.get(model.slug, (1.0, model_shapes.PICTURE_PIXELS))
    share = model_shapes.PICTURE_PIXELS / pixels / passes
    extra = model.bytes_per_sample
    part.assume(
        "gen_steps",
        f"Compute of one pass of {model.name}",
        f"{model.flops_per_sample * share / 1e12:,.4g} TFLOP for 1024 x 1024 pixels",
        "its figure for a whole result, in proportion to passes and pixels",
    )
    return replace(
        model,
        flops_per_sample=model.flops_per_sample * share,
        bytes_per_sample=None if extra is None else extra * share,
        sample_unit="image",
    )


def _one_second(part: Part, model: ModelSpec) -> ModelSpec:
    """The model by the second of audio."""
    if model.flops_per_sample is None:
        return _with_flops(part, model, _speech_model(part, model.active_params))
    seconds = UTTERANCE_S.get(model.slug, 1.0)
    extra = model.bytes_per_sample
    return replace(
        model,
        flops_per_sample=model.flops_per_sample / seconds,
        bytes_per_sample=None if extra is None else extra / seconds,
        sample_unit="audio_second",
    )


def _with_flops(part: Part, model: ModelSpec, usual: ModelSpec) -> ModelSpec:
    flops = usual.flops_per_sample or 0.0
    part.assume(
        "model_ref",
        f"Compute per {usual.sample_unit.replace('_', ' ')} of {model.name}",
        f"{flops / 1e12:,.3g} TFLOP",
        "two operations for each weight and position",
    )
    return replace(model, flops_per_sample=flops, sample_unit=usual.sample_unit)


def _check_context(part: Part, model: ModelSpec) -> None:
    own = part.own
    if model.context_max is None or "input_tokens_mean" not in own.asked:
        return
    whole = own.number("input_tokens_mean") + own.number("output_tokens_mean")
    if whole > model.context_max:
        raise part.refuse(
            "input_tokens_mean",
            f"{whole:,.0f} tokens in and out do not fit the {model.context_max:,} tokens of "
            f"{model.name}; shorten the request or name another model",
        )
    if own.number("max_context_tokens") > model.context_max and own.given("max_context_tokens"):
        raise part.refuse(
            "max_context_tokens",
            f"{model.name} reads at most {model.context_max:,} tokens; type that or less",
        )


def _for_frames(part: Part, model: ModelSpec) -> ModelSpec:
    own = part.own
    pixels = own.number("vision_pixels")
    given = own.number_or_none("vision_gflops")
    if given is not None:
        return replace(model, kind="vision", flops_per_sample=given * GIGA, sample_unit="frame")
    if model.kind in LANGUAGE_KINDS:
        return model_shapes.frame_reader(model, pixels=pixels)
    flops, native = model.flops_per_sample, NATIVE_PIXELS.get(model.slug)
    if flops is not None and native is None and model.slug:
        return model  # its figure holds for samples of its own, such as volumes
    if flops is None:
        flops = model_shapes.DETECTOR_FLOPS_PER_PARAM * model.active_params
    native = native or model_shapes.DETECTOR_PIXELS
    scale = (pixels / native) ** 2
    part.assume(
        "vision_gflops",
        f"Compute per frame of {model.name}",
        f"{flops * scale / GIGA:,.4g} GFLOP",
        f"its figure at {native:.0f} pixels, in proportion to the area of a frame",
    )
    extra = model.bytes_per_sample
    return replace(
        model,
        flops_per_sample=flops * scale,
        bytes_per_sample=None if extra is None else extra * scale,
    )


def _from_size(part: Part, values: Mapping[str, Value], *, given: AnswerSet | None) -> ModelSpec:
    total = float(str(values["params_total_b"])) * GIGA
    match part.kind:
        case "embed_rag":
            return model_shapes.encoder(params=total)
        case "vision":
            return _vision_model(part, total)
        case "diffusion":
            return model_shapes.diffusion_model(params=total)
        case "speech":
            return _speech_model(part, total)
        case "graph":
            return _graph(part)
        case _:
            return _language_model(part, values, total=total, given=given)


def _speech_model(part: Part, params: float) -> ModelSpec:
    return model_shapes.speech_model(params=params, task=part.own.text("speech_task"))


def _vision_model(part: Part, params: float) -> ModelSpec:
    own = part.own
    gflops = own.number_or_none("vision_gflops")
    if gflops is not None:
        return model_shapes.detector(params=params, flops_per_frame=gflops * GIGA)
    if own.text("vision_task") == "vlm":
        reader = model_shapes.language_model(total_params=params, active_params=params)
        return _for_frames(part, reader)
    return _for_frames(part, model_shapes.detector(params=params, flops_per_frame=None))


def _graph(part: Part) -> ModelSpec:
    own = part.own
    return model_shapes.graph_model(
        width=own.number("graph_width"),
        layers=own.number("graph_layers"),
        neighbours=own.number("graph_neighbours"),
        training=own.text("graph_task") == "training",
    )


def _recommender(part: Part) -> ModelSpec:
    own = part.own
    retrieves = own.text("recsys_stage") == "retrieval"
    candidates = own.number("candidates_per_request")
    row = model_shapes.ROW_ELEMENTS * model_shapes.FP32_BYTES
    spec = model_shapes.recommender(
        dense_params=own.number("dense_params_m") * MEGA,
        table_bytes=own.number("emb_tables_gb") * GIGA,
        lookups=own.number("emb_lookups"),
        extra_bytes=candidates * row if retrieves else 0.0,
    )
    part.assume(
        "emb_lookups",
        "Bytes read per sample",
        f"{(spec.bytes_per_sample or 0.0) / 1e3:,.4g} kB",
        "128 numbers of 4 bytes in each row, as in MLPerf's DLRM-DCNv2",
    )
    if own.text("recsys_stage") == "training":
        return replace(spec, flops_per_sample=3.0 * (spec.flops_per_sample or 0.0))
    return spec


def _language_model(
    part: Part, values: Mapping[str, Value], *, total: float, given: AnswerSet | None
) -> ModelSpec:
    def whole(question: str) -> int | None:
        value = values.get(question)
        known = given is not None and given.given(question) and question in given.asked
        return int(float(str(value))) if known and value is not None else None

    active = values.get("params_active_b")
    if given is None and "params_active_b" not in part.own.fallbacks:
        active = None
    spec = model_shapes.language_model(
        total_params=total,
        active_params=total if active is None else float(str(active)) * GIGA,
        layers=whole("layers"),
        kv_heads=whole("kv_heads"),
        head_dim=whole("head_dim"),
    )
    part.assume(
        "layers",
        "Shape of the model",
        f"{spec.layers} layers, width {spec.hidden:,}, {spec.kv_heads} key-value heads of "
        f"{spec.head_dim}",
        "usual proportions of decoders of this size (arXiv:2001.08361, arXiv:2407.21783)",
    )
    return spec
