"""Published cost comparisons, reproduced from their own inputs.

Each case takes the inputs that its author printed, runs them through the cost engine, and
compares with the figure that the author drew from them. The tolerance is 5 %.
"""

from dataclasses import replace

import numpy as np
import pytest

from catalog.specs import Purchase
from catalog.units import HOURS_PER_MONTH, HOURS_PER_YEAR
from costing.engine.breakeven import by_horizon, by_utilisation, ways_of
from costing.engine.capital import present_value_usd
from costing.engine.cases import PURCHASES, CostCases, CostRules, cost_cases
from costing.engine.tco import cost_breakdown

TOLERANCE = 0.05


def index(kind: Purchase) -> int:
    return PURCHASES.index(kind)


class TestLenovo:
    """Lenovo Press LP2225, "On-Premise vs Cloud: Generative AI Total Cost of Ownership",
    23 May 2025: a server with eight H100 for USD 833,806 that costs USD 0.87 an hour to run,
    against p5.48xlarge at USD 98.32 an hour; even after 8,556 hours, or 11.9 months.
    """

    OWNED = cost_cases(
        1,
        purchase=index(Purchase.BUY),
        capex_usd_per_instance=833_806.0,
        # One kilowatt at this price is the paper's running cost an hour.
        power_w_per_instance=1_000.0,
        usd_per_kwh=0.87,
    )
    RENTED = cost_cases(1, purchase=index(Purchase.ON_DEMAND), usd_per_h=98.32)

    def test_the_break_even_month(self) -> None:
        [turn] = by_horizon(ways_of([self.RENTED, self.OWNED]), CostRules()).turns
        # Whole months of 730 hours: the first one past 8,556 hours.
        assert turn.at == pytest.approx(8_556 / HOURS_PER_MONTH, rel=TOLERANCE)

    def test_both_cost_the_same_at_the_break_even_hour(self) -> None:
        rules = CostRules(horizon_months=1)
        month = [cost_breakdown(case, rules) for case in (self.RENTED, self.OWNED)]
        saved_usd_per_h = (month[0].total_usd[0] - month[1].lines["Power"][0]) / HOURS_PER_MONTH
        assert 833_806.0 / saved_usd_per_h == pytest.approx(8_556, rel=1e-3)


class TestClusterMax:
    """SemiAnalysis ClusterMAX TCO calculator, clustermax.ai/tco as read in November 2026: 4,096
    accelerators for 36 months of 720 hours at three tiers of providers. Hourly prices are the
    printed monthly amounts over 4,096 x 720; goodput losses and support are uplifts on them.
    """

    GPU_USD_PER_MONTH = np.array([5_426_381.0, 6_423_183.0, 5_898_240.0])
    GOODPUT_USD_PER_MONTH = np.array([111_349.0, 131_804.0, 202_015.0])
    # Storage, network, processors, support and debugging a month; set-up once.
    OTHER_USD_PER_MONTH = np.array([1_408.0, 1_856 + 82 + 3_318 + 321_422 + 16_667.0, 16_667.0])
    SETUP_USD = np.array([0.0, 3_278_258.0, 3_015_787.0])

    def cases(self) -> CostCases:
        return cost_cases(
            3,
            purchase=index(Purchase.ON_DEMAND),
            instances=512,
            accelerators_per_instance=8,
            usd_per_h=self.GPU_USD_PER_MONTH / (512 * 720),
            hours_per_month_needed=720.0,
            may_scale_down=True,
            overhead_fraction=self.GOODPUT_USD_PER_MONTH / self.GPU_USD_PER_MONTH,
            # At USD 12 a year, a person costs a dollar a month and 3/13 of a dollar a week.
            ops_fte=self.OTHER_USD_PER_MONTH,
            porting_weeks=self.SETUP_USD * 52 / 12,
        )

    def test_the_totals_of_36_months(self) -> None:
        rules = CostRules(horizon_months=36, staff_usd_per_year=12.0)
        published = [199_408_973.0, 251_618_208.0, 223_224_957.0]
        assert cost_breakdown(self.cases(), rules).total_usd == pytest.approx(
            published, rel=TOLERANCE
        )

    def test_the_ratios_to_the_cheapest_tier(self) -> None:
        rules = CostRules(horizon_months=36, staff_usd_per_year=12.0)
        total = cost_breakdown(self.cases(), rules).total_usd
        assert total / total[0] == pytest.approx([1.00, 1.26, 1.12], rel=TOLERANCE)


