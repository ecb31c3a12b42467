"""Near-duplicates differ in few bits, other texts in many."""

from __future__ import annotations

import itertools

import pytest

from flywheel.text.similarity import BITS, NEARLY_THE_SAME, differing_bits, simhash
from tests.pipeline.review.world import WORDS

LETTER = (
    "Dear sir, my order 4711 of the second of March has not arrived, and nobody answers your telephone. "
    "Please tell me when I may expect it, or send me my money back."
)


@pytest.mark.parametrize(
    "other",
    [
        LETTER.replace("4711", "98"),
        LETTER.upper(),
        LETTER.replace(",", " --").replace(".", "!"),
        LETTER.replace("telephone", "door bell"),
        f"  {LETTER}\r\n",
    ],
)
def test_near_duplicates(other: str) -> None:
    assert differing_bits(simhash(LETTER), simhash(other)) <= NEARLY_THE_SAME


def test_others_are_far_apart() -> None:
    for one, other in itertools.combinations((LETTER, *WORDS), 2):
        assert differing_bits(simhash(one), simhash(other)) > NEARLY_THE_SAME


def test_scripts_without_spaces_are_told_apart() -> None:
    one, other = "我们的订单还没有到请告诉我什么时候能收到", "新的手机明年会有三个折叠的地方价格还不知道"
    assert differing_bits(simhash(one), simhash(one + "\u3002")) <= NEARLY_THE_SAME
    assert differing_bits(simhash(one), simhash(other)) > NEARLY_THE_SAME


@pytest.mark.parametrize("text", ["", " ", "a", "\ud800", "\U0001f600" * 9, "x" * 1_000_000])
def test_any_text_has_one(text: str) -> None:
    assert 0 <= simhash(text) < 1 << BITS


def test_it_is_the_same_in_every_process() -> None:
    """It stands in keys."""
    assert simhash(LETTER) == 0x321BF37A398F7886
