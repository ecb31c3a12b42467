"""Folders: documents with annotations or an entity list beside them."""

from __future__ import annotations

from typing import Any

import pytest

from flywheel.preparation import FileKind
from flywheel.preparation.entities import AnyType, EntityRules
from flywheel.preparation.entities.annotation_rows import document_key
from flywheel.preparation.report import render_text

from .uploads import Outcome, prepared, spans

HEADER = "File,Line,Begin Offset,End Offset,Type\n"
DOCUMENTS = "Ann met Bob\n\nBob met 🎈 Zoë\nno entity"
ROWS = "documents.txt,0,0,3,PER\ndocuments.txt,2,10,13,PER\ndocuments.txt,0,8,11,PER\n"
WANTED = [
    ("Ann met Bob", spans((0, 3, "PER"), (8, 11, "PER"))),
    ("Bob met 🎈 Zoë", spans((10, 13, "PER"))),
    ("no entity", ()),
]


def annotated(rows: str, documents: str | bytes = DOCUMENTS, **limits: Any) -> Outcome:
    return prepared({"annotations.csv": HEADER + rows, "documents.txt": documents}, **limits)


def places(outcome: Outcome) -> list[tuple[str | None, int | None, str]]:
    return [(problem.file, problem.line, problem.rule) for problem in outcome.preparation.examples]


def test_annotations_find_their_documents_in_any_order_of_files_and_rows() -> None:
    files = {"annotations.csv": HEADER + ROWS, "documents.txt": DOCUMENTS}
    for names in (list(files), list(reversed(files))):
        outcome = prepared({name: files[name] for name in names})
        assert outcome.documents == WANTED
        assert outcome.problems == []
        assert outcome.preparation.lines == 8
        assert outcome.preparation.format is not None
        assert outcome.preparation.format.kind is FileKind.ANNOTATIONS


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(",", "\t"),
        lambda text: "sep=;\n" + text.replace(",", ";"),
        lambda text: "\ufeff" + text.replace("\n", "\r\n"),
        lambda text: text.replace("\n", "\r"),
        lambda text: text.replace(HEADER, "file,line,begin_offset,end_offset,label\n"),
        lambda text: text.replace(HEADER, "FILE, Line ,BeginOffset,End-Offset,Type\n"),
        lambda text: text.replace(HEADER, ""),
        lambda text: text.replace("documents.txt", '"documents.txt"').replace("PER", '" PER "'),
        lambda text: text.replace("documents.txt", "s3://bucket/folder/documents.txt"),
        lambda text: text.replace(",3,", ",3.0,").replace(",0,", ", 0,"),
        lambda text: "\n".join("7," + line if line[0] == "d" else "Id," + line for line in text.splitlines()),
    ],
)
def test_the_table_may_be_written_in_many_ways(rewrite: object) -> None:
    assert callable(rewrite)
    outcome = prepared({"annotations.csv": rewrite(HEADER + ROWS), "documents.txt": DOCUMENTS})
    assert outcome.problems == []
    assert outcome.documents == WANTED


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_documents_end_where_lines_do(line_end: str) -> None:
    outcome = annotated(ROWS, "\ufeff" + DOCUMENTS.replace("\n", line_end))
    assert outcome.documents == WANTED


@pytest.mark.parametrize(
    ("row", "file", "line", "rule"),
    [
        ("documents.txt,0,0,3\n", "annotations.csv", 2, "wrong-columns"),
        ('documents.txt,0,0,3,"PER\n', "annotations.csv", 2, "unclosed-quote"),
        ('"documents.txt"x,0,0,3,PER\n', "annotations.csv", 2, "broken-quotes"),
        ("other.txt,0,0,3,PER\n", "annotations.csv", 2, "unknown-file"),
        ("documents.txt,-1,0,3,PER\n", "annotations.csv", 2, "not-a-number"),
        ("documents.txt,one,0,3,PER\n", "annotations.csv", 2, "not-a-number"),
        ("documents.txt,1,0,3,PER\n", "annotations.csv", 2, "unknown-line"),
        ("documents.txt,4,0,3,PER\n", "annotations.csv", 2, "unknown-line"),
        (f"documents.txt,{'9' * 400},0,3,PER\n", "annotations.csv", 2, "unknown-line"),
        ("documents.txt,9,x,3,PER\n", "annotations.csv", 2, "not-a-number"),
        ("x" * 100_000 + ",0,0,3,PER\n", "annotations.csv", 2, "row-too-long"),
    ],
)
def test_a_row_without_a_document_is_a_bad_line(row: str, file: str, line: int, rule: str) -> None:
    outcome = annotated(row + ROWS)

    assert places(outcome) == [(file, line, rule)]
    assert outcome.documents == WANTED
    assert f"line {line} of {file}: " in render_text(outcome.preparation)


