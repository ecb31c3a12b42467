"""Offsets of entities: as browsers count them, and where Comprehend's do not fit the text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flywheel.entity_recognition.offsets import EntityOutsideText, Utf16, place_of

TEXTS = st.text(
    alphabet=st.one_of(
        st.characters(codec="utf-8"), st.sampled_from("a\u00e9\u20ac\uffff\U00010000\U0001f600\u0301\u200d")
    )
)


@given(TEXTS, st.data())
def test_utf16_offsets_cut_the_same_text(text: str, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    units, utf16 = text.encode("utf-16-le"), Utf16(text)
    cut = units[2 * utf16.offset(begin) : 2 * utf16.offset(end)]
    assert cut.decode("utf-16-le") == text[begin:end]
    assert 2 * utf16.offset(len(text)) == len(units)


class TestPlaceOf:
    TEXT = "\U0001f600 Anna met Anna in Rome"

    @pytest.mark.parametrize(
        ("begin", "end", "found", "there"),
        [
            pytest.param(2, 6, "Anna", "2 6", id="as it should be"),
            pytest.param(2, 6, None, "2 6", id="without the text"),
            pytest.param(11, 15, "Anna", "11 15", id="the second of two"),
            pytest.param(12, 16, "Anna", "11 15", id="offsets in UTF-16 units"),
            pytest.param(5, 9, "Anna", "2 6", id="offsets in bytes of UTF-8"),
            pytest.param(11, 14, "Anna", "11 15", id="an end that is included"),
            pytest.param(0, 22, "Anna", "2 6", id="the documentation's own example is like this"),
            pytest.param(90, 94, "Rome", "19 23", id="outside the text"),
            pytest.param(19, 19, "Rome", "19 23", id="empty"),
            pytest.param(-4, 0, "Rome", "19 23", id="negative"),
            pytest.param(2, 6, "ANNA", "2 6", id="a quotation that Comprehend changed"),
            pytest.param(2, 6, "", "2 6", id="an empty quotation"),
        ],
    )
    def test_is_where_the_quotation_stands(self, begin: int, end: int, found: str | None, there: str) -> None:
        assert place_of(self.TEXT, begin=begin, end=end, found=found) == tuple(map(int, there.split()))

    @pytest.mark.parametrize(("begin", "end"), [(19, 24), (90, 94), (-1, 4), (3, 3), (6, 2)])
    @pytest.mark.parametrize("found", [None, "", "Paris"])
    def test_cannot_be_told(self, begin: int, end: int, found: str | None) -> None:
        with pytest.raises(EntityOutsideText, match=f"from {begin} to {end}, but the text has 23 characters"):
            place_of(self.TEXT, begin=begin, end=end, found=found)

    @given(TEXTS, st.integers(-5, 40), st.integers(-5, 40), st.none() | TEXTS)
    def test_is_inside_whatever_comprehend_says(self, text: str, begin: int, end: int, found: str | None) -> None:
        try:
            place = place_of(text, begin=begin, end=end, found=found)
        except EntityOutsideText:
            return
        assert 0 <= place[0] < place[1] <= len(text)
        assert found in (None, text[place[0] : place[1]]) or place == (begin, end)
