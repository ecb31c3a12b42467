"""Test documents whose labels a candidate contradicts come up for review, if the deployment asks for it."""

from __future__ import annotations

from flywheel.comprehend.model_kind import Task
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.records.decisions import Evidence
from flywheel.records.review import ItemSource, Lane, Place, WaitingItem
from flywheel.review.answer_item import answer
from flywheel.review.claim_items import claim
from flywheel.review.queue import ReviewQueue
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, Document, documents

BUSINESS, SPORTS = LABELS
ANNA = "arn:aws:iam::111122223333:user/anna"
GOOD = documents(*LABELS, count=60)


def with_wrong_labels(rows: list[Document], *, count: int) -> tuple[list[Document], set[str]]:
    wrong = {text for _, text in rows[:count]}
    other = {BUSINESS: SPORTS, SPORTS: BUSINESS}
    return [(other[label] if text in wrong else label, text) for label, text in rows], wrong


def deployment(*, most: int) -> tuple[Deployment, set[str]]:
    at = Deployment(evidence=Evidence.HOLDOUT, suspect_test_labels=most)
    test, wrong = with_wrong_labels(documents(*LABELS, count=40, words="judge: "), count=5)
    at.upload("test/a.csv", test)
    at.upload("train/a.csv", GOOD)
    at.run_turn()
    return at, wrong


def waiting(at: Deployment) -> dict[Place, WaitingItem]:
    places = {key: Place.of_key(key) for key in at.keys("review/waiting/")}
    return {place: at.bucket.require(key, WaitingItem) for key, place in places.items() if place is not None}


def test_the_most_certain_contradictions_come_up() -> None:
    at, wrong = deployment(most=3)
    found = waiting(at)
    assert len(found) == 3
    assert {item.text for item in found.values()} <= wrong
    for place, item in found.items():
        assert place.lane is Lane.CONTRADICTED
        assert item.source is ItemSource.TEST_DATA
        assert item.suggestion is not None
        # What the candidate says, against what the test data say.
        assert {*item.suggestion.labels, *item.proposals[0].labels} == {BUSINESS, SPORTS}
        assert place.rank == int(1000 * (1 - item.suggestion.margin))


def test_none_does_unless_it_is_asked_for() -> None:
    at, _ = deployment(most=0)
    assert not waiting(at)


def test_what_a_reviewer_has_decided_on_is_not_asked_again() -> None:
    at, wrong = deployment(most=10)
    queue = ReviewQueue(intake=at.bucket, kind=DOCUMENT_CLASSIFICATION, task=Task(labels=LABELS))
    reviewed = set()
    # Of texts that are nearly the same, one at a time.
    while items := claim(queue, by=ANNA, count=10, now=at.now()).items:
        for item in items:
            answer(queue, item=item.id, by=ANNA, now=at.now(), labels=item.suggestion.labels if item.suggestion else ())
            reviewed.add(item.text)
    assert reviewed == wrong
    at.upload("train/b.csv", documents(*LABELS, start=500, count=60))
    at.run_turn()
    assert len(waiting(at)) == len(wrong)
    assert not claim(queue, by="arn:aws:iam::111122223333:user/bert", count=10, now=at.now()).items
    assert not waiting(at)
