"""What tokens of a hosted model cost."""

import numpy as np
from numpy.typing import ArrayLike

from costing.engine.data import Floats


def tokens_usd_per_month(
    *,
    input_tokens: ArrayLike,
    output_tokens: ArrayLike,
    usd_per_input_token: ArrayLike,
    usd_per_output_token: ArrayLike,
    cached_fraction: ArrayLike = 0.0,
    usd_per_cached_input_token: ArrayLike = np.nan,
    batch_discount_fraction: ArrayLike = 0.0,
) -> Floats:
    """USD a month for so many tokens a month; any shape, nan where a price is open.

    `cached_fraction` of the input is read from the provider's cache, at its own price where
    one is published and else at the full price. `batch_discount_fraction` is what the
    provider takes off for answers that may wait.

    Source: the providers' price pages, which bill input, cached input and output apart.
    """
    given = np.asarray(input_tokens, dtype=np.float64)
    full = np.asarray(usd_per_input_token, dtype=np.float64)
    cached = np.asarray(usd_per_cached_input_token, dtype=np.float64)
    cached = np.where(np.isnan(cached), full, cached)
    share = np.asarray(cached_fraction, dtype=np.float64)
    read = given * ((1.0 - share) * full + share * cached)
    written = np.asarray(output_tokens, dtype=np.float64) * np.asarray(
        usd_per_output_token, dtype=np.float64
    )
    return (read + written) * (1.0 - np.asarray(batch_discount_fraction, dtype=np.float64))


def usd_per_million(*, total_usd: ArrayLike, amount: ArrayLike) -> Floats:
    """USD per million of anything (tokens, requests); nan where there is nothing.

    Source: arithmetic.
    """
    count = np.asarray(amount, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.asarray(total_usd, dtype=np.float64) / count * 1e6
    return np.where(count > 0.0, each, np.nan)
