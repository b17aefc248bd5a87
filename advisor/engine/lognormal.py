"""The lognormal law by its mean and 95th percentile: how lengths of requests are spread."""

import numpy as np

Z95 = 1.6449
Z99 = 2.3263


def lognormal_spread(*, mean: float, p95: float) -> float:
    """Shape sigma of the lognormal law with a mean and a 95th percentile, any unit.

    Solves ln(p95 / mean) = z95 sigma - sigma^2 / 2 for the smaller root; at most z95, where
    that ratio is largest.

    Source: moments and quantiles of the lognormal law, N. L. Johnson et al., "Continuous
    Univariate Distributions", vol. 1, 2nd ed., Wiley 1994, chapter 14.
    """
    return lognormal_spread_at(mean=mean, value=p95, z=Z95)


def lognormal_spread_at(*, mean: float, value: float, z: float) -> float:
    """The same for any quantile above the mean, at its standard normal quantile z; at most z.

    Source: as lognormal_spread.
    """
    if mean <= 0.0 or value <= mean:
        return 0.0
    inside = max(z**2 - 2.0 * float(np.log(value / mean)), 0.0)
    return float(z - np.sqrt(inside))


def lognormal_quantile_factor(*, sigma: float, z: float) -> float:
    """Quantile over mean of a lognormal law, at a standard normal quantile z.

    Source: as lognormal_spread.
    """
    return float(np.exp(z * sigma - 0.5 * sigma**2))
