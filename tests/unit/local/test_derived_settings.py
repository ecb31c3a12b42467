"""What a walk with a user's own files takes from them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from local.derived_settings import context_of, derive_settings, parameters_of
from local.held_out import read_documents
from ops.deployment.errors import FileError
from ops.verbs.file_labels import Kind


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def derive(
    *paths: Path,
    labels: list[str] | None = None,
    mode: str | None = None,
    confirm: Callable[[str], bool] | None = None,
) -> tuple[list[str], str | None]:
    settings = derive_settings(paths, labels=labels, mode=mode, label_delimiter="|", confirm=confirm)
    return list(settings.labels), settings.mode


def rows(*labels: str, form: str = "{label},{text}") -> list[str]:
    """Five rows a label."""
    return [
        form.format(label=label, text=f"a letter about {label.casefold()[:9]} number {number}")
        for number in range(5)
        for label in labels
    ]


def test_labels_of_all_files_without_the_header(tmp_path: Path) -> None:
    train = write(tmp_path / "train.csv", "label,text", *rows("B", "A", form=QUOTED))
    test = write(tmp_path / "test.csv", *rows("C", form=QUOTED))
    assert derive(train, test) == (["A", "B", "C"], "MULTI_CLASS")


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_column_delimiters(tmp_path: Path, delimiter: str) -> None:
    assert derive(write(tmp_path / "d.csv", *rows("A", "B", form="{label}" + delimiter + "{text}")))[0] == ["A", "B"]


def test_joined_labels_are_several_only_if_the_parts_occur_alone(tmp_path: Path) -> None:
    several = write(tmp_path / "several.csv", "A,one", "B,two", "A|B,three")
    one = write(tmp_path / "one.csv", "R|D,one", "OPS,two", "R|D,three", "OPS,four")
    assert derive(several) == (["A", "B"], "MULTI_LABEL")
    assert derive(one) == (["OPS", "R|D"], "MULTI_CLASS")


def test_json_lines(tmp_path: Path) -> None:
    rows = [{"labels": ["A", "B"], "text": "one"}, {"labels": ["C"], "text": "two"}]
    assert derive(write(tmp_path / "d.jsonl", *map(json.dumps, rows))) == (["A", "B", "C"], "MULTI_LABEL")
    single = [{"label": "A", "text": "one"}, {"label": "B", "text": "two"}]
    assert derive(write(tmp_path / "s.jsonl", *map(json.dumps, single))) == (["A", "B"], "MULTI_CLASS")


def test_what_is_given_counts(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", "A,one", "B,two")
    assert derive(path, labels=["A", "B", "C"], mode="MULTI_LABEL") == (["A", "B", "C"], "MULTI_LABEL")


@pytest.mark.parametrize(
    ("lines", "mode", "says"),
    [(["A,one"], None, "1 different labels"), (["A,one", "B,two"], "MULTI", "MULTI_CLASS or MULTI_LABEL")],
)
def test_unclear_settings_get_a_sentence(tmp_path: Path, lines: list[str], mode: str | None, says: str) -> None:
    with pytest.raises(FileError, match=says):
        derive(write(tmp_path / "d.csv", *lines), mode=mode)


QUOTED = '"{label}","{text}"'


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            rows("A", "B", form='"{text}",{label}'),
            "10 of 10 labels have one document only",
        ),
        (rows(*(f"L{n}" for n in range(30)), form=QUOTED)[:60], "30 classes for 60 documents"),
        (["Abteilung,Beschwerde", *rows("A", "B", form=QUOTED)], "Only the first row.*Abteilung.*header row"),
        (rows("BILLING", "Billing", "RETURNS", form=QUOTED), "written in two ways"),
        (rows("BILLING", "\u0412ILLING", "RETURNS", form=QUOTED), "written in two ways"),
        (rows("A team", "A\u00a0team", form=QUOTED), "written in two ways"),
        (rows("MONEY#URGENT", "URGENT#TRAVEL", "TRAVEL#MONEY", form=QUOTED), "looks like several"),
        (rows("A|B", "B|C", "C|A", form=QUOTED), "is the mode MULTI_LABEL"),
        (rows("['MONEY', 'URGENT']", "['MONEY']", form=QUOTED), "looks like several"),
        (rows('{""choices"": [""A""]}', '{""choices"": [""B""]}', form=QUOTED), "looks like several"),
    ],
)
def test_classes_that_look_wrong_are_a_question_and_a_refusal_where_nobody_can_be_asked(
    tmp_path: Path, lines: list[str], says: str
) -> None:
    path = write(tmp_path / "d.csv", *lines)
    with pytest.raises(FileError, match=says) as refused:
        derive(path)
    assert "--labels" in str(refused.value)
    asked: list[str] = []
    labels, _ = derive(path, confirm=lambda question: bool(asked.append(question) or True))  # type: ignore[func-returns-value]  # None is meant
    assert labels
    assert len(asked) == 1


def test_what_joins_labels_does_not_separate_columns_where_no_label_is_known(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", *rows("A|B", "B|C", "C|A", form="{label},one more, {text}"))
    with pytest.raises(FileError, match="3 column"):
        derive(path)


def test_what_makes_no_second_class(tmp_path: Path) -> None:
    lines = [
        *rows("BILLING", "Caf\u00e9", form=QUOTED),
        *rows("BILLING\u200b", "\ufeffBILLING", "Cafe\u0301", form=QUOTED),
    ]
    path = tmp_path / "d.csv"
    path.write_text("sep=,\r\nintent,utterance\r\n" + "\r\n".join(lines), encoding="utf-8-sig")
    assert derive(path) == (["BILLING", "Caf\u00e9"], "MULTI_CLASS")


@pytest.mark.parametrize(
    "content", ["A,one\nB,two\n".encode("utf-16"), b"\x1f\x8b\x08\x00A,B", b"PK\x03\x04xl/", b"\xff"]
)
def test_files_that_are_no_text_have_no_labels(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "d.csv"
    path.write_bytes(content)
    with pytest.raises(FileError, match=r"d\.csv"):
        derive(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"nowhere\.csv"):
        derive(tmp_path / "nowhere.csv")


CONLL = "Anna\tB-PERSON\nBrandt\tI-PERSON\nsleeps\tO\n\nDover\tB-PLACE\nsleeps\tO\n"


def test_entity_types_of_all_files_and_folders(tmp_path: Path) -> None:
    (tmp_path / "train.conll").write_text(CONLL)
    folder = tmp_path / "letters"
    folder.mkdir()
    (folder / "a.txt").write_text("Anna sleeps.\n")
    (folder / "b.csv").write_text("File,Line,Begin Offset,End Offset,Type\na.txt,0,0,4,GUEST\n")
    paths = [tmp_path / "train.conll", folder]
    settings = derive_settings(paths, labels=None, mode=None, label_delimiter="|", kind=Kind.ENTITIES)
    assert settings.labels == ("GUEST", "PERSON", "PLACE")
    assert context_of(settings, name="walk", label_delimiter="|") == {
        "name": "walk",
        "model_type": "ENTITY_RECOGNIZER",
        "entity_types": '["GUEST", "PERSON", "PLACE"]',
    }
    assert parameters_of({"Evidence": "HOLDOUT"}) == {"MinimumScore": "0", "Evidence": "HOLDOUT"}
    assert parameters_of({"MinimumScore": "0.4"}) == {"MinimumScore": "0.4"}
    documents = read_documents(paths, settings, label_delimiter="|")
    assert [(document.text, document.labels) for document in documents] == [
        ("Anna Brandt sleeps", ("0:11:PERSON",)),
        ("Dover sleeps", ("0:5:PLACE",)),
        ("Anna sleeps.", ("0:4:GUEST",)),
    ]


def test_entity_types_that_cannot_be_get_a_sentence(tmp_path: Path) -> None:
    def refused(*files: list[str]) -> str:
        paths = [write(tmp_path / f"{number}.conll", *lines) for number, lines in enumerate(files)]
        with pytest.raises(FileError) as error:
            derive_settings(paths, labels=None, mode=None, label_delimiter="|", kind=Kind.ENTITIES)
        return str(error.value)

    assert "0 different entity types" in refused(["Anna\tO", "sleeps\tO"])
    many = [f"Anna\tB-T{number}" for number in range(26)]
    assert "25 different entity types" in refused(many)
    assert "26 different entity types" in refused(many[:13], many[13:])
    assert "written in two ways" in refused(["Anna\tB-PERSON", "Ben\tB-Person"])


def test_the_first_documents_of_classes(tmp_path: Path) -> None:
    path = write(tmp_path / "d.csv", '"A|B","one, two"', "B,three")
    settings = derive_settings([path], labels=["A", "B"], mode="MULTI_LABEL", label_delimiter="|")
    documents = read_documents([path], settings, label_delimiter="|")
    assert [(document.text, document.labels) for document in documents] == [
        ("one, two", ("A", "B")),
        ("three", ("B",)),
    ]
