from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from flywheel.smoke_test import (
    MOST_DOCUMENTS,
    LabelledLine,
    SmokeTest,
    SmokeTestImpossible,
    Trial,
    read_lines,
    trial_of,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
LABELS = ("CALM", "STORM")


def read(content: str | bytes, *, delimiter: str | None = None) -> list[LabelledLine]:
    given = content.encode() if isinstance(content, str) else content
    return read_lines(given, key="serving/smoke.csv", labels=LABELS, delimiter=delimiter)


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
    assert [(*line.labels, line.text) for line in lines] == [("CALM", 'a lake, at "dawn"'), ("STORM", "two\nlines")]


def test_reads_several_labels_of_a_document() -> None:
    assert read("CALM|STORM,both\n", delimiter="|")[0].labels == {"CALM", "STORM"}


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"CALM,\xff\n", "not UTF-8: byte 5"),
        ("", "0 documents; a smoke test takes 1 to"),
        ("CALM,a\nFOG,b\n", "line 2: FOG is not among the flywheel's labels"),
        ("CALM,a\nSTORM\n", "line 2: a line holds a label and a text"),
        ("CALM, \n", "line 1: a line holds a label and a text"),
        ("CALM,a,b\n", "line 1: a line holds a label and a text"),
        ('CALM,"a\n', "line 1"),
        ("CALM,a\n" * (MOST_DOCUMENTS + 1), f"{MOST_DOCUMENTS + 1} documents"),
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
    assert a_smoke_test(right=7).sentence == (
        "The smoke test failed: 7 of 10 documents of smoke.csv are right, at least 80% have to be."
    )


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
