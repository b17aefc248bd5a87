"""What-ifs along a request's path, on the values of an answered question: no database."""

from functools import cache
from typing import Any

import pytest

from advisor.engine.calibration import shipped_calibration
from advisor.engine.errors import EngineRefusal
from advisor.questions import read_answers
from advisor.services.advice import worked
from advisor.services.paths import TOPICS, Subject, read_values
from advisor.services.paths.asked import Field, Problems
from advisor.services.paths.documents import nines_text
from advisor.services.paths.subject import subject_in
from catalog.engine.shipped import shipped_snapshot
from costing.engine.rates import shipped_rates


@cache
def subject(preset: str = "code_assistant_2k", **answers: Any) -> Subject:
    raw = {"preset": preset, "answers": {k: list(v) if isinstance(v, tuple) else v
                                         for k, v in answers.items()}}  # fmt: skip
    return subject_in(
        worked(
            read_answers(raw),
            shipped_snapshot(),
            calibration=shipped_calibration(),
            rates=shipped_rates(),
        )
    )


@cache
def planned(topic: str) -> dict[str, Any]:
    return TOPICS[topic].document(subject(user_regions=("DE",)), {})


def changed(topic: str, **values: float | str) -> dict[str, Any]:
    return TOPICS[topic].document(subject(user_regions=("DE",)), values)


@pytest.mark.parametrize("topic", TOPICS)
def test_every_what_if_answers_with_the_plans_own_figures(topic: str) -> None:
    document = planned(topic)

    assert document["findings"]
    assert document["tables"]


@pytest.mark.parametrize(
    ("topic", "values"),
    [
        ("distance", {"countries": "JP"}),
        ("stages", {"share_pct_1": 1.0}),
        ("pools", {"cv_3": 1.0}),
        ("serverless", {"minimum": 0.0}),
        ("availability", {"mtbf_h": 5000.0}),
    ],
)
def test_a_changed_figure_changes_the_answer(topic: str, values: dict[str, Any]) -> None:
    assert changed(topic, **values)["tables"] != planned(topic)["tables"]


def test_the_same_months_are_played_again() -> None:
    assert changed("availability") == planned("availability")


def test_the_articles_signing_in_series_on_every_request_is_over_half_a_second() -> None:
    assert planned("stages")["article"]["in_series_on_every_request_p99_s"] > 0.5


def test_the_articles_signing_holds_for_about_one_request_in_a_hundred() -> None:
    assert planned("stages")["article"]["largest_share"] == pytest.approx(0.01, abs=0.003)


def test_the_articles_shared_pool_stands_as_a_claim() -> None:
    claim = next(t for t in planned("pools")["tables"] if t["id"] == "article")["rows"][0]

    assert claim["cells"] == ["5 to 10 %", 2.2, 0.7, "15 %"]


def test_the_found_spares_keep_the_promise() -> None:
    assert changed("availability", target_pct=99.0)["found"]["availability"] >= 0.99


def test_a_place_that_cannot_keep_the_promise_has_no_layout() -> None:
    assert changed("availability", target_pct=99.99, zone_down_pct=1.0)["found"] is None


def test_a_tpu_in_one_zone_says_which() -> None:
    tpu = subject("chatbot_1m", accel_families_allowed=("tpu",), redundancy="n_plus_1")
    words = " ".join(TOPICS["availability"].document(tpu, {})["findings"])

    assert "Google Cloud, TPU regions and zones" in words


def test_a_country_beside_the_answers_needs_no_new_run() -> None:
    users = next(t for t in changed("distance", countries="JP")["tables"] if t["id"] == "users")

    assert users["rows"][0]["label"] == "Tokyo, JP"


def test_typed_shares_replace_the_people() -> None:
    document = changed("distance", countries="DE, FR", shares="0, 1")
    users = next(t for t in document["tables"] if t["id"] == "users")

    assert all(row["label"].endswith("FR") for row in users["rows"])


def test_users_own_lines_lengthen_every_way() -> None:
    def ways(document: dict[str, Any]) -> list[float]:
        places = next(t for t in document["tables"] if t["id"] == "places")
        return [row["cells"][0] for row in places["rows"]]

    slower = ways(changed("distance", access_ms=20.0))

    assert slower == pytest.approx([way + 0.02 for way in ways(planned("distance"))])


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"countries": "DE, ATLANTIS"}, "ATLANTIS"),
        ({"countries": "DE, FR", "shares": "1"}, "type 2 numbers"),
        ({"countries": "AQ"}, "no city"),
    ],
)
def test_users_that_cannot_be_placed_are_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(Problems, match=told):
        changed("distance", **values)


def test_a_longer_start_is_told_against_what_is_accepted() -> None:
    bursty = subject("startup_bursty_api")
    words = " ".join(TOPICS["serverless"].document(bursty, {"provision_s": 500.0})["findings"])

    assert "longer than the 60 s you accept" in words


def test_models_without_tokens_have_no_stages_to_simulate() -> None:
    with pytest.raises(EngineRefusal, match="language models"):
        TOPICS["stages"].document(subject("vision_500_cameras"), {})


def test_models_without_tokens_fail_like_others() -> None:
    assert TOPICS["availability"].document(subject("vision_500_cameras"), {})["tables"]


def test_training_has_no_requests_to_ask_about() -> None:
    with pytest.raises(EngineRefusal, match="serves live requests"):
        subject("finetune_70b_4xh100_72h")


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.9989, "99.89 %"), (0.999, "99.9 %"), (0.9999937, "99.99937 %"), (1.0, "100 %")],
)
def test_an_availability_is_told_with_the_digits_that_matter(share: float, text: str) -> None:
    assert nines_text(share).rstrip("0 %") == text.rstrip("0 %")


FIELD = Field(id="n", label="Number", help="", value=3.0, low=1.0, high=9.0, whole=True)


def test_an_empty_number_is_the_plans_own() -> None:
    assert read_values([FIELD], {"n": " "}) == {"n": 3.0}


@pytest.mark.parametrize("typed", ["0", "10", "2.5", "many", "nan"])
def test_a_number_that_cannot_be_is_refused(typed: str) -> None:
    with pytest.raises(Problems, match="type a whole number from 1 to 9"):
        read_values([FIELD], {"n": typed})


def test_a_figure_that_is_not_there_is_refused() -> None:
    with pytest.raises(Problems, match="no figure 'm'"):
        read_values([FIELD], {"m": 1})
