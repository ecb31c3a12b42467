"""What was accepted reads back as it was uploaded, code point for code point and offset for offset, in every form."""

from __future__ import annotations

import csv
import io
import json

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from flywheel.preparation import RepeatedDocuments
from flywheel.preparation.entities import EntityRules, Span, read_entity_documents, to_line
from flywheel.preparation.entities.limits import EntityLimits
from flywheel.preparation.problems import Problem
from flywheel.preparation.rules import is_blank

from .uploads import Document, prepared

TYPES = ("PER", "Job title", 'say "hi"', "Straße 🎈", "a\\b")
RULES = EntityRules(TYPES)
CHARACTERS = st.characters(exclude_categories=["Cs"])
# Code points only: nothing here proves that offsets count anything else.
NARROW = st.one_of(st.sampled_from("ab c\"',;#|-\t"), st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF))
# A file is taken for none of text if many of its bytes are these.
BINARY = "\0\1\2\3"
BLOCKS = st.sampled_from([1, 7, 64, 1 << 16])


@st.composite
def documents_of(draw: st.DrawFn, characters: st.SearchStrategy[str], without: str = "") -> Document:
    text = "".join(draw(st.lists(characters.filter(lambda c: c not in without + BINARY), min_size=1, max_size=40)))
    assume(not is_blank(text.encode()))
    places = sorted(draw(st.sets(st.integers(0, len(text)), max_size=8)))
    pairs = zip(places[::2], places[1::2], strict=False)
    return text, tuple(Span(begin, end, draw(st.sampled_from(TYPES))) for begin, end in pairs)


def distinct(documents: list[Document]) -> list[Document]:
    return list(dict.fromkeys(documents))


@settings(deadline=None)
@given(st.lists(documents_of(CHARACTERS), min_size=1, max_size=5), st.booleans(), BLOCKS)
def test_json_lines(documents: list[Document], ascii_only: bool, block_bytes: int) -> None:
    data = "".join(
        json.dumps(
            {
                "text": text,
                "entities": [
                    {"begin": span.begin, "end": span.end, "type": span.type, "text": text[span.begin : span.end]}
                    for span in spans
                ],
            },
            ensure_ascii=ascii_only,
        )
        + "\n"
        for text, spans in documents
    )
    outcome = prepared(data, rules=RULES, block_bytes=block_bytes)

    assert outcome.problems == []
    assert outcome.documents == distinct(documents)
    assert outcome.preparation.duplicates == len(documents) - len(distinct(documents))
    kept = prepared(data, rules=RULES, block_bytes=block_bytes, repeated_documents=RepeatedDocuments.KEEP)
    assert kept.documents == documents
    assert kept.preparation.duplicates == 0


@settings(deadline=None)
@given(st.lists(documents_of(NARROW), min_size=1, max_size=5), BLOCKS)
def test_manifests(documents: list[Document], block_bytes: int) -> None:
    data = "".join(to_line(*document) for document in documents)
    outcome = prepared(data, rules=RULES, block_bytes=block_bytes)

    assert outcome.problems == []
    assert outcome.documents == distinct(documents)
    read = read_entity_documents(data.encode(), rules=RULES, limits=EntityLimits())
    assert not isinstance(read, Problem)
    assert [(found.line, found.text, found.spans) for found in read] == [
        (line, *document) for line, document in enumerate(documents, 1)
    ]


@settings(deadline=None)
@given(
    st.lists(documents_of(NARROW, without="\r\n"), min_size=1, max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([",", ";", "\t"]),
    BLOCKS,
)
def test_documents_and_annotations(documents: list[Document], line_end: str, delimiter: str, block_bytes: int) -> None:
    # Lines that are one cell in quotes, and what ends a file for DOS, are read otherwise on purpose.
    assume(
        not any(text.startswith(('"', "\ufeff")) or text.endswith("\x1a") or text.isspace() for text, _ in documents)
    )
    table = io.StringIO()
    rows = csv.writer(table, delimiter=delimiter)
    rows.writerow(["File", "Line", "Begin Offset", "End Offset", "Type"])
    for line, (_, spans) in enumerate(documents):
        rows.writerows(["documents.txt", line, span.begin, span.end, span.type] for span in reversed(spans))
    files = {"rows.csv": table.getvalue(), "documents.txt": line_end.join(text for text, _ in documents)}
    outcome = prepared(files, rules=RULES, block_bytes=block_bytes)

    assert outcome.problems == []
    assert outcome.documents == distinct(documents)


@settings(deadline=None)
@given(documents_of(NARROW))
def test_a_document_in_a_file_of_its_own(document: Document) -> None:
    text, spans = document
    assume(not text.startswith("\ufeff") and not text.endswith("\x1a"))
    table = io.StringIO()
    rows = csv.writer(table)
    rows.writerow(["File", "Begin Offset", "End Offset", "Type"])
    rows.writerows(["documents.txt", span.begin, span.end, span.type] for span in spans)
    outcome = prepared({"rows.csv": table.getvalue(), "documents.txt": text}, rules=RULES)

    assert outcome.documents == [document]


TOKENS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=BINARY + "\n\r\t"), min_size=1, max_size=8)
SCHEMES = st.sampled_from(["BIO", "IOBES", "BILOU"])


@st.composite
def tagged(draw: st.DrawFn) -> list[tuple[str, str]]:
    """Tokens, and for each whether it begins an entity (its type), goes on with it ("") or is outside (None)."""
    return draw(st.lists(st.tuples(TOKENS, st.sampled_from([*TYPES, "", "O"])), min_size=1, max_size=8))


@settings(max_examples=200, deadline=None)
@given(st.lists(tagged(), min_size=1, max_size=4), SCHEMES, BLOCKS)
def test_conll(documents: list[list[tuple[str, str]]], scheme: str, block_bytes: int) -> None:
    wanted: list[Document] = []
    lines: list[str] = []
    for document in documents:
        text = " ".join(token for token, _ in document)
        assume(not is_blank(text.encode()) and not text.startswith(("-DOCSTART-", "\ufeff")))
        entities: list[list[int]] = []
        open_type = None
        for place, (_, kind) in enumerate(document):
            if kind in TYPES:
                entities.append([place, place])
                open_type = kind
            elif kind == "" and open_type is not None:
                entities[-1][1] = place
            else:
                open_type = None
        tags = ["O"] * len(document)
        spans = []
        starts = [sum(len(token) + 1 for token, _ in document[:place]) for place in range(len(document))]
        for first, last in entities:
            name = document[first][1]
            spans.append(Span(starts[first], starts[last] + len(document[last][0]), name))
            for place in range(first, last + 1):
                tags[place] = ("B-" if place == first else "I-") + name
            if scheme != "BIO":
                tags[last] = ("ES" if scheme == "IOBES" else "LU")[first == last] + "-" + name
        lines += [f"{token}\t{tag}\n" for (token, _), tag in zip(document, tags, strict=True)] + ["\n"]
        wanted.append((text, tuple(spans)))
    outcome = prepared("".join(lines), rules=RULES, block_bytes=block_bytes)

    if outcome.preparation.format is not None:
        assert outcome.problems == []
        assert outcome.documents == distinct(wanted)
