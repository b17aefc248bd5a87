"""Files of a plan with prefill and decode apart: both pools, and the router before them."""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from advisor.exports.subject import Subject
from tests.exports.conftest import ContentOf, SubjectOf

pytestmark = [pytest.mark.django_db, pytest.mark.xdist_group("exports")]


def is_apart(plan: Mapping[str, Any]) -> bool:
    return bool(plan.get("pools"))


@pytest.fixture(params=["vllm", "sglang"])
def subject(request: pytest.FixtureRequest, subject_of_preset: SubjectOf) -> Subject:
    if request.param == "vllm":
        return subject_of_preset("chatbot_1m", is_apart)
    return subject_of_preset("moe_frontier_serving", is_apart, runtime_prefs=["sglang"])


def pools_of(subject: Subject) -> tuple[dict[str, Any], dict[str, Any]]:
    assert subject.plan is not None
    prefill, decode = subject.plan["pools"]
    return prefill, decode


def called(
    script: bytes, *words: str, folder: Path, **environment: str
) -> subprocess.CompletedProcess[str]:
    """The script run where every program prints how it was called."""
    for name in ("vllm", "vllm-router", "python3"):
        stand_in = folder / name
        stand_in.write_text('#!/bin/bash\nprintf "%s\\n" "${0##*/}" "$@"\n', encoding="utf-8")
        stand_in.chmod(0o755)
    path = folder / "launch.sh"
    path.write_bytes(script)
    known = {"PATH": f"{folder}:{os.environ['PATH']}", "MODEL": "weights", **environment}
    return subprocess.run(
        ["bash", str(path), *words], env=known, capture_output=True, text=True, check=False
    )


def options(output: str) -> dict[str, str]:
    words = output.split("\n")
    return {word: words[at + 1] for at, word in enumerate(words[:-1]) if word.startswith("--")}


def test_either_pool_starts_with_its_own_shape_and_role(
    subject: Subject, content_of: ContentOf, tmp_path: Path
) -> None:
    assert subject.plan is not None
    engine = subject.plan["engine"]
    for pool in pools_of(subject):
        done = called(
            content_of(subject, engine), pool["role"], folder=tmp_path,
            VLLM_NIXL_SIDE_CHANNEL_HOST="10.0.0.1",
        )  # fmt: skip
        told = options(done.stdout)

        if engine == "vllm":
            connector = json.loads(told["--kv-transfer-config"])
            asked = {"prefill": "kv_producer", "decode": "kv_consumer"}[pool["role"]]
            assert (connector["kv_connector"], connector["kv_role"]) == ("NixlConnector", asked)
            assert int(told["--tensor-parallel-size"]) == pool["parallelism"]["tensor"]
            assert ("--max-num-seqs" in told) == (pool["role"] == "decode")
        else:
            assert told["--disaggregation-mode"] == pool["role"]
            assert int(told["--tp-size"]) == pool["parallelism"]["tensor"]
            assert ("--max-running-requests" in told) == (pool["role"] == "decode")


def test_the_router_gets_every_address_it_is_called_with(
    subject: Subject, content_of: ContentOf, tmp_path: Path
) -> None:
    assert subject.plan is not None
    script = content_of(subject, subject.plan["engine"])
    done = called(
        script, "router", folder=tmp_path, PREFILL="http://a:1 http://b:1", DECODE="http://c:1"
    )
    words = done.stdout.split("\n")
    prefill = [words[at + 1] for at, word in enumerate(words) if word == "--prefill"]

    assert prefill == ["http://a:1", "http://b:1"]
    assert words[words.index("--decode") + 1] == "http://c:1"


def test_a_script_called_with_no_role_or_no_addresses_says_what_it_wants(
    subject: Subject, content_of: ContentOf, tmp_path: Path
) -> None:
    assert subject.plan is not None
    script = content_of(subject, subject.plan["engine"])

    assert "prefill|decode|router" in called(script, folder=tmp_path).stderr
    nobody = called(script, "router", folder=tmp_path)
    assert (nobody.returncode != 0, "set PREFILL" in nobody.stderr) == (True, True)


def test_the_manifest_has_both_pools_and_a_router_that_names_every_replica(
    subject: Subject, content_of: ContentOf
) -> None:
    objects = list(yaml.safe_load_all(content_of(subject, "k8s")))
    sets = [each for each in objects if each["kind"] == "StatefulSet"]
    (router,) = [each for each in objects if each["kind"] == "Deployment"]
    told = router["spec"]["template"]["spec"]["containers"][0]["args"]
    named = {word for word in told if word.startswith("http://")}

    assert [each["spec"]["replicas"] for each in sets] == [
        pool["replicas"] for pool in pools_of(subject)
    ]
    assert named == {
        f"http://{each['metadata']['name']}-{number}.{each['spec']['serviceName']}:8000"
        for each in sets
        for number in range(each["spec"]["replicas"])
    }


def test_each_pool_asks_for_its_own_accelerators(subject: Subject, content_of: ContentOf) -> None:
    objects = list(yaml.safe_load_all(content_of(subject, "k8s")))
    asked = [
        int(container["resources"]["limits"]["nvidia.com/gpu"])
        for each in objects
        if each["kind"] == "StatefulSet"
        for container in each["spec"]["template"]["spec"]["containers"]
    ]

    assert asked == [
        pool["parallelism"]["tensor"] * pool["parallelism"]["pipeline"]
        for pool in pools_of(subject)
    ]
