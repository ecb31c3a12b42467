"""The output of a classification job: what it says of each line, and what is wrong with it."""

from __future__ import annotations

import contextlib
import io
import json
import random
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.evaluation import (
    NO_SCORE,
    DoubledPrediction,
    InvalidPredictions,
    MissingPredictions,
    Predictions,
    read_predictions,
)

LABELS = ("WORLD", "SPORTS", "BUSINESS")

Answer = Mapping[str, Any]


class Forwards(io.BytesIO):
    """Can only be read on, in pieces smaller than asked for: as the body of an S3 object."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(size if size is None or size < 0 else min(size, 700))

    def seek(self, *_: object) -> int:
        raise io.UnsupportedOperation("seek")

    def tell(self) -> int:
        raise io.UnsupportedOperation("tell")


def archived(members: Mapping[str, bytes]) -> bytes:
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w:gz") as archive:
        folder = tarfile.TarInfo("output")
        folder.type = tarfile.DIRTYPE
        archive.addfile(folder)
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return target.getvalue()


def lines(answers: Sequence[Answer]) -> bytes:
    return b"".join(json.dumps(answer).encode() + b"\n" for answer in answers)


def classes(line: object, *, member: str = "Classes", file: str = "holdout.txt", **scores: float) -> Answer:
    return answered(line, scores, member=member, file=file)


def answered(
    line: object, scores: Mapping[str, float], *, member: str = "Classes", file: str = "holdout.txt"
) -> Answer:
    return {"File": file, "Line": line, member: [{"Name": name, "Score": score} for name, score in scores.items()]}


def read(answers: Sequence[Answer], *, documents: int, multi_label: bool = False) -> Predictions:
    return read_bytes(archived({"predictions.jsonl": lines(answers)}), documents=documents, multi_label=multi_label)


def read_bytes(archive: bytes, *, documents: int, multi_label: bool = False) -> Predictions:
    return read_predictions(Forwards(archive), documents=documents, labels=LABELS, multi_label=multi_label)


scores = st.fixed_dictionaries({label: st.integers(0, 4).map(lambda n: n / 4) for label in LABELS})


@settings(deadline=None, max_examples=50)
@given(st.lists(scores, min_size=1, max_size=20), st.randoms(use_true_random=False), st.integers(1, 3))
def test_one_label_is_the_best_of_its_line_in_whatever_order_and_files_lines_come(
    given: list[dict[str, float]], chance: random.Random, files: int
) -> None:
    answers = [answered(str(line), scored) for line, scored in enumerate(given)]
    chance.shuffle(answers)
    archive = archived({f"part-{n}": lines(answers[n::files]) for n in range(files)})
    predictions = read_bytes(archive, documents=len(given))
    # `max` keeps the first of equals.
    assert predictions.by_line == tuple(frozenset((max(LABELS, key=scored.__getitem__),)) for scored in given)
    assert predictions.errors == {}


@settings(deadline=None, max_examples=50)
@given(st.lists(scores, min_size=1, max_size=20))
def test_several_labels_are_those_at_or_above_one_half(given: list[dict[str, float]]) -> None:
    answers = [answered(str(line), scored, member="Labels") for line, scored in enumerate(given)]
    predictions = read(answers, documents=len(given), multi_label=True)
    assert predictions.by_line == tuple(
        frozenset(label for label, score in scored.items() if score >= 0.5) for scored in given
    )
    assert predictions.scores is not None
    for label in LABELS:
        assert list(predictions.scores.of(label)) == [scored.get(label, NO_SCORE) for scored in given]


def test_equal_scores_go_to_the_first_of_the_flywheels_labels() -> None:
    predictions = read([classes("0", BUSINESS=0.4, SPORTS=0.4, Weltall=0.4)], documents=1)
    assert predictions.by_line == (frozenset(("SPORTS",)),)


def test_a_score_of_any_size_is_a_number() -> None:
    assert read([classes("0", WORLD=10**400, SPORTS=0.5)], documents=1).by_line == (frozenset(("WORLD",)),)


def test_a_line_number_may_be_a_number_too() -> None:
    assert read([classes(0, WORLD=0.9)], documents=1).by_line == (frozenset(("WORLD",)),)


def test_a_label_of_an_earlier_generation_is_kept_and_will_count_as_wrong() -> None:
    assert read([classes("0", WORLD=0.1, Weltall=0.9)], documents=1).by_line == (frozenset(("Weltall",)),)


def test_a_model_may_name_no_class() -> None:
    assert read([classes("0")], documents=1).by_line == (frozenset(),)


def test_documents_that_comprehend_could_not_analyse_have_no_answer_and_are_reported() -> None:
    failed = {"File": "holdout.txt", "Line": "1", "ErrorCode": "DOCUMENT_SIZE_EXCEEDED", "ErrorMessage": "Too large."}
    predictions = read([classes("0", WORLD=0.9), failed, {**failed, "Line": "2"}], documents=3)
    assert predictions.by_line == (frozenset(("WORLD",)), frozenset(), frozenset())
    assert predictions.errors == {1: "DOCUMENT_SIZE_EXCEEDED", 2: "DOCUMENT_SIZE_EXCEEDED"}
    assert predictions.errors_by_code == {"DOCUMENT_SIZE_EXCEEDED": 2}


def test_blank_lines_say_nothing() -> None:
    content = b"\n" + lines([classes("0", WORLD=0.9)]) + b"\r\n  \n"
    assert read_bytes(archived({"output": content}), documents=1).by_line == (frozenset(("WORLD",)),)


def test_missing_lines_are_counted_and_the_first_is_named() -> None:
    with pytest.raises(MissingPredictions, match=r"lacks 2 of 4 lines \(the first is line 1\): run the job again"):
        read([classes("0", WORLD=0.9), classes("3", WORLD=0.9)], documents=4)


def test_a_line_answered_twice_is_refused() -> None:
    with pytest.raises(DoubledPrediction, match="answers line 1 twice"):
        read([classes("1", WORLD=0.9), classes("0", WORLD=0.9), classes("1", WORLD=0.9)], documents=2)


def test_an_error_and_an_answer_for_one_line_are_refused() -> None:
    with pytest.raises(DoubledPrediction, match="answers line 0 twice"):
        read([{"Line": "0", "ErrorCode": "INTERNAL_SERVER_ERROR"}, classes("0", WORLD=0.9)], documents=1)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"{", "predictions.jsonl, line 1: it is not JSON"),
        (b"\xff", "it is not JSON"),
        (b"[]", "it is not a JSON object"),
        (lines([classes("x", WORLD=0.9)]), "its Line is not a number"),
        (lines([classes(True, WORLD=0.9)]), "its Line is not a number"),
        (lines([{"File": "a.txt", "Classes": []}]), "must be run with ONE_DOC_PER_LINE"),
        (lines([classes("1", WORLD=0.9)]), "its Line is 1, but the hold-out has 1 lines"),
        (lines([classes("9" * 5_000, WORLD=0.9)]), "but the hold-out has 1 lines"),
        (lines([classes("-1", WORLD=0.9)]), "its Line is not a number"),
        (lines([classes(-1, WORLD=0.9)]), "its Line is -1"),
        (lines([classes("0", member="Labels", WORLD=0.9)]), "the flywheel's mode is MULTI_CLASS"),
        (lines([{"Line": "0"}]), "its Classes is not a list"),
        (lines([{"Line": "0", "Classes": ["WORLD"]}]), "not a Name with a Score"),
        (lines([{"Line": "0", "Classes": [{"Name": "WORLD", "Score": "0.9"}]}]), "not a Name with a Score"),
        (lines([classes("0", WORLD=float("nan"))]), "the Score of 'WORLD' is nan"),
        (lines([classes("0", WORLD=float("-inf"))]), "the Score of 'WORLD' is -inf"),
        (lines([{"File": 1, "Line": "0", "Classes": []}]), "its File is not a string"),
        (lines([classes("0", file="a"), classes("0", file="b")]), "about 'b', others are about 'a'"),
        (lines([{"ErrorCode": "ACCESS_DENIED", "ErrorMessage": "No."}]), "failed with ACCESS_DENIED: No."),
    ],
)
def test_output_that_is_not_as_described_is_refused_with_its_place(content: bytes, sentence: str) -> None:
    with pytest.raises(InvalidPredictions, match=sentence):
        read_bytes(archived({"predictions.jsonl": content}), documents=1)


def test_a_model_of_the_other_mode_is_refused() -> None:
    with pytest.raises(InvalidPredictions, match="the flywheel's mode is MULTI_LABEL"):
        read([classes("0", WORLD=0.9)], documents=1, multi_label=True)


def many_answers() -> bytes:
    chance = random.Random(1)
    answers = [answered(str(line), {label: chance.random() for label in LABELS}) for line in range(500)]
    return archived({"predictions.jsonl": lines(answers)})


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 0.99))
def test_an_archive_cut_short_is_refused(share: float) -> None:
    whole = many_answers()
    with pytest.raises(InvalidPredictions):
        read_bytes(whole[: int(len(whole) * share)], documents=500)


def test_a_damaged_archive_is_refused() -> None:
    whole = bytearray(many_answers())
    for place in range(len(whole) // 2, len(whole) // 2 + 50):
        whole[place] ^= 0xFF
    with pytest.raises(InvalidPredictions):
        read_bytes(bytes(whole), documents=500)


def test_what_is_no_archive_is_refused() -> None:
    with pytest.raises(InvalidPredictions, match=r"not a complete tar\.gz archive"):
        read_bytes(b"<Error><Code>AccessDenied</Code></Error>", documents=1)


@settings(deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(
                st.sampled_from(["File", "Line", "Classes", "Labels", "ErrorCode", "Name", "Score"]) | st.text(), inner
            )
        ),
    )
)
def test_any_json_is_read_or_refused_by_name(answer: Any) -> None:
    with contextlib.suppress(InvalidPredictions):
        assert len(read([answer], documents=1).by_line) == 1
