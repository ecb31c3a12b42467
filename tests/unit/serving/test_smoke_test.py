from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest

from flywheel.comprehend.live_endpoint import LiveEndpoint
from flywheel.comprehend.model_kind import Task
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.preparation import LabelledDocument
from flywheel.records.serving import SmokeTest, WrongLine
from flywheel.serving.smoke_test import (
    MOST_CHARACTERS,
    MOST_DOCUMENTS,
    SmokeTestImpossible,
    Trial,
    ask_endpoint,
    read_documents,
    result_of,
    trial_of,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LABELS = ("CALM", "STORM")


def read(content: str | bytes, *, delimiter: str | None = None) -> list[LabelledDocument]:
    given = content.encode() if isinstance(content, str) else content
    task = Task(labels=LABELS, multi_label=delimiter is not None)
    return read_documents(
        given, key="serving/smoke.csv", kind=DOCUMENT_CLASSIFICATION, task=task, delimiter=delimiter or "|"
    )


def a_smoke_test(*, right: int = 9, documents: int = 10, minimum: float = 0.8) -> SmokeTest:
    return SmokeTest(
        model_arn="model",
        endpoint_arn="endpoint",
        key="smoke.csv",
        documents=documents,
        right=right,
        minimum=minimum,
        at=NOW,
    )


def test_reads_labels_and_texts_as_uploads_have_them() -> None:
    lines = read('\ufeffCALM,"a lake, at ""dawn"""\r\nSTORM,"two\nlines"\r\n')
    assert [(*line.labels, line.text) for line in lines] == [("CALM", 'a lake, at "dawn"'), ("STORM", "two lines")]


def test_takes_as_much_text_as_one_unit_answers_in_the_functions_time() -> None:
    assert len(read(f"CALM,{'b' * MOST_CHARACTERS}\n")) == 1
    assert MOST_CHARACTERS / 100 + MOST_DOCUMENTS / 2 < 15 * 60


def test_reads_several_labels_of_a_document() -> None:
    assert read("CALM|STORM,both\n", delimiter="|")[0].labels == ("CALM", "STORM")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"CALM,\xff\n", "line 1: The line is not UTF-8"),
        ("", "0 documents; a smoke test takes 1 to"),
        ("CALM,a\nFOG,b\n", 'line 2: Label "FOG" is not one of the flywheel\'s labels'),
        ("CALM,a\nSTORM\n", "line 2: The line has 1 column(s)"),
        ("CALM, \n", "line 1: The text is empty"),
        ("CALM,a,b\n", "line 1: The line has 3 column(s)"),
        ('CALM,"a\n', "line 1"),
        ("CALM,a\n" * (MOST_DOCUMENTS + 1), f"{MOST_DOCUMENTS + 1} documents"),
        (f"CALM,a\nSTORM,{'b' * MOST_CHARACTERS}\n", f"{MOST_CHARACTERS + 1} characters"),
    ],
)
def test_says_what_is_wrong_with_the_file_and_where(content: str | bytes, problem: str) -> None:
    with pytest.raises(SmokeTestImpossible, match=r"serving/smoke\.csv") as raised:
        read(content)
    assert problem in str(raised.value)


def test_the_minimum_itself_is_enough() -> None:
    assert a_smoke_test(right=8).passed
    assert not a_smoke_test(right=7).passed
    assert a_smoke_test(right=0, minimum=0).passed
    assert a_smoke_test(right=11, documents=20, minimum=0.55).passed
    assert a_smoke_test(right=7).sentence == (
        "The smoke test failed: 7 of 10 documents of smoke.csv are right, at least 80% have to be."
    )


class Endpoint:
    """Answers with the scores that a text is made of."""

    def __init__(self, member: str) -> None:
        self._member = member

    def classify_document(self, **asked: str) -> dict[str, Any]:
        pairs = (item.split("=") for item in asked["Text"].split())
        return {self._member: [{"Name": name, "Score": float(score)} for name, score in pairs]}


@pytest.mark.parametrize(
    ("member", "text", "answered"),
    [
        ("Classes", "CALM=0.2 STORM=0.4", ("STORM",)),
        ("Classes", "STORM=0.4 CALM=0.2", ("STORM",)),
        ("Labels", "CALM=0.6 STORM=0.5", ("CALM", "STORM")),
        ("Labels", "CALM=0.4 STORM=0.9", ("STORM",)),
        ("Labels", "CALM=0.4 STORM=0.3", ()),
    ],
)
@pytest.mark.parametrize("expected", [("STORM",), ("CALM", "STORM")])
def test_a_document_is_right_if_its_labels_are_those_and_no_others(
    member: str, text: str, answered: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    answers = ask_endpoint(
        [LabelledDocument(line=7, labels=expected, text=text)],
        endpoint=LiveEndpoint(
            comprehend=cast("Any", Endpoint(member)), kind=DOCUMENT_CLASSIFICATION, arn="endpoint", clock=lambda: NOW
        ),
    )
    tested = result_of(
        answers,
        model_arn="model",
        endpoint_arn="endpoint",
        key="smoke.csv",
        minimum=1,
        now=NOW,
    )
    assert tested.passed is (answered == expected)
    assert tested.wrong == (() if tested.passed else (WrongLine(line=7, expected=expected, answered=answered),))


class TestTrial:
    def test_once_for_each_model_and_file(self) -> None:
        known = a_smoke_test()
        assert trial_of(tested=known, key="smoke.csv", since=None) is Trial.DONE
        assert trial_of(tested=known, key="another.csv", since=None) is Trial.DUE
        assert trial_of(tested=None, key="smoke.csv", since=None) is Trial.DUE

    def test_again_in_a_later_promotion_of_the_same_model(self) -> None:
        assert trial_of(tested=a_smoke_test(), key="smoke.csv", since=NOW + timedelta(seconds=1)) is Trial.DUE
        assert trial_of(tested=a_smoke_test(), key="smoke.csv", since=NOW - timedelta(seconds=1)) is Trial.DONE

    def test_never_without_a_file(self) -> None:
        assert trial_of(tested=a_smoke_test(), key="", since=None) is Trial.NOT_WANTED
        assert trial_of(tested=None, key="", since=None) is Trial.NOT_WANTED
