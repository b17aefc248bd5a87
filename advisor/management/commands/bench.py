"""Prints the figures of speed as measured on this machine, and how they grow."""

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from advisor.management import bench_files, bench_fleet, bench_latency, bench_money, benchmarks
from advisor.services.setup import ensure_ready

GROWTH_SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
DRAWS = (1_000, 10_000, 100_000)


class Command(BaseCommand):
    help = "Measure this machine: candidates a second, seconds from answers to recommendation, …"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", help="write the figures here too")
        parser.add_argument("--growth", action="store_true", help="also how time and memory grow")

    def handle(self, *args: Any, **options: Any) -> None:
        ensure_ready()
        figures: dict[str, Any] = {"candidates_per_s": benchmarks.candidates_per_s()}
        answers = benchmarks.answer_seconds()
        figures["answer_s"] = max(answers.values())
        figures["answer_s_by_preset"] = answers
        figures["estimates_per_s"] = benchmarks.estimates_per_s()
        figures["simulated_requests_per_s"] = bench_latency.simulated_requests_per_s()
        figures["whatif_s"] = bench_latency.whatif_seconds()
        figures["montecarlo_s"] = bench_money.montecarlo_seconds()
        figures |= bench_fleet.fleet_figures()
        figures |= bench_files.export_figures()
        figures["import_rows_per_s"] = benchmarks.import_rows_per_s()
        if options["growth"]:
            figures["candidates_growth"] = benchmarks.candidates_growth(GROWTH_SIZES)
            figures["simulation_growth"] = bench_latency.simulation_growth(GROWTH_SIZES)
            figures["fleet_growth"] = bench_fleet.fleet_growth()
            figures |= bench_files.export_growth()
            figures["montecarlo_growth"] = bench_money.montecarlo_growth(DRAWS)
        for name, figure in figures.items():
            self.stdout.write(f"{name}: {_text(figure)}")
        if options["json"]:
            Path(options["json"]).write_text(json.dumps(figures, indent=2), encoding="utf-8")


def _text(figure: Any) -> str:
    if isinstance(figure, dict):
        return ", ".join(f"{name} {value:.3f}" for name, value in figure.items())
    if isinstance(figure, list):
        return "; ".join(f"{size:,.0f}: {s:.2f} s, {mb:.0f} MB" for size, s, mb in figure)
    return f"{figure:,.3f}" if figure < 1000.0 else f"{figure:,.0f}"  # noqa: PLR2004
