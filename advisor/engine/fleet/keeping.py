"""Keep, extend or replace: what becomes of machines that are owned, with the money of it."""

from collections.abc import Sequence

from advisor.engine.fleet.answering import FleetAnswer
from advisor.engine.fleet.setting import Option, part_name
from advisor.engine.workload import Owned
from catalog.specs import AcceleratorSpec

_USED = 1e-6


def kept_sentences(answer: FleetAnswer) -> list[str]:
    """For each kind of machine owned: keep, extend past its end, or replace, and what that costs.

    Then what all of them save together against the least-cost fleet without them, and what of
    them no offer prices.

    Source: the answer's own figures.
    """
    options = [(n, each) for n, each in enumerate(answer.setting.options) if each.owned]
    found = [_verdict(answer, number, option) for number, option in options]
    kept = any(answer.fleet.machines[number] > _USED for number, _ in options)
    without = answer.without_owned_usd
    if kept and without is not None and without > answer.bill.total_usd:
        found.append(
            f"Without what you own the cheapest fleet costs {without:,.0f} USD over the horizon, "
            f"{without - answer.bill.total_usd:,.0f} USD more."
        )
    priced = {option.offer.accelerator_slug for _, option in options}
    parts = answer.setting.priced[0].parts
    return [*found, *_unpriced(answer.setting.question.owned, priced, parts)]


def _verdict(answer: FleetAnswer, number: int, option: Option) -> str:
    kept, keeping = float(answer.fleet.machines[number]), option.keeping
    name = f"{option.owned:,.0f} machine{'s' if option.owned > 1.0 else ''} of "
    name += f"{option.offer.accelerator_count:g} x {part_name(answer.setting, option)}"
    if kept <= _USED:
        table = answer.setting.problem.tables[number]
        each = float(table[-1]) / max(len(table) - 1, 1)
        sold = (
            "Nobody said what it would fetch."
            if keeping.sold_usd is None
            else f"Sold today one brings {keeping.sold_usd:,.0f} USD, which is not in the total."
        )
        return (
            f"Replace: of what you own, {name} stay unused. Keeping one for the horizon costs "
            f"{each:,.0f} USD, more than the fleet saves by it. {sold}"
        )
    usd = answer.bill.of_option[number]
    of = f"{kept:,.0f} of {name} kept at work for {usd:,.0f} USD over the horizon"
    if keeping.months_past > 0.0:
        return (
            f"Extend: {of}. Their support or lease ends on {keeping.ends_on} (your answer), "
            f"{keeping.months_past:,.0f} months before the horizon does; support for those months "
            f"is {keeping.extension_usd * kept:,.0f} USD of it.{_foregone(option, kept)}"
        )
    return f"Keep: {of}; their price is sunk.{_foregone(option, kept)}"


def _foregone(option: Option, kept: float) -> str:
    keeping = option.keeping
    if keeping.sold_usd is None:
        return " What they would fetch if sold is not known, so it is not counted."
    return (
        f" Sold today they bring {keeping.sold_usd * kept:,.0f} USD, at the end of the horizon "
        f"{keeping.sold_later_usd * kept:,.0f} USD by your depreciation; the difference is counted."
    )


def _unpriced(
    owned: Sequence[Owned], priced: set[str], parts: Sequence[AcceleratorSpec]
) -> list[str]:
    names = {part.slug: part.name for part in parts}
    return [
        f"Of what you own, {each.count:,} x {names.get(each.accelerator_slug, 'unknown')} are left "
        "out: no allowed offer sells that part as a whole machine that meets your targets, with "
        "enough of yours free to fill it, so what running it costs is not known."
        for each in owned
        if each.accelerator_slug not in priced
    ]
