"""What a training or tuning workload must do: tokens, state, time, repetitions."""

from collections.abc import Mapping

from advisor.engine.answers import Origin
from advisor.engine.demand.adapters import adapter_fraction
from advisor.engine.demand.model import PRECISION_OF_ANSWER, Part
from advisor.engine.workload import GivenSetup, TrainingDemand
from catalog.specs import ModelSpec
from catalog.units import (
    GIGA,
    KILO,
    MEGA,
    MONTHS_PER_YEAR,
    PERCENT,
    SECONDS_PER_DAY,
    SECONDS_PER_MINUTE,
    TERA,
)

TASKS: Mapping[str, str] = {
    "pretrain": "pretrain",
    "finetune_full": "finetune",
    "finetune_peft": "lora",
    "rl_posttrain": "rl",
}
PREFIX_FRACTION = 0.001  # X. Li and P. Liang, "Prefix-Tuning", 2021, arXiv:2101.00190


def training_demand(part: Part, model: ModelSpec) -> TrainingDemand:
    """The demand of one training workload.

    Source: arithmetic on the answers.
    """
    own, task = part.own, TASKS[part.kind]
    asked_precision = own.text("train_precision")
    generates = task == "rl"
    rollout_tokens = own.number("rl_rollout_tokens_b") * GIGA if generates else 0.0
    measured = own.origins["mfu_expected_pct"] is Origin.GIVEN
    deadline = "train_deadline_days" in own.asked
    return TrainingDemand(
        model=model,
        task=task,
        tokens=training_tokens(part),
        seq_len=own.number("train_seq_len"),
        global_batch_tokens=own.number("global_batch_tokens_m") * MEGA,
        precision=PRECISION_OF_ANSWER.get(asked_precision, asked_precision),
        optimizer=own.text("optimizer"),
        recompute=own.text("activation_checkpointing"),
        offload=own.flag("offload_allowed"),
        lora_rank=int(own.number("lora_rank")) if task == "lora" else 0,
        trainable_fraction=_trainable_fraction(part, model),
        quantised_base=task == "lora" and own.text("peft_method") == "qlora",
        goodput=own.number("goodput_pct") * PERCENT,
        user_mfu=own.number("mfu_expected_pct") * PERCENT if measured else None,
        deadline_s=own.number("train_deadline_days") * SECONDS_PER_DAY if deadline else None,
        runs_per_month=own.number("retrain_per_year") / MONTHS_PER_YEAR,
        rerun_factor=own.number("rerun_factor"),
        checkpoint_interval_s=own.number("checkpoint_interval_min") * SECONDS_PER_MINUTE,
        dataset_bytes=own.number("dataset_tb") * TERA,
        rollout_tokens=rollout_tokens,
        rollout_fleet_fraction=1.0 - own.number("rl_trainer_share_pct") * PERCENT
        if generates
        else 0.0,
    )


def training_tokens(part: Part) -> float:
    """Tokens that one run trains on.

    Source: arithmetic on the answers.
    """
    own = part.own
    match part.kind:
        case "pretrain":
            return own.number("train_tokens_b") * GIGA
        case "rl_posttrain":
            return own.number("rl_rollout_tokens_b") * GIGA
        case _:
            return (
                own.number("ft_examples_k")
                * KILO
                * own.number("ft_tokens_per_example")
                * own.number("ft_epochs")
            )


def given_setup(part: Part) -> GivenSetup | None:
    """The set-up to check, if that is what was asked.

    Source: the answers.
    """
    own = part.own
    if "given_accel" not in own.asked:
        return None
    return GivenSetup(
        accelerator_slug=own.text("given_accel"),
        accelerator_count=int(own.number("given_count")),
        hours=own.number_or_none("given_hours"),
    )


def _trainable_fraction(part: Part, model: ModelSpec) -> float:
    own = part.own
    if part.kind != "finetune_peft":
        return 1.0
    if own.text("peft_method") == "prefix":
        return PREFIX_FRACTION
    fraction = adapter_fraction(
        model,
        rank=own.number("lora_rank"),
        attention_only=own.text("lora_targets") == "attention_only",
    )
    part.assume(
        "lora_rank",
        "Share of the weights that is trained",
        f"{fraction:.3%}",
        "rank times the sides of each adapted matrix (arXiv:2106.09685)",
    )
    return fraction
