"""POST /feedback: what somebody who uses the model says of a prediction becomes a proposal in the review queue."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.api import errors
from flywheel.api.classify_api import texts_of
from flywheel.api.messages import ErrorCode, FeedbackTaken, OneText, Problem
from flywheel.records.predictions import KeptPrediction, prediction_id, prediction_key, text_digest
from flywheel.review.errors import InvalidAnswer
from flywheel.review.propose import Trust, propose

if TYPE_CHECKING:
    from flywheel.comprehend.real_time import Feedback, RealTime
    from flywheel.review.queue import ReviewQueue

_SKEW = timedelta(days=1)
"""Clocks differ: shortly before midnight an answer may be of the next day."""


@dataclass(frozen=True, kw_only=True)
class FeedbackTaker:
    queue: ReviewQueue
    real_time: RealTime
    trust: Trust

    def take(self, said: Feedback, *, by: str, now: datetime) -> FeedbackTaken:
        """`by` is the caller's ARN. Said again, it changes nothing. Raises RequestRefused, ServiceBusy."""
        kept = self._kept(said, now=now)
        if kept is None and (said.text is None or said.correct):
            raise errors.RequestRefused(errors.prediction_not_kept(by_id=said.text is None))
        text = said.text if said.text is not None else kept.text if kept is not None else ""
        suggestion = kept.suggestion if kept is not None else None
        labels = suggestion.labels if said.correct and suggestion is not None else said.labels_said
        try:
            state = propose(
                self.queue, text=text, labels=labels, by=by, now=now, trust=self.trust, suggestion=suggestion
            )
        except InvalidAnswer as error:
            problem = Problem(code=ErrorCode(self.real_time.feedback_error), message=str(error))
            raise errors.RequestRefused(problem) from error
        return FeedbackTaken(item=text_digest(text), state=state.value, text_kept=kept is not None)

    def _kept(self, said: Feedback, *, now: datetime) -> KeptPrediction | None:
        """The prediction that it is about, if it is kept: of a text the one of today."""
        if said.text is not None:
            texts_of(OneText(text=said.text), most_bytes=self.real_time.most_text_bytes)
            identity = prediction_id(said.text, at=now)
        else:
            identity = said.prediction_id or ""
        try:
            key = prediction_key(identity)
        except ValueError:
            raise errors.RequestRefused(errors.prediction_unknown()) from None
        if identity[:8] > f"{now + _SKEW:%Y%m%d}":
            raise errors.RequestRefused(errors.prediction_unknown())
        return self.queue.intake.read(key, KeptPrediction)
