# mypy: allow-untyped-calls
"""The recognizer itself: pieces of a text, training, and what is found."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from local.comprehend.document_split import held_out
from local.comprehend.entity_recognition.entities import Entity
from local.comprehend.entity_recognition.entity_list import EntityList
from local.comprehend.entity_recognition.evaluation import evaluate
from local.comprehend.entity_recognition.recognizer import Recognizer, train
from local.comprehend.entity_recognition.tokens import features, places
from local.comprehend.entity_recognition.training_data import Document
from local.comprehend.settings import Settings
from local.comprehend.training_data import InvalidTrainingDataError
from tests.contract.sample_entities import TYPES, Sample, samples


def document(sample: Sample) -> Document:
    text, entities = sample
    found = (Entity(begin=begin, end=end, type=type_) for begin, end, type_ in entities)
    return Document(text=text, entities=tuple(found))


LEARNT = [document(sample) for sample in samples(200)]


@settings(deadline=None)
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_pieces_hold_every_character_but_white_space(text: str) -> None:
    found = places(text)
    assert "".join(text[begin:end] for begin, end in found) == regex.sub(r"\s", "", text)
    assert all(end <= begin for (_, end), (begin, _) in pairwise(found))
    assert len(list(features(text, found))) == len(found)


def test_words_numbers_addresses_and_single_signs() -> None:
    text = "Caf\u00e9 e\u0301te\u0301 no. 12: @ada #one_two https://a.example/b?c=1 \U0001f600!"
    pieces = [text[begin:end] for begin, end in places(text)]
    assert pieces == [
        "Caf\u00e9",
        "e\u0301te\u0301",
        "no",
        ".",
        "12",
        ":",
        "@ada",
        "#one_two",
        "https://a.example/b?c=1",
        "\U0001f600",
        "!",
    ]


def test_order_of_the_documents_changes_no_byte() -> None:
    assert train(LEARNT) == train(LEARNT[::-1])


def test_what_was_learnt_is_found_with_a_score(tmp_path: Path) -> None:
    train(LEARNT).save(tmp_path / "models" / "one")
    model = Recognizer.load(tmp_path / "models" / "one")
    for sample in samples(20, tag="new"):
        expected = document(sample)
        found = model.find(expected.text)
        assert tuple(each.entity for each in found) == expected.entities
        assert all(0.5 < each.score <= 1 for each in found)
    assert model.find("") == model.find(" \n") == []


def test_an_entity_may_begin_and_end_within_a_piece() -> None:
    """The whole piece is learnt: no piece is ever found in part."""
    cut = [
        replace(each, entities=tuple(replace(entity, begin=entity.begin + 1) for entity in each.entities))
        for each in LEARNT
    ]
    found = train(cut).find(LEARNT[0].text)
    assert tuple(each.entity for each in found) == LEARNT[0].entities


@pytest.mark.parametrize(
    "documents",
    [
        [],
        [Document(text="Nobody came.", entities=())] * 5,
        [Document(text=" ", entities=())],
        [Document(text="Ada", entities=(Entity(begin=0, end=3, type="PERSON"),))],
    ],
)
def test_what_nothing_can_be_learnt_from(documents: list[Document]) -> None:
    with pytest.raises(InvalidTrainingDataError):
        train(documents)


def test_figures_of_each_type() -> None:
    """Two documents lack an entity that the model finds."""
    model = train(LEARNT)
    test = [document(sample) for sample in samples(40, tag="t")]
    lost = [
        Document(text=each.text, entities=tuple(one for one in each.entities if one.type != "PLACE" or number > 1))
        for number, each in enumerate(test)
    ]
    evaluation = evaluate(model, lost, types=TYPES)
    assert evaluation.test_documents == 40
    person, place = (evaluation.per_type[type_] for type_ in TYPES)
    assert (person.wrong, person.missed, place.missed) == (0, 0, 0)
    assert place.wrong == 2
    assert evaluation.accuracy == pytest.approx(38 / 40)
    scores = place.scores()
    assert scores.precision == pytest.approx(place.right / (place.right + 2))
    assert scores.recall == 1
    micro = evaluation.overall(Settings())
    assert micro.precision == pytest.approx((person.right + place.right) / (person.right + place.right + 2))
    macro = evaluation.overall(Settings(recognizer_averages="macro"))
    assert macro.precision == pytest.approx((1 + scores.precision) / 2)


def test_documents_without_entities_are_held_out_in_their_share() -> None:
    _, testing = held_out(LEARNT)
    assert sum(not each.entities for each in testing) == 5
    assert len(testing) == 20


def test_an_entity_list_takes_the_longest_and_no_part_of_a_word() -> None:
    listed = EntityList()
    for text, type_ in (("New", "A"), ("New York", "PLACE"), ("York", "PLACE"), ("a.b", "SIGN"), ("New", "B")):
        listed.add(text, type_)
    text = "New York, Newer Yorks, New Yorkers; a.b xa.b York"
    found = [(text[each.begin : each.end], each.type) for each in listed.matches(text)]
    assert found == [("New York", "PLACE"), ("New", "A"), ("a.b", "SIGN"), ("York", "PLACE")]
