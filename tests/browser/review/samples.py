"""What the tests of the review page show."""

from __future__ import annotations

from tests.browser.review.host import Body, classified, recognized

HEADLINES = (
    (
        "Wall St. bears claw back into the black: short-sellers, Wall Street's dwindling band of ultra-cynics, are "
        "seeing green again after a week in which oil prices set one record after the other."
    ),
    (
        "Carlyle looks toward commercial aerospace. The private investment firm, which has a reputation for well-timed "
        "and occasionally controversial plays in the defense industry, has quietly placed its bets on another market."
    ),
    "A team of astronomers has found the coldest known star.",
    "Giddy Phelps touches gold for the first time.",
    "Ministers meet in Geneva to talk about the border. Nobody expects them to agree.",
    "The search engine's shares rise by a fifth on their first day.",
)
LABELS = ("BUSINESS", "SCI_TECH", "SPORTS", "WORLD")
_SCORES = ((0.41, 0.32, 0.05, 0.22), (0.52, 0.40, 0.03, 0.05), (0.10, 0.62, 0.08, 0.20), (0.06, 0.04, 0.48, 0.42))


def headlines(count: int = 6) -> list[Body]:
    return [
        classified(number, HEADLINES[number % 6], dict(zip(LABELS, _SCORES[number % 4], strict=True)))
        for number in range(count)
    ]


def people() -> list[Body]:
    return [
        recognized(
            1,
            "Ada Lovelace met Charles Babbage in London, at a party that Mary Somerville gave on 5 June 1833.",
            ("Ada Lovelace", "PERSON", 0.98),
            ("London", "PLACE", 0.44),
        ),
        recognized(2, "In Paris nobody knew him.", ("Paris", "PLACE", 0.61)),
        recognized(3, "Grace Hopper wrote the first linker.", ("Hopper", "PERSON", 0.5)),
    ]