@pytest.mark.parametrize(
    ("row", "file", "line", "rule"),
    [
        ("documents.txt,0,zero,3,PER\n", "annotations.csv", 2, "not-a-number"),
        ("documents.txt,0,0,,PER\n", "annotations.csv", 2, "not-a-number"),
        ("documents.txt,0,4,7,VERB\n", "annotations.csv", 2, "unknown-type"),
        ("documents.txt,0,4,7,\n", "annotations.csv", 2, "invalid-type"),
        ("documents.txt,0,4,10,PER\n", "documents.txt", 1, "overlapping-annotations"),
        ("documents.txt,0,11,12,PER\n", "documents.txt", 1, "offset-outside-document"),
        (f"documents.txt,0,11,{'9' * 40},PER\n", "documents.txt", 1, "offset-outside-document"),
        (f"documents.txt,0,-{'9' * 40},1,PER\n", "documents.txt", 1, "offset-outside-document"),
        ("documents.txt,0,5,5,PER\n", "documents.txt", 1, "empty-annotation"),
    ],
)
def test_a_bad_annotation_takes_its_document_with_it(row: str, file: str, line: int, rule: str) -> None:
    outcome = annotated(row + ROWS)

    assert places(outcome) == [(file, line, rule)]
    assert outcome.documents == WANTED[1:]
    assert b"Ann met Bob\n" in outcome.bad


def test_a_refused_document_takes_its_annotations_with_it() -> None:
    data = b"caf\xe9\n" + "\u00a0\n".encode() + b"a\0b\n" + b"x" * 5001 + b"\n" + b"y" * 200_000 + b"\nAnn\n"
    rows = "".join(f"documents.txt,{line},0,1,PER\n" for line in range(5)) + "documents.txt,5,0,3,PER\n"
    outcome = annotated(rows, data)

    rules = ["not-utf8", "empty-text", "control-character", "document-too-large", "document-too-large"]
    found = sorted((line, rule) for _, line, rule in places(outcome) if line is not None)
    assert found == list(enumerate(rules, 1))
    assert outcome.documents == [("Ann", spans((0, 3, "PER")))]


def test_a_file_may_be_one_document() -> None:
    outcome = prepared(
        {
            "annotations.csv": "File,Begin Offset,End Offset,Type\nb.txt,4,7,PER\na.txt,4,7,PER\n",
            "a.txt": "\r\n  Ann\n\n",
            "b.txt": "I'm Zoë\rx",
            "c.txt": "x" * 5001,
            "d.txt": b"\xff\x41",
            "e.txt": "",
        }
    )

    assert outcome.documents == [("\r\n  Ann\n\n", spans((4, 7, "PER"))), ("I'm Zoë\rx", spans((4, 7, "PER")))]
    assert places(outcome) == [("c.txt", 1, "document-too-large"), ("d.txt", 1, "not-utf8")]


def test_several_files_of_documents_and_of_annotations() -> None:
    outcome = prepared(
        {
            "x/b.txt": "Bob\nBert",
            "one.csv": HEADER + "a.txt,0,0,3,PER\nb.txt,1,0,4,PER\n",
            "x/a.txt": "Ann",
            "two.csv": "Type;File;Line;End;Begin\nPER;x/b.txt;0;3;0\nPER;b.txt;7;3;0\n",
            ".DS_Store": b"\0\0\1",
        }
    )

    per = (("Bob", 3), ("Bert", 4), ("Ann", 3))
    assert outcome.documents == [(text, spans((0, end, "PER"))) for text, end in per]
    assert places(outcome) == [("two.csv", 3, "unknown-line")]
    assert outcome.preparation.remarks == {"passed-over": 1}


def test_there_may_be_very_many_files_of_one_document() -> None:
    files: dict[str, bytes | str] = {f"{number}.txt": f"Ann {number}" for number in range(2000)}
    rows = "".join(f"{number}.txt,0,3,PER\n" for number in reversed(range(2000)))
    outcome = prepared(files | {"annotations.csv": "File,Begin Offset,End Offset,Type\n" + rows})

    assert outcome.preparation.bad_lines == {}
    assert outcome.preparation.annotations == {"PER": 2000}
    assert document_key(200_000, 200_000_000) < document_key(200_001, 0) < 1 << 64


