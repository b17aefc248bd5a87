"""Claims a reader would want checked, each with what the model computes and a plain verdict."""

from collections.abc import Mapping, Sequence

from advisor.engine.calibration import Calibration
from advisor.engine.evidence.claims_market import spot_market
from advisor.engine.evidence.claims_serving import (
    check_latency,
    check_pools,
    check_spot_forecast,
    check_spot_saving,
    check_storage,
)
from advisor.engine.evidence.claims_training import check_job_cost, check_speed_up, check_tpu_price
from advisor.engine.evidence.claims_values import Checked, Claim, Claims, ClaimText, Verdict
from catalog.specs import CatalogueSnapshot, TrainingMeasurement
from costing.engine.rates import Rates


def check_all(
    texts: Sequence[ClaimText],
    *,
    snapshot: CatalogueSnapshot,
    calibration: Calibration,
    training: Sequence[TrainingMeasurement],
    rates: Rates,
) -> Claims:
    """Every claim that has a text, with its check, in the order of the texts.

    Source: each check names its own.
    """
    market = spot_market(snapshot)
    checks: Mapping[str, Checked] = {
        "h100-a100": check_speed_up(snapshot, calibration, training),
        "tpu-price": check_tpu_price(snapshot, calibration),
        "storage": check_storage(),
        "shared-pools": check_pools(),
        "spot-saving": check_spot_saving(market, rates),
        "spot-forecast": check_spot_forecast(market),
        "job-cost": check_job_cost(snapshot),
        "latency": check_latency(snapshot, calibration),
        "market": Checked(
            computed=(),
            verdict=Verdict.FORECAST,
            conclusion="Shown as reported. No answer of this application uses it.",
            not_computed="the size of a market is nothing this application models",
        ),
    }
    return Claims(
        as_of=snapshot.as_of,
        claims=tuple(
            Claim(
                id=text.id,
                title=text.title,
                claimed=text.claimed,
                computed=checks[text.id].computed,
                measured=checks[text.id].published + text.measured,
                verdict=checks[text.id].verdict,
                conclusion=checks[text.id].conclusion,
                not_computed=checks[text.id].not_computed,
            )
            for text in texts
        ),
    )
