"""What happened to a turn's candidate after the turn: its own promotion request, and later requests of others.

A turn's record has the state when the turn ended. Reports and lists also read the ends of all promotion requests, so
that they stay correct later.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flywheel.records.promotions import ENDS, Promotion, PromotionStatus

if TYPE_CHECKING:
    from flywheel.records.turns import TurnRecord
    from flywheel.store.bucket import IntakeBucket


class PromotionHistory:
    """The ends of all promotion requests so far."""

    def __init__(self, ends: Iterable[Promotion] = ()) -> None:
        self._ends = sorted(ends, key=lambda end: (end.at, end.request_id))

    @classmethod
    def read(cls, intake: IntakeBucket) -> PromotionHistory:
        return cls(intake.read_all(intake.keys(ENDS), Promotion))

    def own(self, iteration_id: str | None) -> Promotion | None:
        """The end of the turn's own request, whose id is the iteration's."""
        return next((end for end in self._ends if end.request_id == iteration_id), None)

    def later(self, model_arn: str, *, iteration_id: str | None) -> Promotion | None:
        """The last end among others' requests for the model; preferably one that made the model active."""
        others = [end for end in self._ends if end.model_arn == model_arn and end.request_id != iteration_id]
        made_active = [end for end in others if end.status.made_active]
        return next(reversed(made_active or others), None)

    def made_active(self, model_arn: str) -> bool:
        return any(end.status.made_active for end in self._ends if end.model_arn == model_arn)

    def replaced(self, model_arn: str) -> Promotion | None:
        """The promotion that replaced the model; None while the model is active, or if it never was."""
        active_since = [end.at for end in self._ends if end.model_arn == model_arn and end.status.made_active]
        if not active_since:
            return None
        after = (end for end in self._ends if end.at > active_since[-1] and end.model_arn != model_arn)
        return next((end for end in after if end.status.made_active), None)

    def sentences(self, record: TurnRecord) -> list[str]:
        """Sentences about the turn's candidate after the turn, in addition to its own promotion."""
        if record.candidate is None:
            return []
        arn = record.candidate.arn
        found = []
        later, replaced = self.later(arn, iteration_id=record.iteration_id), self.replaced(arn)
        if later is not None:
            found.append(f"Later {later.by} asked for the candidate: {_status(later)}. {later.reason}")
        if replaced is not None:
            found.append(f"{_name(replaced.model_arn)} took its place as the active model at {moment(replaced.at)}.")
        return found


def in_a_word(decision: str, promotion: PromotionStatus | None, *, promoted_later: bool) -> str:
    """The result of a turn's decision, for lists: `keep`, `promoted`, `declined`, `declined, promoted later`."""
    own = decision if promotion is None else str(promotion)
    made_active = promotion is not None and promotion.made_active
    return f"{own}, promoted later" if promoted_later and not made_active else own


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _status(end: Promotion) -> str:
    return f"{end.status} at {moment(end.at)}"


def _name(model_arn: str) -> str:
    return model_arn.rsplit("/", 1)[-1]
