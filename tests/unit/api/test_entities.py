"""`POST /entities`: the routes of a recognizer's API, from API Gateway's event to DetectEntities and back."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from threading import Lock
from typing import Any, cast

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.api.classify_api import Classified, RequestClassifier
from flywheel.api.describe_model import describe_model
from flywheel.api.keep_predictions import Keep, KeepingRules
from flywheel.comprehend.live_endpoint import LiveEndpoint
from flywheel.comprehend.model import ModelService
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.records.predictions import PREDICTIONS, KeptPrediction, prediction_id
from flywheel.records.review import WAITING, WaitingItem
from flywheel.store.parameters import PublishedActive
from flywheel.store.record import Record
from handlers.api.classify_routes import routes

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
ARN = "arn:aws:comprehend:eu-west-1:111122223333:entity-recognizer-endpoint/live"
MODEL = "arn:aws:comprehend:eu-west-1:111122223333:entity-recognizer/names/version/v1"
TEXT = "\U0001f600 Anna met Max in Rome"


def entity(text: str, kind: str, begin: int, score: float = 0.9, **other: Any) -> dict[str, Any]:
    return {"Text": text, "Type": kind, "BeginOffset": begin, "EndOffset": begin + len(text), "Score": score, **other}


class Comprehend:
    """The client. Answers each text by a script: entities and errors in turn, the last one for ever."""

    def __init__(self, **script: list[Any]) -> None:
        self.script = script
        self.calls: list[dict[str, Any]] = []
        self._turn = Lock()

    def detect_entities(self, **request: Any) -> dict[str, Any]:
        with self._turn:
            self.calls.append(request)
            answers = self.script.get(request["Text"], [[]])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {"Entities": answer}

    def describe_entity_recognizer(self, **_: Any) -> dict[str, Any]:
        found = {
            "EntityRecognizerArn": MODEL,
            "Status": "TRAINED",
            "SubmitTime": NOW,
            # From 0 to 100, as Comprehend scores these models.
            "RecognizerMetadata": {"EvaluationMetrics": {"Precision": 90.0, "Recall": 80.0, "F1Score": 84.7}},
        }
        return {"EntityRecognizerProperties": found}

    def describe_endpoint(self, **_: Any) -> dict[str, Any]:
        return {"EndpointProperties": {"Status": "IN_SERVICE", "ModelArn": MODEL}}


class Bucket:
    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}

    def write_once(self, key: str, record: Record) -> bool:
        self.stored[key] = record.to_json()
        return True

    def exists(self, key: str) -> bool:
        return key in self.stored

    def write(self, key: str, record: Record) -> None:
        self.stored[key] = record.to_json()

    def read(self, _key: str, _kind: Any) -> None:
        return None


class Api:
    endpoint_arn = ARN

    def __init__(self, **script: list[Any]) -> None:
        self.comprehend = Comprehend(**script)
        self.bucket = Bucket()
        self.seconds = 0.0
        self.last: Classified | None = None
        self._classifying = RequestClassifier(
            endpoint=LiveEndpoint(
                comprehend=self.comprehend,  # type: ignore[arg-type]  # a fake
                kind=ENTITY_RECOGNITION,
                arn=ARN,
                clock=lambda: NOW,
            ),
            intake=lambda: self.bucket,  # type: ignore[arg-type, return-value]  # a fake
            rules=KeepingRules(keep=Keep.LOW_CONFIDENCE, threshold=0.7),
            clock=lambda: NOW,
            elapsed=lambda: self.seconds,
            pause=self._wait,
        )
        self._routes = routes(self, real_time=ENTITY_RECOGNITION.real_time)

    def _wait(self, seconds: float) -> None:
        self.seconds += seconds

    def classify(self, texts: Any) -> Classified:
        self.last = self._classifying.classify(texts)
        return self.last

    def describe_model(self) -> Any:
        return describe_model(
            endpoint=self._classifying.endpoint,
            models=ModelService(comprehend=cast("Any", self.comprehend), kind=ENTITY_RECOGNITION),
            intake=cast("Any", self.bucket),
            published=cast("Any", self),
        )

    def active_since(self) -> PublishedActive:
        return PublishedActive(arn=MODEL, since=NOW)

    def post(self, body: Any) -> tuple[int, dict[str, Any], dict[str, Any]]:
        return self.request("POST", "/entities", json.dumps(body))

    def request(self, verb: str, path: str, body: str | None = None) -> tuple[int, dict[str, Any], dict[str, Any]]:
        event = {
            "resource": path,
            "path": path,
            "httpMethod": verb,
            "headers": {"Content-Type": "application/json"},
            "requestContext": {"stage": "live", "path": f"/live{path}"},
            "body": body,
            "isBase64Encoded": False,
        }
        answer = self._routes.resolve(event, None)  # type: ignore[arg-type]  # no context is read
        return answer["statusCode"], json.loads(answer["body"]), answer["multiValueHeaders"]

    def documents(self, *texts: str) -> list[dict[str, Any]]:
        status, body, _ = self.post({"documents": texts})
        assert status == 200, body
        found: list[dict[str, Any]] = body["documents"]
        return found


def failure(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no text here"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # only the members that are read
        "DetectEntities",
    )


class TestAnswer:
    def test_has_the_entities_in_the_order_of_the_text(self) -> None:
        api = Api(**{TEXT: [[entity("Rome", "PLACE", 18, 0.95), entity("Anna", "PERSON", 2, 0.8)]]})
        status, body, headers = api.post({"text": TEXT})
        assert status == 200
        assert "Retry-After" not in headers
        assert (body["endpoint_arn"], body["model"]["arn"]) == (ARN, MODEL)
        assert body["documents"] == [
            {
                "entities": [
                    {
                        "text": "Anna",
                        "type": "PERSON",
                        "begin": 2,
                        "end": 6,
                        "begin_utf16": 3,
                        "end_utf16": 7,
                        "score": 0.8,
                    },
                    {
                        "text": "Rome",
                        "type": "PLACE",
                        "begin": 18,
                        "end": 22,
                        "begin_utf16": 19,
                        "end_utf16": 23,
                        "score": 0.95,
                    },
                ],
                "confidence": 0.8,
                "prediction_id": prediction_id(TEXT, at=NOW),
                "kept": False,
            }
        ]
        assert api.comprehend.calls == [{"EndpointArn": ARN, "Text": TEXT}]

    def test_without_entities_is_an_answer(self) -> None:
        found = Api().documents("nobody", "nothing")
        assert [(each["entities"], each["confidence"], each["kept"]) for each in found] == [([], 1, False)] * 2

    @settings(deadline=None)
    @given(st.text(alphabet="ab \u00e9\uffff\U0001f600", min_size=1, max_size=30).filter(str.strip), st.data())
    def test_offsets_are_those_of_a_browser(self, text: str, data: st.DataObject) -> None:
        begin = data.draw(st.integers(0, len(text) - 1))
        end = data.draw(st.integers(begin + 1, len(text)))
        prediction = LiveEndpoint(
            comprehend=Comprehend(**{text: [[entity(text[begin:end], "X", begin)]]}),  # type: ignore[arg-type]  # a fake
            kind=ENTITY_RECOGNITION,
            arn=ARN,
            clock=lambda: NOW,
        ).classify(text)
        (found,) = prediction.answered(prediction_id="", kept=False).model_dump()["entities"]
        units = text.encode("utf-16-le")
        assert text[found["begin"] : found["end"]] == found["text"] == text[begin:end]
        assert units[2 * found["begin_utf16"] : 2 * found["end_utf16"]].decode("utf-16-le") == found["text"]

    def test_offsets_that_do_not_fit_follow_comprehends_own_quotation(self) -> None:
        # Out of order after all: what stood second is first in the text.
        wrong = [entity("Rome", "PLACE", 19), entity("Anna", "PERSON", 90)]
        (document,) = Api(**{TEXT: [wrong]}).documents(TEXT)
        assert [(found["text"], found["begin"], found["end"]) for found in document["entities"]] == [
            ("Anna", 2, 6),
            ("Rome", 18, 22),
        ]

    @pytest.mark.parametrize(
        "answer",
        [
            [entity("Paris", "PLACE", 90)],
            [entity("Anna", "PERSON", 2), entity("Paris", "PLACE", 20)],
            [entity("Anna", "PERSON", -1)],
            [entity("Anna", "PERSON", 2, score=float("nan"))],
            [{"Type": "PERSON"}],
            None,
        ],
    )
    def test_an_entity_that_cannot_be_placed_costs_its_own_document_and_no_other(self, answer: Any) -> None:
        api = Api(**{TEXT: [answer], "Max": [[entity("Max", "PERSON", 0)]]})
        first, second = api.documents(TEXT, "Max")
        assert (first["error"]["code"], first["error"]["document"]) == ("INTERNAL_ERROR", 0)
        assert second["entities"][0]["text"] == "Max"
        assert api.last is not None
        (cause,) = api.last.causes
        assert cause in {"DetectEntities: EntityOutsideText", "DetectEntities: InvalidPredictions"}
        # Once: Comprehend would answer the same again.
        assert len(api.comprehend.calls) == 2


class TestErrors:
    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({}, "INVALID_REQUEST"),
            ({"text": "a", "documents": ["a"]}, "INVALID_REQUEST"),
            ({"text": " "}, "TEXT_EMPTY"),
            ({"documents": []}, "TEXT_EMPTY"),
            ({"documents": ["a"] * 26}, "TOO_MANY_DOCUMENTS"),
            ({"text": "\ud83d"}, "INVALID_REQUEST"),
        ],
    )
    def test_are_those_of_classification(self, body: Any, code: str) -> None:
        api = Api()
        status, answer, _ = api.post(body)
        assert (status, answer["code"], api.comprehend.calls) == (400, code, [])

    def test_the_longest_text(self) -> None:
        api = Api()
        assert api.post({"text": "\u00e9" * 2500})[0] == 200
        status, body, _ = api.post({"documents": ["a", "\u00e9" * 2500 + "a"]})
        assert (status, body["code"]) == (400, "TEXT_TOO_LONG")
        assert (body["document"], body["bytes"], body["limit"]) == (1, 5001, 5000)
        assert len(api.comprehend.calls) == 1

    def test_throttling_is_tried_again_and_then_answered_with_a_time(self) -> None:
        throttled = failure("ThrottlingException")
        api = Api(a=[throttled, [entity("a", "X", 0)]], b=[throttled])
        first, second = api.documents("a", "b")
        assert first["entities"][0]["type"] == "X"
        assert second["error"]["code"] == "THROTTLED"
        status, _, headers = Api(b=[throttled]).post({"text": "b"})
        assert (status, headers["Retry-After"]) == (429, ["1"])

    @pytest.mark.parametrize(
        ("code", "status", "answer"),
        [
            ("TextSizeLimitExceededException", 400, (400, "TEXT_REFUSED")),
            ("UnsupportedLanguageException", 400, (500, "INTERNAL_ERROR")),
            ("ResourceUnavailableException", 400, (503, "NO_ENDPOINT")),
            ("InternalServerException", 500, (500, "INTERNAL_ERROR")),
        ],
    )
    def test_of_comprehend(self, code: str, status: int, answer: tuple[int, str]) -> None:
        api = Api(a=[failure(code, status)])
        given_status, body, _ = api.post({"text": "a"})
        assert (given_status, body["code"]) == answer
        assert api.last is not None
        assert api.last.causes == (f"DetectEntities: {code}",)


class TestModel:
    def test_has_its_scores_from_0_to_1(self) -> None:
        status, body, _ = Api().request("GET", "/model")
        assert status == 200
        assert body["active_model"]["arn"] == body["endpoint"]["model_arn"] == MODEL
        scores = body["active_model"]["scores"]
        assert [scores[name] for name in ("Precision", "Recall", "F1Score")] == pytest.approx([0.9, 0.8, 0.847])


class TestReview:
    def test_a_document_whose_least_certain_entity_is_below_the_threshold_is_stored(self) -> None:
        api = Api(**{TEXT: [[entity("Anna", "PERSON", 2, 0.6), entity("Rome", "PLACE", 18, 0.95)]]})
        api.documents(TEXT, "nobody")
        (key,) = [key for key in api.bucket.stored if key.startswith(f"{PREDICTIONS}2026-11-21/")]
        record = KeptPrediction.model_validate_json(api.bucket.stored[key])
        suggestion = record.suggestion
        assert (record.text, suggestion.confidence, suggestion.margin) == (TEXT, 0.6, 0.6)
        assert (record.endpoint_arn, suggestion.model_arn) == (ARN, MODEL)
        assert [(TEXT[found.begin : found.end], found.type, found.score) for found in suggestion.entities] == [
            ("Anna", "PERSON", 0.6),
            ("Rome", "PLACE", 0.95),
        ]
        assert (suggestion.predictions, suggestion.labels) == ((), ("2:6:PERSON", "18:22:PLACE"))
        (waiting,) = [stored for key, stored in api.bucket.stored.items() if key.startswith(WAITING)]
        assert WaitingItem.model_validate_json(waiting).suggestion == suggestion
