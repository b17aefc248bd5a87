"""Rates and exchange rates as one text and back, so that a run can be worked again as it was."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from hashlib import sha256
from types import MappingProxyType
from typing import Any

from catalog.specs import Evidence
from costing.engine.rates import CurrencyRate, Rate, Rates


def packed_rates(rates: Rates, currencies: Mapping[str, CurrencyRate]) -> str:
    """The figures as JSON; equal figures give equal text.

    Source: the rows themselves, sorted by id.
    """
    content = {
        "rates": [asdict(rates[key]) for key in sorted(rates)],
        "currencies": [asdict(currencies[key]) for key in sorted(currencies)],
    }
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def rates_digest(rates: Rates, currencies: Mapping[str, CurrencyRate]) -> str:
    """SHA-256 of all figures that costs are built from.

    Source: FIPS 180-4, over `packed_rates`.
    """
    return sha256(packed_rates(rates, currencies).encode()).hexdigest()


def unpacked_rates(text: str) -> tuple[Rates, Mapping[str, CurrencyRate]]:
    """What `packed_rates` made this text of.

    Source: the text.
    """
    content = json.loads(text)
    rates = {row["id"]: _rate(row) for row in content["rates"]}
    currencies = {row["code"]: CurrencyRate(**row) for row in content["currencies"]}
    return MappingProxyType(rates), MappingProxyType(currencies)


def _rate(row: dict[str, Any]) -> Rate:
    return Rate(**{**row, "evidence": Evidence(row["evidence"])})
