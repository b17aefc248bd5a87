"""A process beside the workers: accepts jobs, sweeps until they are over, tells their ends."""

import json
import sys
import threading
import time
from typing import Any

from tests.kill import toy  # isort: skip  sets Django up

from django.core.management import call_command
from django.db import connection

from advisor.models import FINAL_STATES, Job, Kind
from advisor.services import accounts, jobs, setup

MOST_WAIT_S = 120.0


def tables() -> None:
    """Make the tables and the user, and no catalogue."""
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    accounts.local_user()


def accept(count: int, steps: int, step_s: float) -> list[Job]:
    owner = accounts.local_user()
    return [
        jobs.accept(
            Kind.SIMULATION,
            {"name": f"job{number}", "steps": steps, "step_s": step_s},
            owner=owner,
        )
        for number in range(count)
    ]


def see_through(count: int, steps: int, step_s: float) -> dict[str, Any]:
    """Accept jobs, sweep until all are over, and say how each ended."""
    accepted = accept(count, steps, step_s)
    toy.note("driver", "accepted")
    deadline_s = time.monotonic() + MOST_WAIT_S
    unfinished = Job.objects.exclude(state__in=FINAL_STATES)
    while unfinished.exists() and time.monotonic() < deadline_s:
        jobs.sweep()
        time.sleep(0.2)
    rows = Job.objects.filter(pk__in=[job.pk for job in accepted]).order_by("created_at")
    told = ("state", "attempts", "token", "result", "problem")
    return {row.inputs["name"]: {name: getattr(row, name) for name in told} for row in rows}


def race(count: int, rivals: int) -> dict[str, Any]:
    """Let several threads claim the same jobs at once; count the claims of each job."""
    accepted = accept(count, 1, 0.0)
    claims: dict[str, int] = {str(job.pk): 0 for job in accepted}
    lock, start = threading.Lock(), threading.Barrier(rivals)

    def rival() -> None:
        start.wait()
        for job in accepted:
            if jobs.claim(job.pk) is not None:
                with lock:
                    claims[str(job.pk)] += 1
        connection.close()

    threads = [threading.Thread(target=rival) for _ in range(rivals)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"claims": sorted(claims.values())}


def main() -> None:
    what, numbers = sys.argv[1], [float(word) for word in sys.argv[2:]]
    answer: dict[str, Any] = {}
    if what == "prepare":
        setup.ensure_ready()
    elif what == "tables":
        tables()
    elif what == "race":
        answer = race(int(numbers[0]), int(numbers[1]))
    else:
        answer = see_through(int(numbers[0]), int(numbers[1]), numbers[2])
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main()
