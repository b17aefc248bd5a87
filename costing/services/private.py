"""Keep an organisation's quotes and prices: one way in for form, file and program."""

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from catalog.engine.tables import Record, Refusal, Table, read_cells, read_table
from catalog.models import System
from catalog.queries import find_accelerator
from costing.engine.private import BIDS, OWN_PRICES, PERCENTS
from costing.models import Bid, OwnPrice
from costing.queries import currencies, rates

Row = Bid | OwnPrice
PERCENT = 100


class BadRow(ValueError):
    """A quote or price that cannot be kept: what is wrong, by column."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        self.problems = dict(problems)
        super().__init__(
            "; ".join(f"{name}: {text}" if name else text for name, text in problems.items())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """What an organisation may keep of its own, and how a row of its file becomes one."""

    table: Table
    model: type[Bid] | type[OwnPrice]
    values: Callable[[Record], dict[str, Any]]
    cells: Callable[[Any], dict[str, str]]
    same: tuple[str, ...]  # fields by which a file's row finds the one it replaces


@dataclass(slots=True, kw_only=True)
class Kept:
    """What a file did."""

    added: int = 0
    changed: int = 0
    refused: list[Refusal] = field(default_factory=list)


def keep(
    kind: Kind,
    cells: Mapping[str, str],
    *,
    organisation: str,
    owner: User | None = None,
    row: Row | None = None,
) -> Row:
    """Keep a new row, or change one; raises BadRow with every problem found."""
    record, wrong = read_cells(cells, kind.table)
    if wrong:
        raise BadRow(wrong)
    values = kind.values(record)
    same = {name: values[name] for name in kind.same}
    others = kind.model.objects.filter(organisation=organisation, **same)
    if row is None and others.exists():
        raise BadRow({"": "there is such a row already; change that one"})
    if row is not None and others.exclude(pk=row.pk).exists():
        raise BadRow({"": "another row is already called so"})
    return _written(kind, row, values, organisation=organisation, owner=owner)


def take_csv(
    kind: Kind,
    content: str,
    *,
    organisation: str,
    owner: User | None = None,
) -> Kept:
    """Add or replace the rows of a CSV text; raises BadTable where it is no such file.

    Rows that are not in it stay. Sound rows are taken, each other one is named with its line.
    """
    lines, refused = read_table(content, kind.table, lenient=True)
    report = Kept(refused=list(refused))
    with transaction.atomic():
        for line, record in lines:
            try:
                values = kind.values(record)
            except BadRow as problem:
                report.refused.append(Refusal(file=kind.table.file, line=line, reason=str(problem)))
                continue
            same = {name: values[name] for name in kind.same}
            found = kind.model.objects.filter(organisation=organisation, **same).first()
            _written(kind, found, values, organisation=organisation, owner=owner)
            report.added += found is None
            report.changed += found is not None
    return report


def forget(row: Row) -> None:
    """Take a row out; its history stays."""
    row.delete()


def as_csv(kind: Kind, rows: list[Row]) -> str:
    """Rows as the file that `take_csv` reads."""
    names = [column.name for column in kind.table.columns]
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(kind.cells(row) for row in rows)
    return out.getvalue()


def _written(
    kind: Kind,
    row: Row | None,
    values: Mapping[str, Any],
    *,
    organisation: str,
    owner: User | None,
) -> Row:
    kept = row or kind.model(organisation=organisation, owner=owner)
    for name, value in values.items():
        setattr(kept, name, value)
    kept.save()
    return kept


def _bid_values(record: Record) -> dict[str, Any]:
    wrong: dict[str, str] = {}
    system = _system(record["system"], wrong)
    part = find_accelerator(record["accelerator"]) if record["accelerator"] else None
    if record["accelerator"] and part is None:
        wrong["accelerator"] = f"the catalogue knows no “{record['accelerator']}”"
    if system and part and system.accelerator_id != part:
        wrong["accelerator"] = f"{system.name} is built of {system.accelerator_id}, not of {part}"
    _check_currency(record, wrong)
    count = record["accelerators_per_system"] or (system.accelerator_count if system else None)
    if count is None:
        wrong["accelerators_per_system"] = "is missing, and no system tells it"
    if wrong:
        raise BadRow(wrong)
    same = ("reference", "purchase", "quantity", "price", "price_per", "valid_until",
            "delivery_on", "minimum_months", "minimum_quantity", "price_lock_months",
            "termination_fee", "note")  # fmt: skip
    return {
        **{name: record[name] for name in same},
        **{own: _fraction(record[name]) for name, own in PERCENTS.items()},
        "name": record["vendor"],
        "accelerator": part or (system.accelerator_id if system else ""),
        "system": system.pk if system else "",
        "accelerators_per_system": count,
        "currency": record["currency"].upper(),
        "country": record["country"].upper(),
        "received_on": record["received_on"] or timezone.localdate(),
        "covers": sorted(record["covers"]),
    }


def _system(name: str, wrong: dict[str, str]) -> System | None:
    if not name:
        return None
    found = System.objects.filter(pk=name).first() or System.objects.filter(name=name).first()
    if found is None:
        wrong["system"] = f"the catalogue knows no system “{name}”"
    return found


def _check_currency(record: Record, wrong: dict[str, str]) -> None:
    known = currencies()
    if record["currency"] and record["currency"].upper() not in known:
        wrong["currency"] = (
            f"no dated rate of “{record['currency']}” is kept; there are {', '.join(sorted(known))}"
        )


def _fraction(percent: Any) -> Any:
    return None if percent is None else percent / PERCENT


def _percent(fraction: Any) -> Any:
    return None if fraction is None else fraction * PERCENT


def _price_values(record: Record) -> dict[str, Any]:
    wrong: dict[str, str] = {}
    part = find_accelerator(record["accelerator"]) if record["accelerator"] else ""
    if part is None:
        wrong["accelerator"] = f"the catalogue knows no “{record['accelerator']}”"
    _check_currency(record, wrong)
    if record["what"] == "rate" and not _is_rate(record["rate"]):
        wrong["rate"] = f"the cost model has no rate “{record['rate']}”"
    if wrong:
        raise BadRow(wrong)
    amount = record["amount"]
    return {
        **record,
        "amount": _fraction(amount) if record["what"] == "discount" else amount,
        "accelerator": part,
        "provider": record["provider"].lower(),
        "currency": record["currency"].upper(),
    }


def _is_rate(name: str) -> bool:
    known = rates()
    kind = name.split("/")[0]
    return name in known or f"{kind}/default" in known or kind == "porting"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if hasattr(value, "normalize"):
        return f"{value.normalize():f}"
    if isinstance(value, list):
        return "|".join(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _bid_cells(bid: Bid) -> dict[str, str]:
    own = {name: _percent(getattr(bid, field)) for name, field in PERCENTS.items()}
    own |= {"vendor": bid.name}
    return {
        column.name: _cell(own[column.name] if column.name in own else getattr(bid, column.name))
        for column in BIDS.columns
    }


def _price_cells(price: OwnPrice) -> dict[str, str]:
    own = {"amount": _percent(price.amount) if price.what == "discount" else price.amount}
    return {
        column.name: _cell(own[column.name] if column.name in own else getattr(price, column.name))
        for column in OWN_PRICES.columns
    }


BID = Kind(table=BIDS, model=Bid, values=_bid_values, cells=_bid_cells, same=("name", "reference"))
OWN_PRICE = Kind(
    table=OWN_PRICES,
    model=OwnPrice,
    values=_price_values,
    cells=_price_cells,
    same=OWN_PRICES.key,
)
