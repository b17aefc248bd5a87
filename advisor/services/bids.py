"""An organisation's quotes compared like for like, for the workloads of an answered run."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
from django.utils import timezone

from advisor.engine.choice.assembly import cost_lines, plan_name
from advisor.engine.choice.eligibility import blocked_because
from advisor.engine.choice.wording import plural
from advisor.engine.search.cost_rules import runs
from advisor.engine.search.market import market
from advisor.engine.search.river import Priced, price_workload
from advisor.engine.workload import Question, Workload
from advisor.models import Job
from advisor.services.advice import Worked, reopened
from catalog.specs import OfferSpec, OfferTerms
from catalog.units import KILO, MEGA
from costing.engine.bids import (
    ITEMS,
    Bid,
    exit_cost_usd,
    missing_items,
    missing_terms,
    offer_of,
    price_that_wins,
    usd_per_system,
)
from costing.engine.cases import CostCases, take
from costing.engine.quantities import growth_path
from costing.engine.tco import cost_breakdown
from costing.queries import bid_values

EXIT_MONTHS = (12, 24)
NO_PLACE = "No layout of the workload fits the systems it offers, in the quantity it offers."


def compared(run: Job) -> list[dict[str, Any]]:
    """For each workload of a run the organisation's quotes as they stand, cheapest first."""
    quotes = bid_values(run.organisation.pk)
    return comparison(reopened(run), quotes, today=timezone.localdate())


