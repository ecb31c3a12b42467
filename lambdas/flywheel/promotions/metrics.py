"""The metrics of promotions for the dashboard and the alarms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flywheel.measurement import Measurement
from flywheel.records.promotions import Promotion, PromotionStatus


def of_approvals(*, waiting: bool) -> Measurement:
    """1 while a promotion waits for a person, else 0."""
    return Measurement(name="PromotionsWaiting", value=int(waiting))


def of_promotion(ended: Sequence[Promotion]) -> Iterator[Measurement]:
    """The metrics of a promotion that ended; it does not wait for approval any more."""
    yield of_approvals(waiting=False)
    if ended:
        first = ended[0].status
        yield Measurement(name="ModelsPromoted", value=int(first.made_active))
        yield Measurement(name="PromotionsFailed", value=int(first is PromotionStatus.FAILED))
