from __future__ import annotations

import re

from local.review.curves import REVIEWED, STEP, Curves, Mistakes, demo_curves
from local.review.page import render
from local.sample_news import LABELS


def test_what_the_queue_serves_first_teaches_more_than_as_much_at_random() -> None:
    found = demo_curves(1)
    assert len(found.by_order) == len(found.at_random) == REVIEWED // STEP + 1
    assert found.by_order[0] == found.at_random[0]
    assert found.by_order[-1] > found.at_random[-1] > found.by_order[0]


def test_a_person_is_wrong_now_and_then() -> None:
    person = Mistakes(1)
    wrong = sum(person.answer(LABELS[0]) != LABELS[0] for _ in range(2_000))
    assert 60 < wrong < 140


def test_the_page_says_what_was_measured() -> None:
    curves = [Curves(seed=seed, by_order=(0.5, 0.7, 0.9 + seed / 100), at_random=(0.5, 0.55, 0.6)) for seed in range(2)]
    page = render(curves, told=["It <worked>"], before=0.5, after=0.875)
    assert "+0.405 by the order of the queue, +0.100 at random" in page
    assert "better with 2 of 2 seeds" in page
    assert "0.500 to 0.875" in page
    assert "It &lt;worked&gt;" in page
    assert len(re.findall("<polyline", page)) == 6