def comparison(done: Worked, quotes: Sequence[Bid], *, today: date) -> list[dict[str, Any]]:
    """Each workload with its quotes: what they cost at the targets, lack, and would have to cost.

    All are priced by the same run of the stages, with what a quote leaves out at the rates in
    force. A quote that has ended is shown and can not win.
    """
    return [
        _Comparison.of(done, number, quotes, today=today).as_dict()
        for number in range(len(done.question.workloads))
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Priced:
    """One quote on the layout that is cheapest for it."""

    bid: Bid
    row: int | None  # in the priced candidates; None where it can not be placed
    reason: str  # why it can not win, but for its price; empty where it can

    @property
    def may_win(self) -> bool:
        return self.row is not None and not self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _Comparison:
    workload: Workload
    priced: Priced
    quotes: tuple[_Priced, ...]
    best_listed: tuple[str, float] | None  # name and total of the cheapest plan without a quote
    today: date

    @classmethod
    def of(cls, done: Worked, number: int, quotes: Sequence[Bid], *, today: date) -> "_Comparison":
        workload, question = done.question.workloads[number], _at_market(done.question)
        offers = tuple(_binding(bid, today, question) for bid in quotes)
        snapshot = replace(done.snapshot, offers=offers)
        priced = price_workload(
            workload,
            question=question,
            snapshot=snapshot,
            calibration=done.calibration,
            rates=done.rates,
        )
        refused = {
            each.offer.id: each.reason
            for each in market(snapshot, question=question, workload=workload).refused
        }
        blocked = blocked_because(priced, question)
        return cls(
            workload=workload,
            priced=priced,
            quotes=tuple(
                _best_of(bid, offer, priced, blocked, refused.get(offer.id, ""), today)
                for bid, offer in zip(quotes, offers, strict=True)
            ),
            best_listed=_best_listed(done, number, question),
            today=today,
        )

    def as_dict(self) -> dict[str, Any]:
        rows = [self._row(quote) for quote in self.quotes]
        rows.sort(key=lambda row: (row["status"] != "valid", row["total_usd"] or 1e30))
        winner = next((row for row in rows if row["status"] == "valid"), None)
        listed = self.best_listed
        if winner is not None and (listed is None or winner["total_usd"] < listed[1]):
            winner["wins"] = True
        return {
            "workload": self.workload.name,
            "unit": self._unit()[0],
            "horizon_months": self.priced.rules.horizon_months,
            "compared_on": self.today.isoformat(),
            "best_listed": None if listed is None else {"name": listed[0], "total_usd": listed[1]},
            "bids": rows,
        }

    def _unit(self) -> tuple[str, float]:
        """What a price is compared by, and how many of it the horizon has."""
        serving, rules = self.workload.serving, self.priced.rules
        if serving is None:
            return "training run", runs(self.workload) * rules.horizon_months
        requests = serving.requests_per_month * float(growth_path(rules).sum())
        if serving.output_tokens > 0.0:
            return "million output tokens", requests * serving.output_tokens / MEGA
        return f"thousand {plural(serving.unit)}", requests / KILO

    def _row(self, quote: _Priced) -> dict[str, Any]:
        bid = quote.bid
        expired = bid.is_expired(self.today)
        found: dict[str, Any] = {
            "id": bid.id,
            "name": bid.name,
            "status": "expired" if expired else "valid" if quote.may_win else "fails",
            "reason": quote.reason,
            "wins": False,
            "valid_until": bid.valid_until.isoformat() if bid.valid_until else None,
            "delivery_on": bid.delivery_on.isoformat() if bid.delivery_on else None,
            "price": bid.price,
            "price_per": bid.price_per,
            "currency": bid.currency,
            "plan": "", "systems": None, "total_usd": None, "total_low_usd": None,
            "total_high_usd": None, "unit_usd": None, "exit_usd": {}, "prepaid_usd": None,
            "terms": _terms(bid),
            "missing_items": [], "missing_terms": list(missing_terms(bid)), "lines": [],
            "counter_offer": None,
        }  # fmt: skip
        return found if quote.row is None else found | self._figures(quote, quote.row)

    def _figures(self, quote: _Priced, row: int) -> dict[str, Any]:
        bid, priced, cost = quote.bid, self.priced, self.priced.cost
        offer = priced.offers[int(priced.placements.offer[row])]
        part = priced.parts[int(priced.sizing.accelerator[priced.placements.sizing[row]])]
        case = take(priced.cases, [row])
        total = float(cost.total_usd[row])
        lines = cost_lines(priced, row, offer)
        amount = self._unit()[1]
        return {
            "plan": plan_name(round(float(priced.placements.accelerators[row])), part, offer),
            "systems": round(float(case.instances[0])),
            "total_usd": total,
            "total_low_usd": float(cost.low_usd[row]),
            "total_high_usd": float(cost.high_usd[row]),
            "unit_usd": total / amount if amount > 0.0 else None,
            "exit_usd": {
                str(month): exit_cost_usd(case, priced.rules, offer.terms, month=month)
                for month in EXIT_MONTHS
            },
            "prepaid_usd": bid.prepaid_fraction * _price_usd(bid, case),
            "lines": [
                {
                    "label": line.label, "usd": line.usd, "evidence": line.evidence,
                    "source": line.source,
                }
                for line in lines
            ],
            "missing_items": _missing(bid, lines),
            "counter_offer": self._counter_offer(quote, case) if quote.row is not None else None,
        }  # fmt: skip

    def _counter_offer(self, quote: _Priced, case: CostCases) -> dict[str, Any] | None:
        """The price at which a quote would be cheaper than all others, by re-running costs."""
        others = [
            float(self.priced.cost.total_usd[each.row])
            for each in self.quotes
            if each is not quote and each.may_win and not each.bid.is_expired(self.today)
            if each.row is not None
        ]
        others += [self.best_listed[1]] if self.best_listed else []
        if not others or (quote.reason and not quote.bid.is_expired(self.today)):
            return None
        bid, rules = quote.bid, self.priced.rules

        def total_usd(price: float) -> float:
            times = price / bid.price
            changed = replace(
                case,
                usd_per_h=case.usd_per_h * times,
                capex_usd_per_instance=case.capex_usd_per_instance * times,
            )
            return float(cost_breakdown(changed, rules).total_usd[0])

        price = price_that_wins(total_usd, price=bid.price, target_usd=min(others))
        return {
            "target_usd": min(others),
            "price": price,
            "change_fraction": None if price is None else price / bid.price - 1.0,
        }


def _at_market(question: Question) -> Question:
    """The question without a price that would stand in place of every offer, quotes included."""
    book = {
        key: usd for key, usd in question.price_book.items() if key != "usd_per_accelerator_hour"
    }
    return replace(question, price_book=book)


def _binding(bid: Bid, today: date, question: Question) -> OfferSpec:
    """The quote as an offer that is priced also when it has ended."""
    offer = offer_of(bid, as_of=today, horizon_months=question.horizon_months)
    terms = offer.terms
    open_ended = replace(terms, valid_until=None) if isinstance(terms, OfferTerms) else None
    return replace(offer, terms=open_ended)


def _best_of(
    bid: Bid,
    offer: OfferSpec,
    priced: Priced,
    blocked: Sequence[str],
    refused: str,
    today: date,
) -> _Priced:
    """The cheapest layout on a quote, one that may be recommended before all others."""
    mine = [
        row
        for row in range(len(priced.placements))
        if priced.offers[int(priced.placements.offer[row])].id == offer.id
        and np.isfinite(priced.cost.total_usd[row])
    ]
    ended = f"The quote ended on {bid.valid_until}." if bid.is_expired(today) else ""
    if not mine:
        return _Priced(bid=bid, row=None, reason=refused or ended or NO_PLACE)
    row = min(mine, key=lambda each: (blocked[each] != "", priced.cost.total_usd[each]))
    reason = f"{blocked[row][:1].upper()}{blocked[row][1:]}." if blocked[row] else ended
    return _Priced(bid=bid, row=row, reason=reason)


def _best_listed(done: Worked, number: int, question: Question) -> tuple[str, float] | None:
    """The cheapest plan that may be recommended and is nobody's quote."""
    priced, decision = done.priced[number], done.decisions[number]
    found = [
        (plan.name, total)
        for plan in decision.plans
        if plan.purchase == "hosted_tokens" and plan.meets_targets
        if (total := plan.value("total_cost_usd")) is not None
    ]
    for row, text in enumerate(blocked_because(priced, question)):
        offer = priced.offers[int(priced.placements.offer[row])]
        if not text and offer.terms is None and np.isfinite(priced.cost.total_usd[row]):
            part = priced.parts[int(priced.sizing.accelerator[priced.placements.sizing[row]])]
            count = round(float(priced.placements.accelerators[row]))
            found.append((plan_name(count, part, offer), float(priced.cost.total_usd[row])))
    return min(found, key=lambda each: each[1], default=None)


def _terms(bid: Bid) -> dict[str, Any]:
    """What a quote says beside its price; None is not stated."""
    return {
        "valid_until": bid.valid_until.isoformat() if bid.valid_until else None,
        "delivery_on": bid.delivery_on.isoformat() if bid.delivery_on else None,
        "prepaid_fraction": bid.prepaid_fraction,
        "minimum_months": bid.minimum_months,
        "minimum_quantity": bid.minimum_quantity,
        "quantity": bid.quantity,
        "price_lock_months": bid.price_lock_months,
        "sla_credit_fraction": bid.sla_credit_fraction,
        "termination_fee": bid.termination_fee,
        "termination_fraction": bid.termination_fraction,
        "support_fraction_per_year": bid.support_fraction_per_year,
    }


def _price_usd(bid: Bid, case: CostCases) -> float:
    """What a prepayment is a share of: the purchase, or the rent of the least term."""
    months = 1.0 if bid.is_purchase else max(bid.minimum_months, 1.0) * 730.0
    return usd_per_system(bid) * float(case.instances[0]) * months


def _missing(bid: Bid, lines: Sequence[Any]) -> list[dict[str, Any]]:
    by_label = {line.label: line for line in lines}
    return [
        {
            "item": item,
            "label": ITEMS[item],
            "usd": by_label[ITEMS[item]].usd if ITEMS[item] in by_label else 0.0,
            "evidence": by_label[ITEMS[item]].evidence if ITEMS[item] in by_label else None,
        }
        for item in missing_items(bid)
    ]