class TestReservation:
    """The Doppler Quarterly, Summer 2019, page 39: an m5.large for USD 0.096 an hour on demand
    or USD 501 for a year up front; the reservation pays off above 435 hours a month.
    """

    def test_the_break_even_hours_of_a_month(self) -> None:
        on_demand = cost_cases(1, purchase=index(Purchase.ON_DEMAND), usd_per_h=0.096)
        reserved = cost_cases(
            1, purchase=index(Purchase.RESERVED_1Y), usd_per_h=501.0 / HOURS_PER_YEAR
        )
        ways = ways_of([on_demand, reserved])
        [turn] = by_utilisation(ways, CostRules(horizon_months=12)).turns
        assert turn.at * HOURS_PER_MONTH == pytest.approx(435.0, rel=TOLERANCE)


class TestAcceleratorConsole:
    """legitlads.com, Accelerator ROI Console, default case as read in November 2026: 64
    accelerators for USD 1.92 million with USD 728,680 of energy and operations over four years,
    against USD 2.00 an hour; owning costs USD 2,648,681, the cloud USD 3,139,584 at 70 %
    utilisation, and both are even at 59 %; it pays back in 3.2 years and is worth -9.44K at 10 %.
    """

    RULES = CostRules(horizon_months=48, staff_usd_per_year=12.0)
    OWNED = cost_cases(
        1,
        purchase=index(Purchase.BUY),
        instances=64,
        capex_usd_per_instance=30_000.0,
        ops_fte=728_680.0 / 48,
    )

    def rented(self) -> CostCases:
        return cost_cases(
            1,
            purchase=index(Purchase.ON_DEMAND),
            instances=64,
            usd_per_h=2.0,
            hours_per_month_needed=0.7 * HOURS_PER_MONTH,
            may_scale_down=True,
        )

    def test_the_totals_of_four_years(self) -> None:
        totals = [
            cost_breakdown(case, self.RULES).total_usd[0] for case in (self.OWNED, self.rented())
        ]
        assert totals == pytest.approx([2_648_681.0, 3_139_584.0], rel=TOLERANCE)

    def test_the_break_even_utilisation(self) -> None:
        owned = replace(self.OWNED, hours_per_month_needed=np.full(1, 0.7 * HOURS_PER_MONTH))
        ways = ways_of([self.rented(), owned])
        [turn] = by_utilisation(ways, self.RULES, now=0.7).turns
        assert turn.at == pytest.approx(0.59, rel=TOLERANCE)

    def yearly_savings_usd(self) -> float:
        year = CostRules(horizon_months=12, staff_usd_per_year=12.0)
        owned = cost_breakdown(self.OWNED, year).lines["Engineering and operations"][0]
        return float(cost_breakdown(self.rented(), year).total_usd[0] - owned)

    def test_the_payback_of_3_2_years(self) -> None:
        assert 1_920_000.0 / self.yearly_savings_usd() == pytest.approx(3.2, rel=TOLERANCE)

    def test_the_net_present_value_at_ten_percent(self) -> None:
        # A small difference of large amounts, so that it checks them closely.
        flows = np.array([-1_920_000.0, *[self.yearly_savings_usd()] * 4])
        found = float(present_value_usd(flows_usd=flows, rate=0.10))
        assert found == pytest.approx(-9_440.0, rel=TOLERANCE)
