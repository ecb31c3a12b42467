"""`flywheel classify` against an API that is told what to answer: batches, repetition, every error as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import boto3
import pytest

from flywheel.api.messages import MOST_DOCUMENTS
from flywheel.comprehend.model_kind import ModelType
from ops.deployment.clients import Clients
from ops.deployment.errors import OperatorError
from ops.tables.classify import answers_table
from ops.tables.terminal import result_console
from ops.verbs.classify import (
    LONGEST_WAIT,
    MOST_WAITS,
    Answer,
    ClassifiedText,
    FoundEntity,
    RealTimeApi,
    RecognizedText,
    classify,
)

THROTTLED = {"error": {"code": "THROTTLED", "message": "full"}}


def document(text: str) -> dict[str, Any]:
    return {"label": text.upper(), "confidence": 0.9, "classes": [{"name": text.upper(), "score": 0.9}]}


def answered(documents: Sequence[Any], *, retry_after: float | None = None) -> Answer:
    return Answer(status=200, body={"model": {"arn": "arn:m"}, "documents": list(documents)}, retry_after=retry_after)


def refused(status: int, *, retry_after: float | None = None, **body: Any) -> Answer:
    return Answer(status=status, body=body, retry_after=retry_after)


class Api:
    """Answers by a script, then everything."""

    def __init__(self, *script: Answer, model_type: ModelType = ModelType.DOCUMENT_CLASSIFIER) -> None:
        real = RealTimeApi(url="", clients=Clients(boto3.Session()), model_type=model_type)
        self.result, self.most_text_bytes = real.result, real.most_text_bytes
        self.script = list(script)
        self.asked: list[list[str]] = []
        self.waited: list[float] = []

    def classify(self, documents: Sequence[str]) -> Answer:
        self.asked.append(list(documents))
        return self.script.pop(0) if self.script else answered([document(text) for text in documents])

    def results(self, *texts: str) -> list[ClassifiedText]:
        return list(classify(texts, api=self, pause=self.waited.append))  # type: ignore[arg-type]  # a fake


def test_up_to_25_a_request_in_order() -> None:
    api = Api()
    texts = [f"t{number}" for number in range(2 * MOST_DOCUMENTS + 3)]
    assert [result.labels for result in api.results(*texts)] == [(text.upper(),) for text in texts]
    assert [len(batch) for batch in api.asked] == [25, 25, 3]


def test_answers_come_before_all_is_read() -> None:
    api = Api()

    def endless() -> Any:
        yield from ["a"] * MOST_DOCUMENTS
        raise AssertionError("read further than the first request needs")

    first = next(classify(endless(), api=api, pause=api.waited.append))  # type: ignore[arg-type]  # a fake
    assert first == ClassifiedText(text="a", labels=("A",), confidence=0.9, scores={"A": 0.9}, model_arn="arn:m")


def test_labels_of_an_api_that_gives_no_thresholds_are_those_from_a_half_on() -> None:
    labels = [{"name": "A", "score": 0.8}, {"name": "B", "score": 0.5}, {"name": "C", "score": 0.49}]
    (result,) = Api(answered([{"labels": labels, "confidence": 0.5}])).results("x")
    assert (result.labels, result.scores) == (("A", "B"), {"A": 0.8, "B": 0.5, "C": 0.49})


def test_labels_are_those_that_the_api_says_yes_to() -> None:
    labels = [
        {"name": "A", "score": 0.8, "threshold": 0.9, "predicted": False},
        {"name": "B", "score": 0.3, "threshold": 0.2, "predicted": True},
    ]
    (result,) = Api(answered([{"labels": labels, "confidence": 0.5}])).results("x")
    assert (result.labels, result.scores) == (("B",), {"A": 0.8, "B": 0.3})


def test_a_throttled_request_is_sent_again_when_it_says() -> None:
    api = Api(refused(429, code="THROTTLED", retry_after=3), refused(429, retry_after=1e9))
    assert [result.labels for result in api.results("a")] == [("A",)]
    assert api.waited == [3, LONGEST_WAIT]


def test_only_throttled_documents_are_sent_again() -> None:
    broken = {"error": {"code": "TEXT_REFUSED", "message": "bad"}}
    api = Api(answered([document("a"), THROTTLED, broken], retry_after=2))
    results = api.results("a", "b", "c")
    assert [result.labels for result in results] == [("A",), ("B",), ()]
    assert (results[2].error, results[2].message, results[2].answered) == ("TEXT_REFUSED", "bad", False)
    assert (api.asked[1:], api.waited) == ([["b"]], [2])


def test_repetition_ends_without_progress() -> None:
    api = Api(*[refused(429, code="THROTTLED", message="full")] * 100)
    with pytest.raises(OperatorError, match="429 THROTTLED: full"):
        api.results("a")
    assert len(api.waited) == MOST_WAITS


def test_what_stays_throttled_is_told_beside_what_is_answered() -> None:
    api = Api(answered([document("a"), THROTTLED]), *[answered([THROTTLED])] * 100)
    assert [result.error for result in api.results("a", "b")] == [None, "THROTTLED"]


def test_a_text_that_is_too_long_is_not_sent() -> None:
    api = Api()
    with pytest.raises(OperatorError, match="Text 2 has 10,242 bytes"):
        api.results("a", "\u00e9" * 5121)
    assert api.asked == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            refused(403, code="ACCESS_DENIED", message="not authorized"),
            "CallersPolicyArn.*not authorized",
        ),
        (refused(403, Message="explicit deny"), "explicit deny"),
        (refused(503, code="NO_ENDPOINT", message="It is night.", since="2026"), "night. Since 2026"),
        (refused(503, code="NO_ENDPOINT", message="Nothing is wanted."), "Nothing is wanted.$"),
        (refused(502, message="Internal server error"), "502: Internal server error"),
        (refused(500, code="INTERNAL_ERROR", message="x"), "500 INTERNAL_ERROR: x"),
        (refused(504), "504: no reason given"),
    ],
)
def test_errors(answer: Answer, words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        Api(answer).results("a")


class TestRecognizer:
    ANNA = {"text": "Anna", "type": "PERSON", "begin": 2, "end": 6, "begin_utf16": 3, "end_utf16": 7, "score": 0.8}
    ROME = {"text": "Rome", "type": "PLACE", "begin": 10, "end": 14, "begin_utf16": 11, "end_utf16": 15, "score": 0.9}

    def api(self, *script: Answer) -> Api:
        return Api(*script, model_type=ModelType.ENTITY_RECOGNIZER)

    def test_the_entities_of_each_text(self) -> None:
        found = [{"entities": [self.ANNA, self.ROME], "confidence": 0.8}, {"entities": [], "confidence": 1}]
        first, second = self.api(answered(found)).results("\U0001f600 Anna in Rome", "nobody")
        assert isinstance(first, RecognizedText)
        assert (first.labels, first.confidence, first.model_arn) == (("PERSON", "PLACE"), 0.8, "arn:m")
        assert [entity.model_dump() for entity in first.entities] == [self.ANNA, self.ROME]
        assert (second.labels, second.confidence, second.answered) == ((), 1, True)

    def test_as_json(self) -> None:
        (result,) = self.api(answered([{"entities": [self.ANNA], "confidence": 0.8}])).results("x")
        assert result.model_dump(mode="json", exclude_none=True) == {
            "text": "x",
            "labels": ["PERSON"],
            "confidence": 0.8,
            "model_arn": "arn:m",
            "entities": [self.ANNA],
        }

    def test_members_that_a_later_api_adds_are_ignored(self) -> None:
        (result,) = self.api(answered([{"entities": [{**self.ANNA, "id": 1}], "confidence": 0.8}])).results("x")
        assert isinstance(result, RecognizedText)
        assert result.entities == (FoundEntity.model_validate(self.ANNA),)

    def test_what_is_throttled_is_sent_again(self) -> None:
        api = self.api(answered([THROTTLED]), answered([{"entities": [self.ANNA], "confidence": 0.8}]))
        assert [result.labels for result in api.results("x")] == [("PERSON",)]

    def test_a_text_without_an_answer_is_of_the_same_kind(self) -> None:
        (result,) = self.api(answered([{"error": {"code": "TEXT_REFUSED", "message": "bad"}}])).results("x")
        assert isinstance(result, RecognizedText)
        assert (result.error, result.answered) == ("TEXT_REFUSED", False)

    def test_its_texts_are_shorter(self) -> None:
        with pytest.raises(OperatorError, match="Text 1 has 5,001 bytes in UTF-8, and Comprehend takes 5,000"):
            self.api().results("x" * 5001)


@pytest.mark.parametrize(
    ("model_type", "path"), [(ModelType.DOCUMENT_CLASSIFIER, "/classify"), (ModelType.ENTITY_RECOGNIZER, "/entities")]
)
def test_the_route_is_the_kinds(monkeypatch: pytest.MonkeyPatch, model_type: ModelType, path: str) -> None:
    asked: list[tuple[str, str, Any]] = []
    monkeypatch.setattr(RealTimeApi, "request", lambda _, *request: asked.append(request))
    RealTimeApi(url="", clients=Clients(boto3.Session()), model_type=model_type).classify(["a"])
    assert asked == [("POST", path, {"documents": ["a"]})]


def test_a_row_for_each_entity_and_for_each_text_without(capsys: pytest.CaptureFixture[str]) -> None:
    anna = FoundEntity.model_validate(TestRecognizer.ANNA)
    results = [
        RecognizedText(text="\U0001f600 Anna", confidence=0.8, entities=(anna,), model_arn="arn:m/names/version/v1"),
        RecognizedText(text="nobody", confidence=1),
        RecognizedText(text="x", error="TEXT_REFUSED", message="bad"),
    ]
    result_console().print(answers_table(results))
    # Some terminals get a line below the heading.
    lines = [line for line in capsys.readouterr().out.splitlines() if set(line) - set("\u2500\u2501 -")]
    assert [line.split() for line in lines][:4] == [
        ["In", "Entity", "Type", "Begin", "End", "Score"],
        ["\U0001f600", "Anna", "Anna", "PERSON", "2", "6", "0.8000"],
        ["nobody", "none", "-", "-", "-", "-"],
        ["x", "TEXT_REFUSED:", "bad", "-", "-", "-", "-"],
    ]
