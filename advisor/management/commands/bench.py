"""Prints the figures of speed as measured on this machine, and how they grow."""

import json
from argparse import ArgumentTypeError
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from advisor.management import bench_files, bench_fleet, bench_latency, bench_money, benchmarks
from advisor.services.setup import ensure_ready

Sized = Callable[[int], int]
GROWTH_SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
GROWTH_HOURS = (24, 48, 168, 336)
GROWTH_PLANS = (100, 1_000, 10_000)
GROWTH_DRAWS = (1_000, 10_000, 100_000)


class Command(BaseCommand):
    help = "Measure this machine: candidates a second, seconds from answers to recommendation, …"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", help="write the figures here too")
        parser.add_argument("--growth", action="store_true", help="also how time and memory grow")
        parser.add_argument(
            "--scale",
            type=_scale,
            default=1.0,
            help="this share of every benchmark's size, as 0.01: says soon that all of them run",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_ready()
        sized = partial(_sized, scale=options["scale"])
        figures = _figures(sized)
        if options["growth"]:
            figures |= _growth(sized)
        for name, figure in figures.items():
            self.stdout.write(f"{name}: {_text(figure)}")
        if options["json"]:
            Path(options["json"]).write_text(json.dumps(figures, indent=2), encoding="utf-8")


def _figures(sized: Sized) -> dict[str, Any]:
    found: dict[str, Any] = {"candidates_per_s": benchmarks.candidates_per_s(sized(1_000_000))}
    answers = benchmarks.answer_seconds()
    found["answer_s"] = max(answers.values())
    found["answer_s_by_preset"] = answers
    found["estimates_per_s"] = benchmarks.estimates_per_s(sized(10_000))
    found["simulated_requests_per_s"] = bench_latency.simulated_requests_per_s(sized(200_000))
    found["whatif_s"] = bench_latency.whatif_seconds()
    found["montecarlo_s"] = bench_money.montecarlo_seconds(sized(10_000))
    found |= bench_fleet.fleet_figures(seeds=sized(5), hours=sized(168))
    found |= bench_files.export_figures(sized(10_000))
    found["import_rows_per_s"] = benchmarks.import_rows_per_s(sized(45_000))
    return found


def _growth(sized: Sized) -> dict[str, Any]:
    found: dict[str, Any] = {}
    sizes = [sized(size) for size in GROWTH_SIZES]
    found["candidates_growth"] = benchmarks.candidates_growth(sizes)
    found["simulation_growth"] = bench_latency.simulation_growth(sizes)
    found["fleet_growth"] = bench_fleet.fleet_growth([sized(hours) for hours in GROWTH_HOURS])
    found |= bench_files.export_growth([sized(plans) for plans in GROWTH_PLANS])
    draws = [sized(draws) for draws in GROWTH_DRAWS]
    found["montecarlo_growth"] = bench_money.montecarlo_growth(draws)
    return found


def _sized(size: int, *, scale: float) -> int:
    return max(round(size * scale), 1)


def _scale(text: str) -> float:
    scale = float(text)
    if not 0.0 < scale <= 1.0:
        message = f"{text} is not a share of the size: give a number above 0, at most 1"
        raise ArgumentTypeError(message)
    return scale


def _text(figure: Any) -> str:
    if isinstance(figure, dict):
        return ", ".join(f"{name} {value:.3f}" for name, value in figure.items())
    if isinstance(figure, list):
        return "; ".join(f"{size:,.0f}: {s:.2f} s, {mb:.0f} MB" for size, s, mb in figure)
    return f"{figure:,.3f}" if figure < 1000.0 else f"{figure:,.0f}"  # noqa: PLR2004
