"""From answers to a turn, and back: what becomes of reviewed documents, and how an operator takes them out."""

from __future__ import annotations

import pytest

from flywheel.records.predictions import text_digest
from flywheel.records.review import BATCHES, Batch
from flywheel.records.uploads import UploadOutcome
from flywheel.report.reviewed import reviewed_sentence
from ops.deployment.errors import OperatorError
from ops.tables.exclude import change_sentence
from ops.tables.forget import forgotten_sentence
from ops.verbs.exclude import exclude_reviewer, excluded
from ops.verbs.forget import forget
from ops.verbs.review_publish import answers_waiting, publish
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents
from tests.pipeline.entities.documents import TYPES
from tests.pipeline.entities.test_turns import people
from tests.pipeline.review.world import ANNA, BERT, World

BUSINESS, SPORTS = LABELS
UNLIKE = ("apples", "bridges", "clouds", "deserts", "engines", "forests", "guitars", "harbours", "islands", "jackets")


def reviewed_world(at: Deployment) -> World:
    """The queue of a deployment."""
    return World(of=at, kind=at.kind, task=at.service.describe().task, now=at.now())


def published(at: Deployment) -> list[Batch]:
    """What became of the answers that wait: the queue's events start the function that looks at them."""
    at.settle()
    return at.bucket.read_all(at.keys(BATCHES), Batch)


def review(world: World, count: int = 20) -> list[str]:
    """Two people share the texts. Their labels are right."""
    texts = []
    for place in range(count):
        label = LABELS[place % 2]
        word = UNLIKE[place // 2]
        texts.append(f"{label.lower()} news of {word} {word[::-1]} and {' '.join(word)}, as {word * 2} told")
        world.add(texts[-1])
    while items := [(person, item) for person in (world.anna, world.bert) for item in person.claim(5).items]:
        for person, item in items:
            person.answer(item.text, next(label for label in LABELS if label.lower() in item.text))
    return texts


def test_answers_become_datasets_and_the_turn_says_whose() -> None:
    at = Deployment()
    at.upload("test/test.csv", documents(*LABELS, count=6, words="judge: "))
    world = reviewed_world(at)
    review(world)
    (batch,) = published(at)
    record = at.run_turn()
    assert {
        result.upload.key: result.outcome for result in record.uploads if "review" in result.upload.key
    } == dict.fromkeys(batch.keys, UploadOutcome.ACCEPTED)
    assert record.reviewed is not None
    assert record.reviewed.documents == len(batch.items) == 20
    assert sum(record.reviewed.reviewers.values()) == 20
    assert set(record.reviewed.reviewers) == {ANNA, BERT}
    assert reviewed_sentence(record.reviewed).startswith("20 documents came from review, by ")
    page = at.bucket.read_bytes(f"turns/{record.turn}/index.html").decode()
    assert "20 documents came from review" in page
    trained = [text for _, text in at.registered()]
    assert sum("news of" in text for text in trained) == sum(each.split == "train" for each in batch.items)


def test_a_recognizers_answers_become_datasets() -> None:
    at = people(minimum_documents_per_label=3)
    world = reviewed_world(at)
    for word in UNLIKE:
        text = f"{word.title()} {word[::-1]} met \U0001f600 somebody in {' '.join(word)}"
        world.add(text, suggested=None)
    while items := world.anna.claim(10).items:
        for item in items:
            world.anna.answer(item.text, f"0:{item.text.index(' ')}:{TYPES[0]}")
    for _ in range(2):
        publish(at.operator)
    record = at.run_turn()
    assert record.reviewed is not None
    assert record.reviewed.documents == 10
    assert {result.outcome for result in record.uploads} == {UploadOutcome.ACCEPTED}
    assert sum(result.documents for result in record.uploads) == 10


def test_status_says_why_answers_wait() -> None:
    at = Deployment()
    world = reviewed_world(at)
    assert answers_waiting(at.operator) is None
    review(world, 4)
    assert at.invoke("publish_answers", {"poke": "schedule"})["documents"] == 0
    waiting = answers_waiting(at.operator)
    assert waiting is not None
    assert waiting.answers == 4
    assert "no label has 5 training documents among them" in waiting.because


def test_an_operator_takes_a_reviewer_out() -> None:
    at = Deployment(minimum_documents_per_label=2)
    at.upload("test/test.csv", documents(*LABELS, count=6, words="judge: "))
    world = reviewed_world(at)
    review(world)
    (batch,) = published(at)
    at.run_turn()
    world.add("an answer that is not published yet")
    world.anna.claim(1)
    world.anna.answer("an answer that is not published yet", SPORTS)
    change = exclude_reviewer(at.operator, "anna", reason="labels at random")
    mine = [each for each in batch.items if ANNA in each.by]
    assert (change.documents, change.returned, change.reviewer) == (len(mine), 1, ANNA)
    assert excluded(at.operator).total_documents == len(mine)
    assert f"Withdrawn: the answers of {ANNA}." in change_sentence(change)
    assert world.bert.claim_texts(5) == ["an answer that is not published yet"]
    at.replace_flywheel()
    at.run_until_at_rest()
    registered = {text_digest(text) for _, text in at.registered()}
    assert registered & {each.item for each in batch.items} == {
        each.item for each in batch.items if each.split == "train" and each not in mine
    }
    with pytest.raises(OperatorError, match="No answers of a reviewer nobody"):
        exclude_reviewer(at.operator, "nobody", reason="-")


def test_a_text_is_forgotten_in_the_next_generation() -> None:
    at = Deployment()
    at.upload("test/test.csv", documents(*LABELS, count=6, words="judge: "))
    at.upload("train/a.csv", documents(*LABELS))
    at.run_turn()
    label, text = documents(*LABELS)[0]
    forgotten = forget(at.operator, text)
    assert (forgotten.excluded, forgotten.deleted, forgotten.in_datasets) == (1, 0, {"train-000001": 1})
    sentence = forgotten_sentence(forgotten)
    assert "until there is a new generation" in sentence
    assert "Models that were trained on them stay" in sentence
    at.replace_flywheel()
    at.run_until_at_rest()
    assert (label, text) not in at.registered()
    assert len(at.registered()) == 19
