"""The demo of a recognizer tells the truth, and its models get better and worse as its story says."""

from __future__ import annotations

from pathlib import Path

import pytest

from flywheel.preparation import UploadOptions
from flywheel.preparation.entities import EntityRules
from local.comprehend.entity_recognition.entities import Entity
from local.comprehend.entity_recognition.recognizer import train
from local.comprehend.entity_recognition.training_data import Document
from local.demo_entities import CHAPTERS, LEAST_RIGHT, STORY, wrong_answers
from local.sample_letters import TYPES, Letter, Recipe, letters, write
from ops.verbs.classify import ClassifiedText, FoundEntity, RecognizedText
from ops.verbs.validate import validate

RULES = EntityRules(types=TYPES)


def test_letters_are_the_same_for_the_same_seed_and_annotated_where_the_names_stand() -> None:
    recipe = Recipe(letters=200)
    written = letters(recipe, seed=1)
    assert written == letters(recipe, seed=1) != letters(recipe, seed=2)
    assert len({text for text, _ in written}) == 200
    for text, spans in written:
        assert {span.type for span in spans} == set(TYPES)
        assert all(text[span.begin : span.end].istitle() for span in spans)
        assert "{" not in text


@pytest.mark.parametrize("name", ["letters.jsonl", "letters"])
def test_what_is_written_is_taken_by_the_pipeline(tmp_path: Path, name: str) -> None:
    (found,) = validate(
        [write(tmp_path / name, letters(Recipe(letters=80), seed=3))], rules=RULES, options=UploadOptions()
    )
    assert found.accepted, found.report
    assert (found.documents, found.annotations, found.bad_lines, found.remarks) == (
        80,
        {"PERSON": 80, "PLACE": 80},
        {},
        {},
    )


def test_the_broken_folder_is_rejected(tmp_path: Path) -> None:
    (found,) = validate([STORY.write_broken(tmp_path)], rules=RULES, options=UploadOptions())
    assert not found.accepted


def document(letter: Letter) -> Document:
    text, spans = letter
    return Document(text=text, entities=tuple(Entity(begin=one.begin, end=one.end, type=one.type) for one in spans))


def test_the_models_of_the_story_get_better_and_worse_as_told() -> None:
    """By the local Comprehend's own recognizer, as the flywheel trains it: on all training data so far."""
    held_out: list[Document] = []
    training: list[Document] = []
    scores: list[float] = []
    for number, chapter in enumerate(CHAPTERS, start=1):
        for recipe in chapter.test.values():
            held_out += map(document, letters(recipe, seed=100 + number))
        for recipe in chapter.train.values():
            training += map(document, letters(recipe, seed=number))
        recognizer = train(training)
        expected = {(one.text, entity) for one in held_out for entity in one.entities}
        found = {(one.text, each.entity) for one in held_out for each in recognizer.find(one.text)}
        scores.append(2 * len(expected & found) / (len(expected) + len(found)))
    first, better, mislabelled = scores
    assert 0.4 < first < better - 0.05, scores
    assert mislabelled < first, scores
    assert LEAST_RIGHT < better < 0.995, "a problem that is no problem shows nothing"


def test_answers_that_fail_or_are_wrong_are_told() -> None:
    (asked,) = letters(Recipe(letters=1), seed=5)
    text, spans = asked
    entities = tuple(
        FoundEntity(
            text=text[one.begin : one.end],
            type=one.type,
            begin=one.begin,
            end=one.end,
            begin_utf16=one.begin,
            end_utf16=one.end,
            score=0.9,
        )
        for one in spans
    )
    right = RecognizedText(text=text, entities=entities)
    assert wrong_answers([asked], [right]) == []
    (few,) = wrong_answers([asked], [right.model_copy(update={"entities": entities[:1]})])
    assert "1 of 2" in few
    (failed,) = wrong_answers([asked], [ClassifiedText(text=text, error="THROTTLED", message="too many")])
    assert "too many" in failed
