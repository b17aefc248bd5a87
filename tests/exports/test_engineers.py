"""Files for engineers: each is read by what it is meant for, or by its published schema."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

from advisor.exports.registry import BY_ID, FORMATS, menu_of
from advisor.exports.subject import Subject
from advisor.exports.text import files_in
from advisor.questions import PRESETS
from tests.exports.conftest import ContentOf, SubjectOf
from tests.services import need

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("exports")]

PUBLISHED = Path(__file__).parent / "published"
ACCELERATE = Path(os.environ.get("ACCELERATE_PYTHON", "var/accelerate/bin/python"))
Wanted = Callable[[Mapping[str, Any]], bool]


def serves(engine: str, family: str = "gpu") -> Wanted:
    return lambda plan: plan["engine"] == engine and plan["family"] == family


def by_family(family: str) -> Wanted:
    return lambda plan: plan["family"] == family and plan["kind"] != "fleet"


CASES: tuple[tuple[str, Wanted | None], ...] = (
    *((preset, None) for preset in PRESETS),
    ("chatbot_1m", lambda plan: plan["engine"] == "vllm" and plan["provider"] == "aws"),
    ("nightly_batch_scoring", lambda plan: plan["purchase"] == "spot"),
    ("chatbot_1m", lambda plan: plan["engine"] == "vllm" and plan["purchase"] == "quote"),
    ("chatbot_1m", lambda plan: plan["accelerator"].startswith("AMD")),
    ("nightly_batch_scoring", by_family("tpu")),
    ("finetune_70b_4xh100_72h", by_family("tpu")),
    ("pretrain_7b", by_family("tpu")),
    ("pretrain_7b", lambda plan: plan["accelerator"].startswith("AMD")),
    ("mixed_company", lambda plan: plan["kind"] == "training"),
    ("mixed_company", lambda plan: plan["kind"] == "serving"),
    ("eu_rag_onprem", lambda plan: plan["engine"] == "vllm"),
    ("moe_frontier_serving", lambda plan: plan["engine"] == "sglang"),
    ("chatbot_1m", lambda plan: bool(plan.get("pools"))),
    ("moe_frontier_serving", lambda plan: bool(plan.get("pools"))),
)


@pytest.fixture
def texts_of(content_of: ContentOf) -> Callable[[Subject, str], dict[str, str]]:
    """The text files of a format by their path, whether it is one file or a zip."""

    def texts(subject: Subject, format_id: str) -> dict[str, str]:
        content = content_of(subject, format_id)
        if BY_ID[format_id].suffix == ".zip":
            return files_in(content)
        return {f"file{BY_ID[format_id].suffix}": content.decode("utf-8")}

    return texts


TextsOf = Callable[[Subject, str], dict[str, str]]
ENGINEERS = [each.id for each in FORMATS if each.audience == "For engineers"]


def offered(subject: Subject) -> Iterator[str]:
    return (each.id for each, reason in menu_of(subject) if not reason)


@pytest.mark.parametrize("preset", PRESETS)
def test_every_offered_file_is_made_and_every_other_says_why(
    preset: str, subject_of_preset: SubjectOf, content_of: ContentOf
) -> None:
    subject = subject_of_preset(preset)
    made = {each.id for each, reason in menu_of(subject) if reason or content_of(subject, each.id)}

    assert made == set(BY_ID)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_all_engineers_files_of_a_plan_are_well_formed(
    case: int, subject_of_preset: SubjectOf, texts_of: TextsOf, tmp_path: Path
) -> None:
    """Shell by `bash -n`, Python by its compiler, JSON, YAML and protobuf text by parsers."""
    subject = subject_of_preset(*CASES[case])
    scripts = []
    for format_id in set(offered(subject)) & set(ENGINEERS):
        for name, text in texts_of(subject, format_id).items():
            suffix = Path(name).suffix
            assert "@" not in text or not any(line.startswith("@") for line in text.splitlines())
            if suffix == ".py":
                compile(text, name, "exec", flags=ast.PyCF_ONLY_AST)
            elif suffix == ".json":
                json.loads(text)
            elif suffix == ".yaml":
                assert list(yaml.safe_load_all(text))
            elif suffix == ".pbtxt":
                text_format.Parse(text, model_config()())
            elif suffix == ".sh":
                scripts.append(tmp_path / f"{format_id}-{Path(name).name}")
                scripts[-1].write_text(text, encoding="utf-8")
    for script in scripts:
        subprocess.run(["bash", "-n", str(script)], check=True)


@cache
def model_config() -> Any:
    """The message that Triton reads config.pbtxt into, from its published descriptor."""
    file = descriptor_pb2.FileDescriptorProto()
    text_format.Parse((PUBLISHED / "model_config.pbtxt").read_text(encoding="utf-8"), file)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("inference.ModelConfig"))


def config_of(subject: Subject, texts_of: TextsOf) -> Any:
    files = texts_of(subject, "triton")
    text = next(text for name, text in files.items() if name.endswith("config.pbtxt"))
    return text_format.Parse(text, model_config()())


def test_a_language_model_on_triton_is_one_replica_of_vllm(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    config = config_of(subject_of_preset("chatbot_1m"), texts_of)
    (group,) = config.instance_group

    assert (config.backend, group.count, config.model_transaction_policy.decoupled) == (
        "vllm",
        1,
        True,
    )


def test_the_vllm_settings_on_triton_are_the_plans(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    subject = subject_of_preset("fedramp_summarisation")
    files = texts_of(subject, "triton")
    settings = json.loads(next(t for name, t in files.items() if name.endswith("model.json")))
    plan = subject.chosen.plan

    assert (settings["tensor_parallel_size"], settings["max_num_seqs"]) == (
        plan["parallelism"]["tensor"],
        int(plan["batch_limit"]),
    )


def test_a_model_without_tokens_is_batched_within_the_slack_of_its_target(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    subject = subject_of_preset("vision_500_cameras")
    serving = subject.chosen.workload.serving
    assert serving is not None
    assert serving.slo.e2e_s is not None
    batching = config_of(subject, texts_of).dynamic_batching
    p99_s = subject.chosen.plan["e2e_p99_s"]["value"]

    assert 0 < batching.max_queue_delay_microseconds * 1e-6 + p99_s <= serving.slo.e2e_s


def test_copies_of_a_model_take_the_gpus_of_a_machine(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    (group,) = config_of(subject_of_preset("vision_500_cameras"), texts_of).instance_group

    assert list(group.gpus) == list(range(len(group.gpus)))


@cache
def published_schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        (PUBLISHED / "kubernetes-1.37.json").read_text(encoding="utf-8")
    )
    return found


def schema_of(api_version: str, kind: str) -> dict[str, Any]:
    """The published schema of one kind; the strict variant refuses fields it does not know."""
    whole = published_schema()
    return {
        "$schema": whole["$schema"],
        "$ref": f"#/$defs/{whole['kinds'][f'{api_version}/{kind}']}",
        "$defs": whole["$defs"],
    }


def objects_of(subject: Subject, texts_of: TextsOf) -> list[dict[str, Any]]:
    (text,) = texts_of(subject, "k8s").values()
    return [each for each in yaml.safe_load_all(text) if each]


def one_of(subject: Subject, texts_of: TextsOf, kind: str) -> dict[str, Any]:
    return next(each for each in objects_of(subject, texts_of) if each["kind"] == kind)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_a_manifest_is_valid_by_the_published_schema(
    case: int, subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    subject = subject_of_preset(*CASES[case])
    if "k8s" not in set(offered(subject)):
        assert BY_ID["k8s"].refusal(subject)
        return
    wrong = [
        error.message
        for each in objects_of(subject, texts_of)
        for error in jsonschema_rs.validator_for(
            schema_of(each["apiVersion"], each["kind"])
        ).iter_errors(each)
    ]

    assert wrong == []


def test_the_schema_refuses_a_field_that_kubernetes_does_not_know() -> None:
    wrong = {"apiVersion": "v1", "kind": "Service", "spec": {"portz": []}}

    assert not jsonschema_rs.is_valid(schema_of("v1", "Service"), wrong)


def test_replicas_stand_between_the_mean_and_the_peak(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    subject = subject_of_preset("chatbot_1m")
    scaler = one_of(subject, texts_of, "HorizontalPodAutoscaler")["spec"]
    replicas = subject.chosen.plan["parallelism"]["replicas"]

    assert 1 <= scaler["minReplicas"] < scaler["maxReplicas"] == replicas


def test_what_is_bought_is_not_scaled_down(subject_of_preset: SubjectOf, texts_of: TextsOf) -> None:
    subject = subject_of_preset("fedramp_summarisation")
    scaler = one_of(subject, texts_of, "HorizontalPodAutoscaler")["spec"]

    assert scaler["minReplicas"] == scaler["maxReplicas"]


def test_a_pod_takes_the_accelerators_of_one_replica(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    subject = subject_of_preset("fedramp_summarisation")
    pod = one_of(subject, texts_of, "Deployment")["spec"]["template"]["spec"]
    shape = subject.chosen.plan["parallelism"]

    limits = pod["containers"][0]["resources"]["limits"]
    assert limits == {"nvidia.com/gpu": str(shape["tensor"] * shape["pipeline"])}


def test_spot_on_a_known_cloud_is_selected_and_tolerated(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    subject = subject_of_preset(
        "finetune_70b_4xh100_72h",
        lambda p: p["provider"] == "gcp" and p["purchase"] == "spot" and p["family"] == "gpu",
    )
    pod = one_of(subject, texts_of, "Job")["spec"]["template"]["spec"]
    tolerated = {each["key"] for each in pod["tolerations"]}

    key = "cloud.google.com/gke-spot"
    assert (pod["nodeSelector"][key], key in tolerated) == ("true", True)


def test_a_tpu_job_names_its_slice(subject_of_preset: SubjectOf, texts_of: TextsOf) -> None:
    subject = next(
        found
        for preset in ("pretrain_7b", "finetune_70b_4xh100_72h")
        for plan in subject_of_preset(preset).document["plans"]
        if plan["family"] == "tpu"
        for found in [subject_of_preset(preset, lambda p, plan=plan: p["id"] == plan["id"])]
        if not BY_ID["k8s"].refusal(found)
    )
    job = one_of(subject, texts_of, "Job")["spec"]
    pod = job["template"]["spec"]
    sides = pod["nodeSelector"]["cloud.google.com/gke-tpu-topology"].split("x")
    chips = 1
    for side in sides:
        chips *= int(side)

    each = int(pod["containers"][0]["resources"]["limits"]["google.com/tpu"])
    assert chips == each * job["completions"] == subject.chosen.plan["accelerator_count"]


def test_a_launch_script_holds_the_plans_numbers(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    subject = subject_of_preset("fedramp_summarisation")
    (text,) = texts_of(subject, "vllm").values()
    plan = subject.chosen.plan

    wanted = (f"--tensor-parallel-size {plan['parallelism']['tensor']} ",
              f"--max-num-seqs {int(plan['batch_limit'])} ")  # fmt: skip
    assert [flag for flag in wanted if flag not in text] == []


def test_sglang_spreads_attention_and_experts_as_the_plan_does(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    subject = subject_of_preset("moe_frontier_serving", lambda plan: plan["engine"] == "sglang")
    (text,) = texts_of(subject, "sglang").values()
    shape = subject.chosen.plan["parallelism"]

    assert f"--tp-size {shape['tensor']} " in text
    assert ("--enable-dp-attention" in text) == (shape["attention_data"] > 1)


@pytest.mark.parametrize("format_id", ["vllm", "triton", "k8s", "accelerate", "sglang"])
def test_a_hosted_plan_has_an_api_client_instead(
    format_id: str, subject_of_preset: SubjectOf
) -> None:
    subject = subject_of_preset("startup_bursty_api", lambda plan: plan["family"] == "hosted")

    assert "API client" in BY_ID[format_id].refusal(subject)
    assert BY_ID["api"].refusal(subject) == ""


def test_a_closed_model_that_nothing_hosts_has_no_file_and_says_why(
    subject_of_preset: SubjectOf,
) -> None:
    from advisor.services.advice import document_of, worked_from

    done = worked_from({"preset": "chatbot_1m", "answers": {"model_ref": "gpt-5.2"}})
    document = document_of(done)
    subject = Subject(run_id="r", document=document, plan=document["recommendation"],
                      answered_at=None, reopen=lambda: done)  # fmt: skip

    reason = BY_ID["vllm"].refusal(subject)
    assert "GPT-5.2" in reason
    assert ("API" in reason, BY_ID["json"].refusal(subject)) == (True, "")


def unpacked(files: Mapping[str, str], folder: Path) -> Path:
    for name, text in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return folder / next(iter(files)).split("/", 1)[0]


@pytest.mark.parametrize(("spent_usd", "code"), [(0.0, "answers"), (1e9, "refuses")])
def test_the_client_stops_before_the_month_costs_more_than_the_plan(
    spent_usd: float, code: str, subject_of_preset: SubjectOf, texts_of: TextsOf, tmp_path: Path
) -> None:
    subject = subject_of_preset("startup_bursty_api", lambda plan: plan["family"] == "hosted")
    folder = unpacked(texts_of(subject, "api"), tmp_path)
    program = (
        "import client, datetime, json\n"
        "month = datetime.date.today().isoformat()[:7]\n"
        f"client.SPENT.write_text(json.dumps({{month: {spent_usd}}}))\n"
        "try:\n    client.guard('hello'); print('answers')\n"
        "except client.OverBudget:\n    print('refuses')\n"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, check=True, capture_output=True, text=True
    )

    assert told.stdout.strip() == code


@pytest.mark.parametrize(("worse", "code"), [(1.0, 0), (1.5, 1)])
def test_a_benchmark_passes_at_its_thresholds_and_fails_beyond(
    worse: float, code: int, subject_of_preset: SubjectOf, texts_of: TextsOf, tmp_path: Path
) -> None:
    folder = unpacked(texts_of(subject_of_preset("chatbot_1m"), "bench"), tmp_path)
    (folder / "results").mkdir()
    for run, limits in json.loads((folder / "thresholds.json").read_text()).items():
        figures = {
            each["key"]: each["at_most"] * worse if "at_most" in each else each["at_least"] / worse
            for each in limits
        }
        (folder / "results" / f"{run}.json").write_text(json.dumps(figures))

    done = subprocess.run([sys.executable, "check.py"], cwd=folder, check=False)
    assert done.returncode == code


def test_a_benchmark_asks_for_the_targets_and_the_load_of_the_answers(
    subject_of_preset: SubjectOf, texts_of: TextsOf
) -> None:
    subject = subject_of_preset("chatbot_1m")
    files = {name.split("/")[-1]: text for name, text in texts_of(subject, "bench").items()}
    serving = subject.chosen.workload.serving
    assert serving is not None
    limits = {each["key"]: each for each in json.loads(files["thresholds.json"])["peak"]}

    assert serving.slo.ttft_s is not None
    assert limits["p95_ttft_ms"]["at_most"] == round(serving.slo.ttft_s * 1e3, 3)
    assert f"--request-rate {serving.requests_per_s_peak:.6g} " in files["bench.sh"]


@pytest.mark.accelerate
@pytest.mark.parametrize(
    ("preset", "family", "kind"),
    [("finetune_70b_4xh100_72h", "gpu", "FSDP"), ("pretrain_7b", "gpu", "FSDP"),
     ("pretrain_7b", "tpu", "XLA")],
)  # fmt: skip
def test_accelerate_itself_loads_its_configuration(
    preset: str,
    family: str,
    kind: str,
    subject_of_preset: SubjectOf,
    texts_of: TextsOf,
    tmp_path: Path,
) -> None:
    need("Accelerate in var/accelerate (see .ci/run)", present=ACCELERATE.exists())
    subject = subject_of_preset(preset, by_family(family))
    files = {name.split("/")[-1]: text for name, text in texts_of(subject, "accelerate").items()}
    path = tmp_path / "accelerate.yaml"
    path.write_text(files["accelerate.yaml"], encoding="utf-8")
    loader = Path(__file__).parent / "load_accelerate.py"
    told = subprocess.run(
        [str(ACCELERATE), str(loader), str(path)], check=True, capture_output=True, text=True
    )
    loaded = json.loads(told.stdout)

    assert loaded["distributed_type"] == kind
    assert loaded["num_machines"] >= 1