def test_the_texts_of_entities_are_checked_where_a_table_has_them() -> None:
    header = HEADER.replace("Type", "Type,Text")
    rows = 'documents.txt,0,0,3,PER,Ann\ndocuments.txt,2,0,3,PER,"Zoë"\n'
    outcome = prepared({"annotations.csv": header + rows, "documents.txt": DOCUMENTS})

    assert outcome.documents == [("Ann met Bob", spans((0, 3, "PER"))), WANTED[2]]
    assert places(outcome) == [("documents.txt", 3, "text-not-at-offset")]


# --- lines in quotes -------------------------------------------------------------------------------------------------

QUOTED = '"say ""Ann"" and Bob"\n'


def test_lines_in_quotes_are_read_as_their_offsets_count() -> None:
    without = annotated("documents.txt,0,5,8,PER\ndocuments.txt,0,14,17,PER\n", QUOTED)
    assert without.documents == [('say "Ann" and Bob', spans((5, 8, "PER"), (14, 17, "PER")))]
    assert without.remarks == [(1, "quoted-line")]

    including = annotated("documents.txt,0,7,10,PER\ndocuments.txt,0,17,20,PER\n", QUOTED)
    assert including.documents == [(QUOTED[:-1], spans((7, 10, "PER"), (17, 20, "PER")))]
    assert including.remarks == []


def test_a_line_that_proves_nothing_is_read_as_those_that_do() -> None:
    data = '"no entity"\n"Ann met Bob"\n"half a "quote"\n'
    proven = annotated("documents.txt,1,0,3,PER\n", data)
    assert [text for text, _ in proven.documents] == ["no entity", "Ann met Bob", '"half a "quote"']
    unproven = annotated("documents.txt,2,8,9,PER\n", data)
    assert [text for text, _ in unproven.documents] == data.splitlines()


# --- entity lists ----------------------------------------------------------------------------------------------------

LIST = "Text,Type\nAnn,PER\nAnn Lee,PER\nNew York,LOC\nYork City Hall,LOC\nO'Neil,PER\n"


def listed(documents: str, entities: str = LIST, **limits: Any) -> Outcome:
    return prepared({"list.csv": entities, "documents.txt": documents}, **limits)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Ann met Ann.", [(0, 3, "PER"), (8, 11, "PER")]),
        ("Ann Lee met Annabel, ann and (Ann)", [(0, 7, "PER"), (30, 33, "PER")]),
        ("New York City Hall", [(4, 18, "LOC")]),
        ("New York, York City Hall", [(0, 8, "LOC"), (10, 24, "LOC")]),
        ("O'Neil and O'Neill", [(0, 6, "PER")]),
        ("éAnn Anné Ann\u0301 Ann🎈 🎈Ann", [(15, 18, "PER"), (21, 24, "PER")]),
        ("AnnAnn Ann1 _Ann_", [(13, 16, "PER")]),
        ("東京Ann東京", [(2, 5, "PER")]),
    ],
)
def test_entries_are_found_as_whole_words_the_longest_first(text: str, wanted: list[tuple[int, int, str]]) -> None:
    assert listed(text + "\n").documents == [(text, spans(*wanted))]


def test_entries_in_scripts_without_spaces_are_found() -> None:
    assert listed("私は東京にいる\n", "Text,Type\n東京,LOC\n").documents == [("私は東京にいる", spans((2, 4, "LOC")))]


def test_how_many_matches_there_are_and_which_entries_have_none_is_remarked_upon() -> None:
    outcome = listed("Ann\nand Ann\nand Ann again\n", list_matches=3)

    assert outcome.preparation.annotations == {"PER": 3}
    messages = [problem.message for problem in outcome.preparation.remark_examples]
    assert 'The entity list has 0 match(es) of type "LOC" in these documents.' in messages
    assert outcome.preparation.remarks == {"few-matches": 1, "unmatched-entry": 4}


def test_bad_entries_are_reported_and_the_others_count() -> None:
    rows = ",PER\nBob,VERB\nBob\nAnn,PER\nAnn,LOC\n" + "x" * 5001 + ",PER\n" + '"a ""b""",PER\n'
    outcome = listed('Ann saw a "b"\n', "Text,Type\nAnn,PER\n" + rows)

    rules = ["empty-entry", "unknown-type", "wrong-columns", "two-types", "entry-too-large"]
    assert sorted(rule for _, _, rule in places(outcome)) == sorted(rules)
    assert outcome.documents == [('Ann saw a "b"', spans((0, 3, "PER"), (8, 13, "PER")))]


