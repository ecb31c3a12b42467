"""Answers a request's documents with the endpoint: in parallel, with retries for as long as an answer may take.

"To classify" a document is to get the model's prediction for it, whatever the kind of model.

A request with an error in itself is refused as a whole, before any call to Comprehend. After that each document has its
own answer or its own error, and the response is an error only if no document has an answer.
"""

from __future__ import annotations

import random
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.api import errors
from flywheel.api.keep_predictions import PredictionKeeper
from flywheel.api.messages import MOST_DOCUMENTS, ErrorCode, OneText, Problem, SeveralDocuments
from flywheel.comprehend.live_endpoint import UNAVAILABLE
from flywheel.comprehend.model_kind import Prediction
from flywheel.faults.errors import FlywheelError
from flywheel.faults.fault_names import INVALID
from flywheel.faults.service_faults import error_code, is_fault, is_throttle
from flywheel.records.serving import STATE_KEY, ServingState
from flywheel.records.thresholds import thresholds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from flywheel.api.keep_predictions import Keeping, KeepingRules
    from flywheel.comprehend.live_endpoint import EndpointSnapshot, LiveEndpoint
    from flywheel.confidence import Thresholds
    from flywheel.store.bucket import IntakeBucket

PARALLEL = 8
SEEN_FOR = timedelta(seconds=30)
"""The served model that an answer names may have been looked up this long ago."""
LACKING_FOR = timedelta(minutes=5)
"""For so long a model counts as one without thresholds after none were found. Those that are found never change."""
_PATIENCE = 3.0
_PATIENCE_FOR_EACH = 0.5
"""Seconds for each document: one inference unit takes two documents a second."""
MOST_PATIENCE = 13.0
"""Seconds after which nothing is tried again. With the client's time-outs this is below the 29 s of API Gateway."""
_UNAVAILABLE_RETRIES = 2
"""Callers should not notice that the endpoint changes to another model. Whether Comprehend ensures that is not
documented."""
_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0
_SEVERITY = (ErrorCode.NO_ENDPOINT, ErrorCode.INTERNAL_ERROR, ErrorCode.THROTTLED, ErrorCode.TEXT_REFUSED)
"""If all documents have errors, the response is the first of these that occurs."""


def texts_of(request: OneText | SeveralDocuments, *, most_bytes: int) -> list[str]:
    """The documents to classify, of `most_bytes` each. Raises RequestRefused."""
    texts = [request.text] if isinstance(request, OneText) else list(request.documents)
    if not texts:
        raise errors.RequestRefused(errors.no_documents())
    if len(texts) > MOST_DOCUMENTS:
        raise errors.RequestRefused(errors.too_many_documents(len(texts)))
    for number, text in enumerate(texts):
        if not text.strip():
            raise errors.RequestRefused(errors.text_empty(number))
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            raise errors.RequestRefused(errors.not_unicode(number)) from None
        if size > most_bytes:
            raise errors.RequestRefused(errors.text_too_long(number, size, limit=most_bytes))
    return texts


@dataclass(frozen=True, kw_only=True)
class Classified:
    """The answers and errors for a request's documents."""

    answers: tuple[Prediction | Problem, ...]
    """In the order of the request."""
    model: EndpointSnapshot | None
    throttled: int
    """Calls that the endpoint throttled, including those that succeeded at a retry."""
    low_confidence: int
    causes: tuple[str, ...]
    """Failed operations and their error codes, for the log. They quote no text."""
    keeping: Keeping
    """What was kept of the predictions."""

    @property
    def predictions(self) -> list[Prediction]:
        return [answer for answer in self.answers if isinstance(answer, Prediction)]

    @property
    def problems(self) -> list[Problem]:
        return [answer for answer in self.answers if isinstance(answer, Problem)]

    @property
    def refusal(self) -> errors.RequestRefused | None:
        """The error to respond with, if no document has an answer; else None."""
        problems = self.problems
        if len(problems) < len(self.answers):
            return None
        worst = min(problems, key=lambda problem: _SEVERITY.index(problem.code))
        alone = worst if len(problems) == 1 else worst.model_copy(update={"document": None})
        return errors.RequestRefused(alone, retry_after=self.retry_after)

    @property
    def retry_after(self) -> int | None:
        """Seconds after which the client may send the failed documents again; None if that is of no use."""
        throttled = sum(problem.code is ErrorCode.THROTTLED for problem in self.problems)
        waits = [errors.wait_for(problem, documents=throttled) for problem in self.problems]
        return max((wait for wait in waits if wait is not None), default=None)


