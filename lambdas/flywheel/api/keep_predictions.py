"""Keeps predictions of the real-time API, as far as the deployment asks for it, and puts some before reviewers.

What is kept is decided by the text and the day, so that a repeated request keeps nothing further.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.faults.service_faults import error_code
from flywheel.records.predictions import KeptPrediction, SightedModel, prediction_id, prediction_key
from flywheel.records.review import ItemSource, Lane, WaitingItem, rank_of_margin

if TYPE_CHECKING:
    from flywheel.comprehend.live_endpoint import EndpointSnapshot
    from flywheel.comprehend.model_kind import Prediction
    from flywheel.store.bucket import IntakeBucket

_PARALLEL = 8
_RANKS = 1000


class Keep(StrEnum):
    """The values of the parameter KeepPredictions."""

    NONE = "none"
    """No text is stored, and none enters the review queue."""
    LOW_CONFIDENCE = "low-confidence"
    """Those that enter the review queue."""
    SAMPLE = "sample"
    """And a share of all."""
    ALL = "all"


@dataclass(frozen=True, kw_only=True)
class KeepingRules:
    keep: Keep
    threshold: float
    """Documents with a lower confidence enter the review queue."""
    sample_percent: float = 0
    """Of all documents, if `keep` is SAMPLE."""
    audit_percent: float = 0
    """Of the documents above the threshold: they enter the review queue, too."""

    def lane(self, prediction: Prediction, *, identity: str) -> Lane | None:
        """The lane of the review queue that the document enters."""
        if self.keep is Keep.NONE:
            return None
        if prediction.confidence < self.threshold:
            return Lane.UNCERTAIN
        return Lane.AUDIT if is_drawn(identity, self.audit_percent, purpose="audit") else None

    def keeps(self, *, identity: str) -> bool:
        """Whether the prediction is kept whatever its lane."""
        return self.keep is Keep.ALL or (
            self.keep is Keep.SAMPLE and is_drawn(identity, self.sample_percent, purpose="sample")
        )


@dataclass(frozen=True, kw_only=True)
class Keeping:
    """What came of a request's predictions."""

    ids: tuple[str, ...]
    """Of each document's prediction."""
    kept: frozenset[int]
    """Documents, by their place in the request, whose text is kept."""
    queued: int
    """Documents that were put into the review queue."""
    not_stored: int
    """Documents that should have been kept and could not be."""


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    number: int
    id: str
    text: str
    prediction: Prediction
    lane: Lane | None


@dataclass(frozen=True, kw_only=True)
class PredictionKeeper:
    rules: KeepingRules
    endpoint_arn: str
    intake: Callable[[], IntakeBucket]
    look: Callable[[list[str]], EndpointSnapshot | None]
    """The state of the endpoint now. Notes in the list why it is None."""

    def keep(
        self,
        documents: Sequence[tuple[str, Prediction | None]],
        *,
        before: EndpointSnapshot | None,
        at: datetime,
        causes: list[str],
    ) -> Keeping:
        """Each text with its prediction. `before` is the state of the endpoint before the call. What cannot be stored
        is no error for the caller: it is noted in `causes`."""
        ids = tuple(prediction_id(text, at=at) for text, _ in documents)
        candidates = [*self._candidates(documents, ids)]
        kept, queued, not_stored = set(), 0, 0
        if candidates:
            after = self.look(causes)
            with ThreadPoolExecutor(_PARALLEL) as pool:
                storing = [pool.submit(self._store, one, before, after, at) for one in candidates]
            for one, stored in zip(candidates, storing, strict=True):
                try:
                    queued += stored.result()
                    kept.add(one.number)
                except (ClientError, BotoCoreError) as error:
                    causes.append(_cause(error))
                    not_stored += 1
        return Keeping(ids=ids, kept=frozenset(kept), queued=queued, not_stored=not_stored)

    def _candidates(
        self, documents: Sequence[tuple[str, Prediction | None]], ids: Sequence[str]
    ) -> Iterator[_Candidate]:
        for number, ((text, prediction), known) in enumerate(zip(documents, ids, strict=True)):
            if prediction is None:
                continue
            lane = self.rules.lane(prediction, identity=known)
            if lane is not None or self.rules.keeps(identity=known):
                yield _Candidate(number=number, id=known, text=text, prediction=prediction, lane=lane)

    def _store(
        self, one: _Candidate, before: EndpointSnapshot | None, after: EndpointSnapshot | None, at: datetime
    ) -> bool:
        """Whether it was put into the review queue. What is kept was queued before, so a text that is sent again and
        again is queued once a day, and one that was not because of an error is queued the next time."""
        from flywheel.review.add_item import add

        intake, key = self.intake(), prediction_key(one.id)
        certain = before is not None and after is not None and before.model_arn == after.model_arn
        suggestion = one.prediction.suggestion(model_arn=after.model_arn if after is not None and certain else None)
        queue = one.lane is not None and not intake.exists(key)
        if one.lane is not None and queue:
            # In their lane audited documents are in no order that a model has made.
            rank = _draw(one.id, "order") * _RANKS // _DRAWS
            if one.lane is Lane.UNCERTAIN:
                rank = rank_of_margin(one.prediction.margin)
            item = WaitingItem(text=one.text, source=ItemSource.API, suggestion=suggestion, at=at)
            add(item, lane=one.lane, rank=rank, intake=intake)
        record = KeptPrediction(
            text=one.text,
            suggestion=suggestion,
            endpoint_arn=self.endpoint_arn,
            seen_before=SightedModel(model_arn=before.model_arn, at=before.at) if before else None,
            seen_after=SightedModel(model_arn=after.model_arn, at=after.at) if after else None,
            at=at,
        )
        intake.write_once(key, record)
        return queue


_DRAWS = 2**32


def is_drawn(identity: str, percent: float, *, purpose: str) -> bool:
    """Whether a prediction is in a random share of `percent`: always the same for the same id. Shares for different
    purposes are independent of each other."""
    return _draw(identity, purpose) < percent / 100 * _DRAWS


def _draw(identity: str, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{purpose} {identity}".encode()).digest()[:4])


def _cause(error: ClientError | BotoCoreError) -> str:
    if isinstance(error, ClientError):
        return f"{error.operation_name}: {error_code(error)}"
    return f"to keep a prediction: {type(error).__name__}"
