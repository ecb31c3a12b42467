from __future__ import annotations

import csv
import io
from collections import Counter
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.comprehend.document_classification.training_data import Document, LabelRules, documents, inspect
from local.comprehend.document_split import held_out
from local.comprehend.training_data import DataFile, DataSource, InvalidTrainingDataError, Part

LABELS = ("A", "B b", 'C,"c"', "D;d")
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00"), min_size=1).filter(str.strip)
ROWS = st.lists(st.tuples(st.sampled_from([*LABELS, "unknown"]), ANY_TEXT), min_size=1, max_size=30)

in_one_folder = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)


def written(folder: Path, rows: list[tuple[str, str]], *, line_end: str = "\n") -> DataFile:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows(rows)
    path = folder / "documents.csv"
    path.write_bytes(text.getvalue().encode())
    return csv_file(path)


def csv_file(path: Path) -> DataFile:
    return DataFile(path=path, name=path.name, source=DataSource(uri="s3://bucket/", part=Part.ROWS))


@in_one_folder
@given(rows=ROWS, line_end=st.sampled_from(["\n", "\r\n"]))
def test_reads_what_a_csv_writer_writes(tmp_path: Path, rows: list[tuple[str, str]], line_end: str) -> None:
    file = written(tmp_path, rows, line_end=line_end)
    rules = LabelRules(known=frozenset(LABELS), multi_label=False)
    known = [Document(labels=(label,), text=text) for label, text in rows if label in LABELS]
    assert list(documents([file], rules=rules)) == known
    contents = inspect([file], rules=rules, maximum_documents=1000, maximum_document_bytes=1000)
    assert contents.documents == len(rows)
    assert contents.dropped_documents == len(rows) - len(known)
    assert contents.per_label == Counter(document.labels[0] for document in known)


@in_one_folder
@given(labels=st.lists(st.sampled_from(["A", "B", "C", "unknown"]), min_size=1, max_size=5))
def test_labels_of_one_document(tmp_path: Path, labels: list[str]) -> None:
    file = written(tmp_path, [("|".join(labels), "text")])
    rules = LabelRules(known=frozenset("ABC"), multi_label=True)
    expected = tuple(sorted(set(labels) - {"unknown"}))
    assert [document.labels for document in documents([file], rules=rules)] == ([expected] if expected else [])


def test_without_a_label_list_every_label_counts(tmp_path: Path) -> None:
    file = written(tmp_path, [("whatever", "text")])
    rules = LabelRules(known=None, multi_label=False)
    assert list(documents([file], rules=rules)) == [Document(labels=("whatever",), text="text")]


@pytest.mark.parametrize(
    ("raw", "where"), [(b"A,x\ry\n", "line 1"), (b'A,x\nB,"y\nz\n', "line 3"), (b"A,\xff\n", "line 1")]
)
def test_bad_bytes_are_reported_with_their_line(tmp_path: Path, raw: bytes, where: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_bytes(raw)
    file = csv_file(path)
    with pytest.raises(InvalidTrainingDataError, match=f"bad.csv, {where}:"):
        inspect(
            [file],
            rules=LabelRules(known=None, multi_label=False),
            maximum_documents=10,
            maximum_document_bytes=100,
        )


LABELLED = st.lists(
    st.builds(
        Document,
        labels=st.sets(st.sampled_from("ABCD"), min_size=1).map(lambda labels: tuple(sorted(labels))),
        text=st.text(max_size=5),
    ),
    max_size=120,
)


@settings(deadline=None)
@given(everything=LABELLED, chance=st.randoms(use_true_random=False))
def test_split_keeps_every_document_and_ignores_their_order(everything: list[Document], chance: Random) -> None:
    shuffled = list(everything)
    chance.shuffle(shuffled)
    training, testing = held_out(everything)
    assert Counter([*training, *testing]) == Counter(everything)
    assert held_out(shuffled) == (training, testing)


@settings(deadline=None)
@given(sizes=st.dictionaries(st.sampled_from("ABC"), st.integers(min_value=2, max_value=70), min_size=1))
def test_split_holds_out_a_tenth_of_each_label(sizes: dict[str, int]) -> None:
    everything = [Document(labels=(label,), text=str(n)) for label, size in sizes.items() for n in range(size)]
    _, testing = held_out(everything)
    held = Counter(document.labels[0] for document in testing)
    assert held == {label: max(1, round(size / 10)) for label, size in sizes.items()}


def test_split_mostly_keeps_to_its_choice_when_documents_are_added() -> None:
    first = [Document(labels=("A",), text=f"first {n}") for n in range(500)]
    added = [Document(labels=("A",), text=f"second {n}") for n in range(500)]
    _, before = held_out(first)
    training, after = held_out(first + added)
    # What the earlier model was trained on must not become what it is scored on.
    leaked = set(after) & (set(first) - set(before))
    assert len(leaked) <= len(after) / 10
    assert len(training) == 900