@dataclass(frozen=True, kw_only=True)
class _DocumentResult:
    """The prediction for one document, or why there is none."""

    prediction: Prediction | None = None
    failure: ErrorCode | None = None
    throttled: int = 0
    cause: str | None = None


@dataclass(frozen=True, kw_only=True)
class _KnownThresholds:
    """Of the served model: none but the last is remembered."""

    model_arn: str
    by_label: Thresholds
    at: datetime


@dataclass(kw_only=True)
class RequestClassifier:
    """Classifies requests. It lives as long as the execution environment, to remember the served model."""

    endpoint: LiveEndpoint
    intake: Callable[[], IntakeBucket]
    """Creates the client only when it is needed, because most requests do not."""
    rules: KeepingRules
    clock: Callable[[], datetime]
    elapsed: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    _seen: EndpointSnapshot | None = field(default=None, init=False)
    _thresholds: _KnownThresholds | None = field(default=None, init=False)

    def classify(self, texts: Sequence[str]) -> Classified:
        """Takes little longer than MOST_PATIENCE at most. Raises only errors of reading `serving/state.json`."""
        causes: list[str] = []
        before = self._seen or self._look(causes)
        deadline = self.elapsed() + min(MOST_PATIENCE, _PATIENCE + _PATIENCE_FOR_EACH * len(texts))
        # One more thread than for the documents, so that looking up the served model delays none of them.
        with ThreadPoolExecutor(min(PARALLEL, len(texts)) + 1) as pool:
            if before is not None and self.clock() - before.at > SEEN_FOR:
                pool.submit(self._look, causes)
            tried = list(pool.map(lambda text: self._try(text, deadline), texts))
        if any(one.prediction is not None and one.prediction.has_thresholds for one in tried):
            tried = self._at_thresholds(tried, causes)
        causes += [one.cause for one in tried if one.cause]
        keeper = PredictionKeeper(rules=self.rules, endpoint_arn=self.endpoint.arn, intake=self.intake, look=self._look)
        predictions = [one.prediction for one in tried]
        keeping = keeper.keep([*zip(texts, predictions, strict=True)], before=before, at=self.clock(), causes=causes)
        return Classified(
            answers=self._answers(tried),
            model=self._seen,
            throttled=sum(one.throttled for one in tried),
            low_confidence=sum(one is not None and one.confidence < self.rules.threshold for one in predictions),
            causes=tuple(causes),
            keeping=keeping,
        )

    def _try(self, text: str, deadline: float) -> _DocumentResult:
        throttled = attempts = unavailable = 0
        if self.elapsed() > deadline:
            # The documents before it took all the time. For the caller that is the same as throttling.
            return _DocumentResult(failure=ErrorCode.THROTTLED, cause="no time left")
        while True:
            try:
                return _DocumentResult(prediction=self.endpoint.classify(text), throttled=throttled)
            except ClientError as error:
                code = error_code(error)
                cause = f"{self.endpoint.operation}: {code}"
                throttled += is_throttle(error)
                unavailable += code in UNAVAILABLE
                failure = _failure(error)
                again = is_throttle(error) or is_fault(error) or 0 < unavailable <= _UNAVAILABLE_RETRIES
            except BotoCoreError as error:
                cause = f"{self.endpoint.operation}: {type(error).__name__}"
                failure, again = ErrorCode.INTERNAL_ERROR, True
            except FlywheelError as error:
                # Without its message, which may quote the answer. Comprehend would answer the same again.
                cause = f"{self.endpoint.operation}: {type(error).__name__}"
                failure, again = ErrorCode.INTERNAL_ERROR, False
            delay = random.uniform(0.5, 1) * min(_LONGEST_DELAY, _FIRST_DELAY * 2**attempts)  # noqa: S311 - no secret
            attempts += 1
            if not again or self.elapsed() + delay > deadline:
                return _DocumentResult(failure=failure, throttled=throttled, cause=cause)
            self.pause(delay)

    def _look(self, causes: list[str]) -> EndpointSnapshot | None:
        """The state of the endpoint; None if it does not exist or could not be described."""
        try:
            seen = self.endpoint.look()
        except (ClientError, BotoCoreError) as error:
            causes.append(_cause("DescribeEndpoint", error))
            return None
        self._seen = seen
        return seen

    def _at_thresholds(self, tried: Sequence[_DocumentResult], causes: list[str]) -> list[_DocumentResult]:
        """The predictions at the thresholds of the model that answers. If it or they cannot be known, there is no
        answer: one at other thresholds would look like any other, and have other labels."""
        thresholds = self._thresholds_of_served_model(causes)
        if thresholds is None:
            causes.append("the thresholds of the served model are not known")
            return [replace(one, prediction=None) if one.prediction else one for one in tried]
        return [replace(one, prediction=one.prediction.at(thresholds)) if one.prediction else one for one in tried]

    def _thresholds_of_served_model(self, causes: list[str]) -> Thresholds | None:
        seen, known = self._seen or self._look(causes), self._thresholds
        try:
            model_arn = seen.model_arn if seen else None
            if model_arn is None:
                # Comprehend may not name the model of an endpoint that is bound to a flywheel.
                state = self.intake().read(STATE_KEY, ServingState)
                model_arn = state.model_arn if state else None
            if model_arn is None:
                return None
            if known is not None and known.model_arn != model_arn:
                known = None
            now = self.clock()
            if known is None or (not known.by_label and now - known.at > LACKING_FOR):
                found = thresholds_of(model_arn, intake=self.intake())
                known = self._thresholds = _KnownThresholds(model_arn=model_arn, by_label=found, at=now)
        except (ClientError, BotoCoreError, FlywheelError) as error:
            causes.append(_cause("GetObject", error))
        return known.by_label if known else None

    def _answers(self, tried: Sequence[_DocumentResult]) -> tuple[Prediction | Problem, ...]:
        state: ServingState | None = None
        if any(one.failure is ErrorCode.NO_ENDPOINT for one in tried):
            state = self.intake().read(STATE_KEY, ServingState)
        return tuple(
            one.prediction or _problem(one.failure or ErrorCode.INTERNAL_ERROR, number, state)
            for number, one in enumerate(tried)
        )


def _failure(error: ClientError) -> ErrorCode:
    code = error_code(error)
    if is_throttle(error):
        return ErrorCode.THROTTLED
    if code in UNAVAILABLE:
        return ErrorCode.NO_ENDPOINT
    if code in INVALID | {"TextSizeLimitExceededException"}:
        return ErrorCode.TEXT_REFUSED
    return ErrorCode.INTERNAL_ERROR


def _problem(code: ErrorCode, number: int, state: ServingState | None) -> Problem:
    match code:
        case ErrorCode.THROTTLED:
            return errors.throttled(number)
        case ErrorCode.NO_ENDPOINT:
            return errors.no_endpoint(state, number)
        case ErrorCode.TEXT_REFUSED:
            return errors.text_refused(number)
        case _:
            return errors.internal_error(number)


def _cause(operation: str, error: Exception) -> str:
    return f"{operation}: {error_code(error) if isinstance(error, ClientError) else type(error).__name__}"
