"""Which characters offsets mean: code points, or UTF-16 units where the text proves it; and where words are cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.preparation.entities import Span
from flywheel.preparation.entities.words import cuts_word, units

from .uploads import line_of, prepared, spans


def utf16(text: str, place: int) -> int:
    return len(text[:place].encode("utf-16-le")) // 2


def line_with(text: str, entities: list[tuple[int, int, str | None]]) -> str:
    listed = [
        {"begin": begin, "end": end, "type": "PER", **({} if own is None else {"text": own})}
        for begin, end, own in entities
    ]
    return json.dumps({"text": text, "entities": listed}) + "\n"


@pytest.mark.parametrize(
    ("text", "entities", "wanted", "converted"),
    [
        # The entity's own text decides.
        ("🎈 Ann", [(3, 6, "Ann")], [(2, 5)], True),
        ("🎈 Ann", [(2, 5, "Ann")], [(2, 5)], False),
        ("🎈AnnAnnAnn", [(2, 5, "Ann"), (8, 11, "Ann")], [(1, 4), (7, 10)], True),
        ("Ann 🎈 Ann", [(0, 3, "Ann"), (7, 10, "Ann")], [(0, 3), (6, 9)], True),
        # An offset past the end does, that UTF-16 has.
        ("🎈 Ann", [(3, 6, None)], [(2, 5)], True),
        ("🎈🎈 東京", [(5, 7, None)], [(3, 5)], True),
        # Words do.
        ("🎈 Ann met Bob here", [(3, 6, None), (11, 14, None)], [(2, 5), (10, 13)], True),
        ("🎈 Ann met Bob here", [(2, 5, None), (10, 13, None)], [(2, 5), (10, 13)], False),
        ("Ann 🎈 Bob here", [(0, 3, None), (7, 10, None)], [(0, 3), (6, 9)], True),
        # Nothing does.
        ("Ann 🎈", [(0, 3, None)], [(0, 3)], False),
        ("🎈🎈🎈 東京東京", [(4, 6, None)], [(4, 6)], False),
        ("🎈 Ann met Bob here", [(3, 5, None)], [(3, 5)], False),
        ("🎈 Ann met Bob here", [(3, 6, None), (10, 13, None)], [(3, 6), (10, 13)], False),
        ("e\u0301 \u200d Ann here", [(5, 8, None)], [(5, 8)], False),
    ],
)
def test_utf16_offsets_are_converted_where_the_text_proves_them(
    text: str, entities: list[tuple[int, int, str | None]], wanted: list[tuple[int, int]], converted: bool
) -> None:
    outcome = prepared(line_with(text, entities))

    assert outcome.documents == [(text, tuple(Span(*place, "PER") for place in wanted))]
    assert ("utf16-offsets" in outcome.preparation.remarks) is converted


@pytest.mark.parametrize(
    ("text", "entities", "rule"),
    [
        ("🎈 Ann", [(1, 6, "Ann")], "text-not-at-offset"),
        ("🎈 Ann Bob", [(3, 6, "Ann"), (6, 9, "Bob")], "text-not-at-offset"),
        ("🎈 Ann", [(2, 7, None)], "offset-outside-document"),
        ("🎈 Ann", [(1, 6, None)], "offset-outside-document"),
        ("🎈 Ann met", [(2, 5, None), (7, 10, None)], "offset-outside-document"),
        ("Ann", [(3, 6, None)], "offset-outside-document"),
    ],
)
def test_offsets_that_fit_neither_way_are_refused(
    text: str, entities: list[tuple[int, int, str | None]], rule: str
) -> None:
    assert prepared(line_with(text, entities)).problems == [(1, rule)]


@pytest.mark.parametrize(
    ("text", "entity", "unproven"),
    [
        ("🎈🎈🎈 東京東京", (4, 6, None), True),
        ("🎈🎈🎈 東京東京", (4, 6, "東京"), False),
        ("🎈 Ann met Bob here", (2, 5, None), False),
        ("🎈 Ann met Bob here", (2, 4, None), True),
        ("Ann 🎈", (0, 3, None), False),
    ],
)
def test_what_proves_neither_reading_is_remarked_upon(
    text: str, entity: tuple[int, int, str | None], unproven: bool
) -> None:
    assert ("unproven-offsets" in prepared(line_with(text, [entity])).preparation.remarks) is unproven


def test_the_report_says_what_was_converted() -> None:
    outcome = prepared(line_with("🎈 Ann", [(3, 6, None)]))
    (remark,) = outcome.preparation.remark_examples
    assert '"PER" at 2 to 5 is "Ann"' in remark.message


TEXTS = st.text(st.sampled_from("ab 1🎈👩🏽\u200d\u0301é東.\n"), min_size=1, max_size=30)


@settings(deadline=None)
@given(TEXTS, st.data())
def test_utf16_offsets_with_their_texts_come_back_as_code_points(text: str, data: st.DataObject) -> None:
    places = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    wanted = [(begin, end) for begin, end in zip(places[::2], places[1::2], strict=False)]
    for convert in (lambda place: place, lambda place: utf16(text, place)):
        line = line_with(text, [(convert(begin), convert(end), text[begin:end]) for begin, end in wanted])
        outcome = prepared(line)
        ambiguous = any(text[convert(begin) : convert(end)] == text[begin:end] for begin, end in wanted)
        if text.strip(" \n\u200d") and not ambiguous:
            assert outcome.documents == [(text, tuple(Span(*place, "PER") for place in wanted))]


@settings(deadline=None)
@given(TEXTS, st.lists(st.tuples(st.integers(-2, 40), st.integers(-2, 40)), max_size=4))
def test_whatever_the_offsets_a_document_is_taken_as_it_is_or_is_a_bad_line(
    text: str, entities: list[tuple[int, int]]
) -> None:
    outcome = prepared(line_of(text, [(*place, "PER") for place in entities]))

    assert len(outcome.documents) + len(outcome.problems) == 1
    for taken, found in outcome.documents:
        assert taken == text
        assert all(0 <= span.begin < span.end <= len(text) for span in found)
        if "utf16-offsets" not in outcome.preparation.remarks:
            assert {(span.begin, span.end) for span in found} == set(entities)
        else:
            assert {(utf16(text, span.begin), utf16(text, span.end)) for span in found} == set(entities)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("ab", [1]),
        ("a b", []),
        ("a-b", []),
        ("a_b", []),
        ("a1", [1]),
        ("e\u0301a", [1, 2]),
        ("東京", []),
        ("東a", []),
        ("สวัสดี", [2, 5]),
        ("кот", [1, 2]),
        ("👩🏽", [1]),
        ("👩\u200d👧", [1, 2]),
        ("क\u093f", [1]),
        ("🎈🎈", []),
        ("\u0301a", [1]),
    ],
)
def test_where_words_are_cut(text: str, cut: list[int]) -> None:
    found = [place for place in range(len(text) + 1) if cuts_word(text, place)]
    assert found == cut
    assert "".join(unit for _, unit in units(text)) == "".join(text.split())
    assert all(text.startswith(unit, begin) for begin, unit in units(text))


def test_a_part_of_a_word_is_remarked_upon_and_shown() -> None:
    outcome = prepared(line_of("see Newark now", [(4, 7, "LOC")]))

    assert outcome.documents == [("see Newark now", spans((4, 7, "LOC")))]
    (remark,) = outcome.preparation.remark_examples
    assert remark.rule == "part-of-word"
    assert '"[New]ark"' in remark.message


@settings(deadline=None)
@given(st.text(max_size=40) | st.text(st.characters(max_codepoint=0x24F), max_size=40) | TEXTS)
def test_units_begin_and_end_where_no_word_is_cut(text: str) -> None:
    found = list(units(text))

    assert "".join(unit for _, unit in found) == "".join(text.split())
    for begin, unit in found:
        assert text.startswith(unit, begin)
        assert not cuts_word(text, begin)
        assert not cuts_word(text, begin + len(unit))
        assert all(cuts_word(text, place) for place in range(begin + 1, begin + len(unit)))
