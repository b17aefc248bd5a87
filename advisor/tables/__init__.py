"""Tables behind page, CSV and workbook: each made once, by one function, as a pandas frame."""

from collections.abc import Mapping

from advisor.services.money import Money
from advisor.tables import cash, risk, ways
from advisor.tables.table import Table


def money_tables(money: Money) -> Mapping[str, Table]:
    """Every table of a run's money by its name, in the order of the page."""
    found = (
        cash.summary(money),
        cash.cash_flow(money),
        *([cash.together(money)] if money.together else []),
        cash.drivers(money),
        ways.side_by_side(money),
        *([ways.of_pools(money)] if money.plan.pool_cases else []),
        ways.in_general(),
        ways.break_even(money),
        *(ways.curve(money, axis) for axis in money.curves),
        cash.scenarios(money),
        risk.ranges(money),
        risk.tornado(money),
        risk.chances(money),
        ways.carbon(money),
    )
    return {table.name: table for table in found}


__all__ = ["Table", "money_tables"]