def test_a_list_may_have_as_many_entries_as_comprehend_takes() -> None:
    outcome = listed("Ann\n", list_entries=4)
    assert outcome.preparation.file_problem is not None
    assert outcome.preparation.file_problem.rule == "too-many-entries"
    assert listed("Ann\n", list_entries=5).preparation.accepted


def test_annotations_may_have_as_many_rows_as_the_limit_and_no_more() -> None:
    rows = "".join(f"documents.txt,0,{place},{place + 1},PER\n" for place in (0, 2, 4))
    folder = {"documents.txt": "a b c\n", "annotations.csv": "File,Line,Begin Offset,End Offset,Type\n" + rows}
    assert len(prepared(folder, annotations=3).documents[0][1]) == 3
    problem = prepared(folder, annotations=2).preparation.file_problem
    assert problem is not None
    assert problem.message.startswith("The folder has more than 2 rows of annotations")


# --- what does not belong together -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "rule", "file"),
    [
        ({"annotations.csv": HEADER + ROWS}, "missing-parts", None),
        ({"list.csv": LIST}, "missing-parts", None),
        ({"a.csv": HEADER + ROWS, "b.csv": HEADER + ROWS}, "missing-parts", None),
        ({"a.csv": HEADER + ROWS, "b.csv": LIST, "documents.txt": DOCUMENTS}, "annotations-and-list", None),
        ({"a.csv": HEADER + ROWS, "b.csv": "File,Begin,End,Type\n", "documents.txt": "x"}, "mixed-annotations", None),
        ({"a.csv": HEADER + ROWS, "documents.txt": b"%PDF-1.4"}, "unsupported-type", "documents.txt"),
        ({"a.txt": "text", "documents.txt": DOCUMENTS}, "unrecognised-file", "a.txt"),
        ({"a.jsonl": '{"text": "x", "entities": []}\n', "documents.txt": "x y"}, "unrecognised-file", "documents.txt"),
        ({"a.txt": "text"}, "unrecognised-file", None),
        ({}, "empty-file", None),
        ({".a": "x", ".b": "x"}, "empty-file", None),
        ({"a.csv": HEADER, "documents.txt": "\n\n"}, "empty-file", None),
    ],
)
def test_a_folder_that_is_no_upload_is_refused_with_a_sentence(
    files: dict[str, str | bytes], rule: str, file: str | None
) -> None:
    preparation = prepared(files).preparation

    assert not preparation.accepted
    assert preparation.file_problem is not None
    assert (preparation.file_problem.rule, preparation.file_problem.file) == (rule, file)
    assert preparation.documents == 0 or rule == "unrecognised-file"


def test_a_folder_may_have_several_files_that_each_are_complete() -> None:
    files = {"a.jsonl": '{"text": "x", "entities": []}\n', "b.conll": "Ann\tB-PER\nx\tO\n", "c.jsonl": "{}\n"}
    outcome = prepared(files)

    assert [text for text, _ in outcome.documents] == ["x", "Ann x"]
    assert places(outcome) == [("c.jsonl", 1, "missing-json-key")]


def test_reading_ends_when_too_many_documents_are_spoiled() -> None:
    rows = "".join(f"documents.txt,{line},0,1,VERB\n" for line in range(100))
    files = {"annotations.csv": HEADER + rows, "documents.txt": "x\n" * 100}
    outcome = prepared(files, maximum_bad_lines_percent=1, rows=1000, documents=500)

    assert not outcome.preparation.accepted
    assert outcome.preparation.file_problem is not None
    assert outcome.preparation.file_problem.rule == "too-many-bad-lines"
    assert outcome.preparation.lines == 101
    assert outcome.preparation.bad_lines == {"unknown-type": 100}


def test_types_are_learned_from_annotations_and_lists() -> None:
    rules = AnyType()
    assert prepared({"a.csv": HEADER + ROWS, "documents.txt": DOCUMENTS}, rules=rules).documents == WANTED
    assert prepared({"a.csv": LIST, "documents.txt": "Ann"}, rules=rules).preparation.annotations == {"PER": 1}
    few = EntityRules(("LOC",))
    assert prepared({"a.csv": LIST, "documents.txt": "Ann"}, rules=few).preparation.bad_lines == {"unknown-type": 3}
