"""A request classifier with an endpoint, a bucket and a time that are told what to do."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Lock, local
from typing import Any

from botocore.exceptions import ClientError

from flywheel.api.classify_api import Classified, RequestClassifier
from flywheel.api.keep_predictions import Keep, KeepingRules
from flywheel.comprehend.live_endpoint import EndpointSnapshot, LiveEndpoint
from flywheel.document_classification.answer import Classification
from flywheel.document_classification.real_time import REAL_TIME
from flywheel.records.predictions import KeptPrediction
from flywheel.records.review import Place, WaitingItem

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
SURE = Classification.of((("CALM", 0.9), ("STORM", 0.1)), multi_label=False)


def failure(code: str, status: int = 400, operation: str = "ClassifyDocument") -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no text here"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # only the members that are read
        operation,
    )


class Time(local):
    """Passes for a thread only while that thread waits."""

    longest = [0.0]

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def elapsed(self) -> float:
        return self.seconds

    def wait(self, seconds: float) -> None:
        self.seconds += seconds
        self.longest[0] = max(self.longest[0], self.seconds)


class Endpoint(LiveEndpoint):
    """Answers each text by a script: predictions and errors in turn, the last one for ever."""

    operation = REAL_TIME.operation

    def __init__(self, time: Time, **script: list[Any]) -> None:
        self.arn = "arn:endpoint"
        self.script = {text: list(answers) for text, answers in script.items()}
        self.models: list[Any] = ["arn:model"]
        self.asked: Counter[str] = Counter()
        self.looked = 0
        self.takes = 0.0
        self._time = time
        self._turn = Lock()

    def classify(self, text: str) -> Classification:
        with self._turn:
            self.asked[text] += 1
            answers = self.script.get(text, [SURE])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self._time.wait(self.takes)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, Classification)
        return answer

    def look(self) -> EndpointSnapshot | None:
        self.looked += 1
        model = self.models.pop(0) if len(self.models) > 1 else self.models[0]
        if isinstance(model, Exception):
            raise model
        if model is None:
            return None
        return EndpointSnapshot(
            at=self._time.now(),
            status="IN_SERVICE",
            model_arn=model or None,
            desired_model_arn=model or None,
            inference_units=1,
        )


class Bucket:
    """Keeps records. If it is `broken`, reads and writes fail."""

    def __init__(self) -> None:
        self.records: dict[str, Any] = {}
        self.reads: Counter[str] = Counter()
        self.broken = False
        self.writes: Counter[str] = Counter()

    def exists(self, key: str) -> bool:
        return key in self.records

    def write(self, key: str, record: Any) -> None:
        if self.broken:
            raise failure("AccessDenied", 403, "PutObject")
        self.writes[key] += 1
        self.records[key] = record

    def write_once(self, key: str, record: Any) -> bool:
        if self.broken:
            raise failure("AccessDenied", 403, "PutObject")
        return self.records.setdefault(key, record) is record

    def read(self, key: str, _kind: Any) -> Any:
        self.reads[key] += 1
        if self.broken:
            raise failure("AccessDenied", 403, "GetObject")
        return self.records.get(key)


class Scene:
    rules = KeepingRules(keep=Keep.LOW_CONFIDENCE, threshold=0.7)

    def __init__(self, rules: KeepingRules = rules, /, **script: list[Any]) -> None:
        self.time = Time()
        self.time.longest[0] = 0.0
        self.endpoint = Endpoint(self.time, **script)
        self.bucket = Bucket()
        self.classifying = RequestClassifier(
            endpoint=self.endpoint,
            intake=lambda: self.bucket,  # type: ignore[arg-type, return-value]  # a fake
            rules=rules,
            clock=self.time.now,
            elapsed=self.time.elapsed,
            pause=self.time.wait,
        )

    @property
    def waited(self) -> float:
        """How long the answer took."""
        return self.time.longest[0]

    def classify(self, *texts: str) -> Classified:
        return self.classifying.classify(texts)

    @property
    def kept(self) -> list[KeptPrediction]:
        return [record for record in self.bucket.records.values() if isinstance(record, KeptPrediction)]

    @property
    def queue(self) -> list[tuple[Place, WaitingItem]]:
        """In the order in which its lanes are served."""
        found = []
        for key, record in sorted(self.bucket.records.items()):
            place = Place.of_key(key)
            if place is not None:
                found.append((place, record))
        return found
