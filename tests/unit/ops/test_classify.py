"""`flywheel classify` against an API that is told what to answer: batches, repetition, every error as a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from flywheel.api.messages import MOST_DOCUMENTS
from ops.deployment.errors import OperatorError
from ops.verbs.classify import LONGEST_WAIT, MOST_WAITS, Answer, ClassifiedText, classify

THROTTLED = {"error": {"code": "THROTTLED", "message": "full"}}


def document(text: str) -> dict[str, Any]:
    return {"label": text.upper(), "confidence": 0.9, "classes": [{"name": text.upper(), "score": 0.9}]}


def answered(documents: Sequence[Any], *, retry_after: float | None = None) -> Answer:
    return Answer(status=200, body={"model": {"arn": "arn:m"}, "documents": list(documents)}, retry_after=retry_after)


def refused(status: int, *, retry_after: float | None = None, **body: Any) -> Answer:
    return Answer(status=status, body=body, retry_after=retry_after)


class Api:
    """Answers by a script, then everything."""

    def __init__(self, *script: Answer) -> None:
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


def test_labels_that_go_together_are_those_from_a_half_on() -> None:
    labels = [{"name": "A", "score": 0.8}, {"name": "B", "score": 0.5}, {"name": "C", "score": 0.49}]
    (result,) = Api(answered([{"labels": labels, "confidence": 0.5}])).results("x")
    assert (result.labels, result.scores) == (("A", "B"), {"A": 0.8, "B": 0.5, "C": 0.49})


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
