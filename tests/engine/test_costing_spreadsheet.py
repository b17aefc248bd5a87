"""Worked cases of money over time, as LibreOffice Calc works them out.

The expected values were recorded from Calc; where it is installed it is asked again.
"""

import csv
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from costing.engine.capital import (
    declining_balance_usd,
    internal_rate,
    lease_payment_usd,
    loan_balance_usd,
    loan_interest_usd,
    loan_payment_usd,
    monthly_rate,
    present_value_usd,
    straight_line_usd,
)
from tests.services import need

FLOWS = np.array([-1_000_000.0, 250_000.0, 400_000.0, 420_000.0, 300_000.0])


def loan(periods: int, rate: float) -> float:
    return float(loan_payment_usd(principal_usd=2_400_000.0, rate=rate, periods=periods))


CASES: tuple[tuple[str, float, Callable[[], float]], ...] = (
    ("=-PMT(0.07/12;36;2400000)", 74_105.0324768927, lambda: loan(36, 0.07 / 12)),
    ("=-PMT(0;48;2400000)", 50_000.0, lambda: loan(48, 0.0)),
    (
        "=-PMT(0.065/12;36;2400000;-240000;1)",
        67_138.1810658213,
        lambda: float(
            lease_payment_usd(price_usd=2.4e6, residual_usd=2.4e5, rate=0.065 / 12, periods=36)
        ),
    ),
    (
        "=-IPMT(0.07/12;13;36;2400000)",
        9_655.00234237875,
        lambda: float(loan_interest_usd(principal_usd=2.4e6, rate=0.07 / 12, periods=36)[12]),
    ),
    (
        "=-FV(0.07/12;24;PMT(0.07/12;60;2400000);2400000)",
        1_539_097.95030422,
        lambda: loan_balance_usd(principal_usd=2.4e6, rate=0.07 / 12, periods=60, paid=24),
    ),
    (
        "=SLN(2400000;240000;5)",
        432_000.0,
        lambda: float(straight_line_usd(cost_usd=2.4e6, residual_usd=2.4e5, years=5)[2]),
    ),
    (
        "=DDB(2400000;240000;5;2)",
        576_000.0,
        lambda: float(declining_balance_usd(cost_usd=2.4e6, residual_usd=2.4e5, years=5)[1]),
    ),
    (
        "=DDB(2400000;240000;5;5)",
        71_040.0,
        lambda: float(declining_balance_usd(cost_usd=2.4e6, residual_usd=2.4e5, years=5)[4]),
    ),
    (
        "=-1000000+NPV(0.08;250000;400000;420000;300000)",
        128_335.506669602,
        lambda: float(present_value_usd(flows_usd=FLOWS, rate=0.08)),
    ),
    (
        "=IRR({-1000000;250000;400000;420000;300000})",
        0.134436789232854,
        lambda: internal_rate(FLOWS) or 0.0,
    ),
    ("=NOMINAL(0.08;12)/12", 0.00643403011000343, lambda: float(monthly_rate(0.08))),
)


@pytest.mark.parametrize(
    ("expected", "ours"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_figure_is_that_of_the_spreadsheet(expected: float, ours: Callable[[], float]) -> None:
    assert ours() == pytest.approx(expected, rel=1e-9)


@pytest.mark.libreoffice
def test_the_spreadsheet_still_says_so(tmp_path: Path) -> None:
    need("LibreOffice", present=shutil.which("soffice") is not None)
    sheet = tmp_path / "cases.csv"
    with sheet.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([formula] for formula, _, _ in CASES)
    subprocess.run(
        ["soffice", "--headless", f"-env:UserInstallation=file://{tmp_path}/profile",
         "--infilter=CSV:44,34,76,1,,1033,false,true,false,false,false,-1,true",
         "--convert-to", "csv:Text - txt - csv (StarCalc):44,34,76,1,,1033,false,false,false",
         "--outdir", str(tmp_path / "out"), str(sheet)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    [made] = (tmp_path / "out").glob("cases*.csv")
    with made.open(encoding="utf-8") as file:
        found = [float(row[0]) for row in csv.reader(file)]
    assert found == pytest.approx([expected for _, expected, _ in CASES], rel=1e-9)
