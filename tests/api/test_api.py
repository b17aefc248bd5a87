"""The JSON API, as a program meets it."""

import json
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client

from advisor.models import Scope
from advisor.services import accounts, work

ROOT = "/api/v1"
pytestmark = pytest.mark.django_db


def client_with(*scopes: Scope, name: str = "ann") -> Client:
    user, _ = User.objects.get_or_create(username=name)
    organisation = None
    if name != "ann":
        from advisor.models import Organisation

        organisation, _ = Organisation.objects.get_or_create(slug=name, defaults={"name": name})
    _, text = accounts.create_key(user, name="test", scopes=scopes, organisation=organisation)
    return Client(headers={"Authorization": f"Bearer {text}"})


@pytest.fixture
def program(catalogue: None) -> Client:
    return client_with(Scope.ADMIN)


def post(program: Client, path: str, body: Any, **headers: str) -> Any:
    return program.post(
        f"{ROOT}{path}", json.dumps(body), content_type="application/json", headers=headers
    )


def answered(program: Client, preset: str) -> Any:
    assessment = post(program, "/assessments", {"preset": preset}).json()
    accepted = program.post(assessment["runs"])
    work.run_job(accepted.json()["id"])
    return program.get(accepted.headers["Location"])


def test_without_a_key_nothing_is_told(program: Client) -> None:
    refused = Client().get(f"{ROOT}/presets")

    assert refused.status_code == 401
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_every_operation_asks_for_a_key(program: Client) -> None:
    document = Client().get(f"{ROOT}/openapi.json").json()
    operations = [
        operation
        for path in document["paths"].values()
        for operation in path.values()
        if isinstance(operation, dict)
    ]

    assert document["openapi"].startswith("3.1")
    assert operations
    assert all(operation.get("security") for operation in operations)


def test_an_assessment_leads_to_a_run_and_its_result(program: Client) -> None:
    run = answered(program, "article_finetune_4xh100_72h").json()

    assert run["state"] == "succeeded"
    assert run["result"]["recommendation"]["total_cost_usd"]["value"] == 6910.0


def test_a_run_is_accepted_with_its_place_and_a_time_to_come_back(program: Client) -> None:
    assessment = post(program, "/assessments", {"preset": "chatbot_1m"}).json()
    accepted = program.post(assessment["runs"])

    assert accepted.status_code == 202
    assert accepted.headers["Location"] == f"{ROOT}/runs/{accepted.json()['id']}"
    assert accepted.headers["Retry-After"] == "1"


def test_the_same_idempotency_key_gives_the_same_run(program: Client) -> None:
    assessment = post(program, "/assessments", {"preset": "chatbot_1m"}).json()
    first, second = (
        program.post(assessment["runs"], headers={"Idempotency-Key": "k"}).json()["id"]
        for _ in range(2)
    )

    assert first == second


def test_the_same_idempotency_key_for_another_request_is_refused(program: Client) -> None:
    one = post(program, "/assessments", {"preset": "chatbot_1m"}).json()
    other = post(program, "/assessments", {"preset": "pretrain_7b"}).json()
    program.post(one["runs"], headers={"Idempotency-Key": "k"})

    refused = program.post(other["runs"], headers={"Idempotency-Key": "k"})

    assert refused.status_code == 422


@pytest.mark.parametrize("format_name", ["json", "csv", "md"])
def test_a_result_leaves_as_a_file(program: Client, format_name: str) -> None:
    run = answered(program, "article_finetune_4xh100_72h").json()

    file = program.get(f"{ROOT}/runs/{run['id']}/export?format={format_name}")

    assert file.status_code == 200
    assert file.getvalue()
    assert file.headers["Content-Disposition"].endswith(f'.{format_name}"')


def test_an_unknown_export_format_names_those_there_are(program: Client) -> None:
    run = answered(program, "article_finetune_4xh100_72h").json()

    refused = program.get(f"{ROOT}/runs/{run['id']}/export?format=docx")

    assert refused.status_code == 422
    assert "csv" in refused.json()["detail"]


def test_a_waiting_run_is_cancelled_at_once(program: Client) -> None:
    assessment = post(program, "/assessments", {"preset": "chatbot_1m"}).json()
    place = program.post(assessment["runs"]).headers["Location"]

    program.delete(place)

    assert program.get(place).json()["state"] == "cancelled"


def test_bad_answers_come_back_with_a_pointer_to_each(program: Client) -> None:
    refused = post(
        program,
        "/assessments",
        {"preset": "agentic_long_context", "answers": {"rps_mean": -1, "peak_to_mean": "lots"}},
    )

    assert refused.status_code == 422
    assert [each["pointer"] for each in refused.json()["errors"]] == [
        "/answers/rps_mean",
        "/answers/peak_to_mean",
    ]


def test_a_log_of_requests_is_kept_packed_and_sent_back_so(program: Client) -> None:
    plain = "arrival_offset_s,prompt_tokens,output_tokens\n" + "9,900,3\n8,1,1\n" * 15
    answers = {"traffic_basis": "trace_upload", "trace_file": plain}
    sent = post(program, "/assessments", {"answers": answers}).json()

    kept = program.get(f"{ROOT}/assessments/{sent['id']}").json()["answers"]["trace_file"]
    again = post(program, "/assessments", {"answers": {**answers, "trace_file": kept}})
    assert (kept["requests"], again.status_code) == (30.0, 201)


