"""Target tracking as Application Auto Scaling documents it: quick to scale out, slow to scale in.

The alarms that it makes need the metric above the target for 3 minutes, or below nine tenths of it for 15. A minute
without data is neither: an endpoint that nobody calls is not scaled in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

PERIODS_ABOVE = 3
PERIODS_BELOW = 15
LOW_SHARE = 0.9


def wanted_units(*, units: int, target: float, utilisation: Sequence[float | None], scale_in: bool) -> int:
    """How many units bring the utilisation to the target; ``units`` when nothing is to be done.

    ``utilisation``: percent in each period, the newest first.
    """
    above, below = utilisation[:PERIODS_ABOVE], utilisation[:PERIODS_BELOW]
    high = [each for each in above if each is not None and each > target]
    if len(high) == PERIODS_ABOVE:
        return max(units, _fitting(units, sum(high) / len(high), target))
    low = [each for each in below if each is not None and each < LOW_SHARE * target]
    if scale_in and len(low) == PERIODS_BELOW:
        return min(units, _fitting(units, sum(low) / len(low), target))
    return units


def _fitting(units: int, utilisation: float, target: float) -> int:
    return max(1, math.ceil(units * utilisation / target))
