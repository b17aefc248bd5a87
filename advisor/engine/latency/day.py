"""The rate of requests over the hours of a day, from its mean, its peak and the active hours."""

import numpy as np
from scipy.optimize import brentq

from advisor.engine.cases import Floats

_SHARPEST = 200.0
_FAINTEST = 1e-9  # of the peak: the hour opposite to it, which no power would move off zero


def day_profile(*, mean_per_s: float, peak_per_s: float, active_hours: float) -> Floats:
    """Requests per second in each of 24 hours: one smooth hump over the active hours.

    The hump is a power of a raised cosine, as sharp as the ratio of peak to mean asks; mean and
    peak over the active hours are kept, where 24 whole hours can hold them, and no request
    comes outside. A mean above the peak is taken as the peak.

    Source: shape assumed; of the days of published traces one hump is what is common.
    """
    hours = int(np.clip(round(active_hours), 1, 24))
    if peak_per_s <= 0.0:
        return np.zeros(24)
    share = min(mean_per_s / peak_per_s, 1.0)
    turn = np.cos(2.0 * np.pi * (np.arange(hours) - hours // 2) / hours)
    base = np.maximum(0.5 * (1.0 + turn), _FAINTEST)

    def off(power: float) -> float:
        return float((base**power).mean()) - share

    sharp = (
        0.0
        if off(0.0) <= 0.0
        else _SHARPEST
        if off(_SHARPEST) > 0.0
        else brentq(off, 0.0, _SHARPEST)
    )
    profile = np.zeros(24)
    start = (24 - hours) // 2
    profile[start : start + hours] = peak_per_s * base**sharp
    return profile