def test_an_unreadable_log_of_requests_is_refused_by_line(program: Client) -> None:
    plain = "arrival_offset_s,prompt_tokens,output_tokens\nsoon,1,2"
    refused = post(program, "/assessments", {"answers": {"trace_file": plain}}).json()

    assert refused["errors"] == [
        {"pointer": "/answers/trace_file", "detail": "line 2: 'soon' is not a number"}
    ]


def test_a_body_above_the_limit_is_refused_with_the_limit(program: Client) -> None:
    refused = post(program, "/assessments", {"answers": {"trace_file": "1" * 5_500_000}})

    assert (refused.status_code, "may have 5 MB" in refused.json()["detail"]) == (413, True)


def test_an_unknown_field_is_refused_by_name(program: Client) -> None:
    refused = post(program, "/assessments", {"presett": "chatbot_1m"})

    assert refused.json()["errors"][0]["pointer"] == "/presett"


def test_a_body_that_is_no_json_is_refused(program: Client) -> None:
    refused = program.post(f"{ROOT}/assessments", "{", content_type="application/json")

    assert refused.status_code == 400
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_an_unknown_path_is_a_problem_document_too(program: Client) -> None:
    assert program.get(f"{ROOT}/nothing").headers["Content-Type"] == "application/problem+json"


def test_two_editors_do_not_overwrite_each_other(program: Client) -> None:
    assessment = post(program, "/assessments", {"preset": "chatbot_1m"}).json()
    place = f"{ROOT}/assessments/{assessment['id']}"

    def put(etag: str) -> int:
        body = json.dumps({"preset": "chatbot_1m", "answers": {"peak_to_mean": 5}})
        headers = {"If-Match": etag} if etag else {}
        return int(
            program.put(place, body, content_type="application/json", headers=headers).status_code
        )

    assert [put(""), put('"1"'), put('"1"'), put('"2"')] == [428, 200, 412, 200]


def test_nobody_sees_another_organisations_rows(program: Client) -> None:
    assessment = post(program, "/assessments", {"preset": "chatbot_1m"}).json()
    run = program.post(assessment["runs"]).json()
    stranger = client_with(Scope.ADMIN, name="bob")

    assert stranger.get(f"{ROOT}/assessments/{assessment['id']}").status_code == 404
    assert stranger.get(f"{ROOT}/runs/{run['id']}").status_code == 404
    assert stranger.post(assessment["runs"]).status_code == 404
    assert stranger.delete(f"{ROOT}/runs/{run['id']}").status_code == 404


def test_a_key_does_only_what_its_scopes_say(program: Client) -> None:
    reader = client_with(Scope.READ_CATALOGUE)

    assert reader.get(f"{ROOT}/presets").status_code == 200
    assert post(reader, "/assessments", {"preset": "chatbot_1m"}).status_code == 403


def test_an_unknown_run_is_not_found(program: Client) -> None:
    assert program.get(f"{ROOT}/runs/{uuid4()}").status_code == 404


@pytest.mark.parametrize(
    "name", ["accelerators", "systems", "models", "offers", "measurements", "sources"]
)
def test_following_the_cursor_reads_a_whole_list_once(program: Client, name: str) -> None:
    page = program.get(f"{ROOT}/catalog/{name}?limit=500").json()
    seen = list(page["items"])
    while page["next_cursor"]:
        page = program.get(f"{ROOT}/catalog/{name}?limit=500&cursor={page['next_cursor']}").json()
        seen += page["items"]

    assert len(seen) == page["total"] == len({json.dumps(item) for item in seen})


def test_an_unchanged_list_is_not_sent_again(program: Client) -> None:
    first = program.get(f"{ROOT}/catalog/accelerators")

    again = program.get(
        f"{ROOT}/catalog/accelerators", headers={"If-None-Match": first.headers["ETag"]}
    )

    assert again.status_code == 304


def test_a_million_rows_at_once_are_refused(program: Client) -> None:
    assert program.get(f"{ROOT}/catalog/offers?limit=1000000").status_code == 422


def test_a_cursor_of_ones_own_making_is_refused(program: Client) -> None:
    assert program.get(f"{ROOT}/catalog/offers?cursor=mine").status_code == 422


@pytest.mark.parametrize(
    ("kind", "case", "figure"),
    [
        (
            "inference",
            {"accelerator": "H100 SXM", "model": "Llama-3.1-70B", "concurrency": 32},
            "tpot_mean_s",
        ),
        ("inference", {"accelerator": "nvidia-l4", "model": "ResNet-50 v1.5"}, "samples_per_s"),
        (
            "training",
            {"accelerator_slug": "nvidia-h100-sxm", "model": "Llama-2-70B"},
            "tokens_per_s_per_accelerator",
        ),
    ],
)
def test_an_estimate_explains_itself(
    program: Client, kind: str, case: dict[str, Any], figure: str
) -> None:
    body = {"kind": kind, "cases": [case]}
    (answer,) = post(program, "/estimates?explain=1", body).json()["results"]
    shown = answer.get(figure, answer.get("requests_per_s"))
    root = answer["explanation"][figure]

    assert (root["value"], bool(root["children"])) == (pytest.approx(shown, rel=1e-9), True)


def test_too_many_explanations_at_once_are_refused(program: Client) -> None:
    body = {"kind": "training", "cases": [{"accelerator": "H100"}] * 21}

    assert post(program, "/estimates?explain=1", body).status_code == 422
