"""Workers die in every way there is, and no accepted job is lost or done twice."""

import signal
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from tests import services
from tests.kill.conftest import Site, send, told

MakeSite = Callable[..., Site]
JOBS, STEPS, STEP_S = 3, 10, 0.1


def pool_processes(leader: int) -> list[int]:
    found = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(leader)], capture_output=True, text=True, check=True
    )
    return [int(word) for word in found.stdout.split()]


def killed_in_mid_run(site: Site) -> dict[str, Any]:
    """Kill the whole worker in its first job, start another, and see all jobs through."""
    worker = site.start_worker()
    driver = site.driver("run", JOBS, STEPS, STEP_S)
    site.wait_for("step 3")
    send(worker, signal.SIGKILL)
    site.start_worker()
    return told(driver)


def assert_all_done_exactly_once(site: Site, ends: dict[str, Any]) -> None:
    assert [end["state"] for end in ends.values()] == ["succeeded"] * JOBS
    assert len(site.traces("end")) == JOBS
    assert [end["attempts"] for end in ends.values()].count(2) == 1


def test_a_killed_worker_loses_nothing(make_site: MakeSite) -> None:
    site = make_site()
    assert_all_done_exactly_once(site, killed_in_mid_run(site))


@pytest.mark.redis
def test_a_killed_worker_loses_nothing_on_redis(make_site: MakeSite, redis_url: str) -> None:
    site = make_site(ADVISOR_BROKER_URL=redis_url)
    assert_all_done_exactly_once(site, killed_in_mid_run(site))


@pytest.mark.rabbitmq
def test_a_killed_worker_loses_nothing_on_rabbitmq(make_site: MakeSite, rabbitmq_url: str) -> None:
    site = make_site(ADVISOR_BROKER_URL=rabbitmq_url)
    assert_all_done_exactly_once(site, killed_in_mid_run(site))


@pytest.mark.postgresql
def test_a_killed_worker_loses_nothing_on_postgresql(
    make_site: MakeSite, postgresql_url: str
) -> None:
    site = make_site(ADVISOR_DATABASE_URL=postgresql_url)
    site.ask_driver("tables")
    assert_all_done_exactly_once(site, killed_in_mid_run(site))


def test_a_killed_pool_process_loses_nothing(make_site: MakeSite) -> None:
    site = make_site()
    site.start_worker()
    driver = site.driver("run", JOBS, STEPS, STEP_S)
    site.wait_for("step 3")
    subprocess.run(["kill", "-KILL", site.traces("step 3")[0]], check=True)
    assert_all_done_exactly_once(site, told(driver))


def test_a_worker_that_wakes_after_its_lease_changes_nothing(make_site: MakeSite) -> None:
    site = make_site()
    sleeper = site.start_worker()
    driver = site.driver("run", 1, STEPS, STEP_S)
    site.wait_for("step 3")
    send(sleeper, signal.SIGSTOP)
    site.start_worker()
    site.wait_for("end")
    send(sleeper, signal.SIGCONT)
    site.wait_for("fenced")
    end = told(driver)["job0"]
    assert (end["state"], end["token"]) == ("succeeded", 2)
    assert [str(end["result"]["process"])] == site.traces("end")


def test_a_step_longer_than_the_lease_keeps_its_job(make_site: MakeSite) -> None:
    site = make_site(ADVISOR_JOB_LEASE_S="1")
    site.start_worker()
    end = site.ask_driver("run", 1, 1, 4.0)["job0"]
    assert (end["state"], end["attempts"], end["token"]) == ("succeeded", 1, 1)


def test_a_job_that_kills_every_worker_is_given_up(make_site: MakeSite) -> None:
    site = make_site(ADVISOR_JOB_ATTEMPTS="2", ADVISOR_JOB_LEASE_S="1")
    driver = site.driver("run", 1, STEPS, STEP_S)
    for attempt in (1, 2):
        worker = site.start_worker()
        site.wait_for("start", attempt)
        send(worker, signal.SIGKILL)
    end = told(driver)["job0"]
    assert (end["state"], end["attempts"]) == ("failed", 2)
    assert "2 times" in end["problem"]["detail"]


def test_jobs_accepted_while_the_broker_is_down_are_done_later(make_site: MakeSite) -> None:
    nobody = f"redis://127.0.0.1:{services.free_port()}/0"
    site = make_site(ADVISOR_BROKER_URL=nobody, ADVISOR_JOB_RESEND_S="1")
    driver = site.driver("run", 1, 1, 0.0)
    site.wait_for("accepted")
    site.environment["ADVISOR_BROKER_URL"] = "filesystem://localhost/"
    site.start_worker()
    site.ask_driver("run", 0, 0, 0.0)
    assert told(driver)["job0"]["state"] == "succeeded"


def test_rivals_on_sqlite_claim_each_job_once(make_site: MakeSite) -> None:
    assert make_site().ask_driver("race", 12, 6) == {"claims": [1] * 12}


@pytest.mark.postgresql
def test_rivals_on_postgresql_claim_each_job_once(make_site: MakeSite, postgresql_url: str) -> None:
    site = make_site(ADVISOR_DATABASE_URL=postgresql_url)
    site.ask_driver("tables")
    assert site.ask_driver("race", 40, 8) == {"claims": [1] * 40}
