"""Items go out to other annotation tools, and their answers come in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from flywheel.comprehend.model_kind import Task
from flywheel.entity_recognition import ENTITY_RECOGNITION
from flywheel.records.predictions import ScoredEntity, Suggestion, text_digest
from flywheel.records.review import ItemSource, ItemState, Lane, WaitingItem
from flywheel.review.add_item import add
from ops.deployment.errors import FileError
from ops.verbs.review_files.exchange import EXPORT_LASTS, Exported, Imported, Tool, export_items, import_answers
from tests.pipeline.review.world import ANNA, TASK, WORDS, World

TYPES = Task(labels=("PERSON", "CITY"))
EMOJI = "\U0001f600 Anna met Bert\nin Rome."
"""Offsets in code points and in UTF-16 units differ, and an upload's reader changes the newline."""


def exported(world: World, folder: Path, tool: Tool, count: int = 10) -> tuple[Exported, Path]:
    path, interface = folder / "out", folder / "interface.xml"
    found = export_items(world.queue, path, tool=tool, by=ANNA, count=count, now=world.now, interface=interface)
    return found, path


def imported(world: World, folder: Path, tool: Tool, content: str) -> Imported:
    path = folder / "in"
    path.write_text(content, encoding="utf-8", newline="")
    return import_answers(world.queue, path, tool=tool, by=ANNA, now=world.now)


def label_studio(path: Path) -> list[dict[str, Any]]:
    tasks: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return tasks


def annotated(task: dict[str, Any], *results: dict[str, Any], **members: Any) -> dict[str, Any]:
    """As Label Studio exports it."""
    annotation = {"id": 1, "completed_by": 1, "was_cancelled": False, "result": list(results), **members}
    return {"id": 7, **task, "annotations": [annotation], "predictions": [], "meta": {}}


def choice(*labels: str) -> dict[str, Any]:
    return {"from_name": "answer", "to_name": "text", "type": "choices", "value": {"choices": list(labels)}}


def span(start: int, end: int, type_: str, text: str | None = None) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": [type_], **({} if text is None else {"text": text})}
    return {"from_name": "answer", "to_name": "text", "type": "labels", "value": value}


def recognizer(text: str) -> World:
    world = World(kind=ENTITY_RECOGNITION, task=TYPES)
    suggestion = Suggestion(
        labels=("2:6:PERSON",),
        entities=(ScoredEntity(type="PERSON", begin=2, end=6, score=0.4),),
        confidence=0.4,
        margin=0.4,
        model_arn="arn:model",
    )
    item = WaitingItem(text=text, source=ItemSource.API, suggestion=suggestion, at=world.now)
    add(item, lane=Lane.UNCERTAIN, rank=400, intake=world.bucket)
    return world


def test_label_studio_gets_the_suggestion_and_brings_the_answer_back(tmp_path: Path) -> None:
    world = World()
    for place, text in enumerate(WORDS[:3]):
        world.add(text, margin=place / 10)
    out, path = exported(world, tmp_path, Tool.LABEL_STUDIO)
    tasks = label_studio(path)
    assert [task["data"]["text"] for task in tasks] == list(WORDS[:3])
    assert tasks[0]["predictions"][0]["result"] == [choice("SPORTS")]
    first, second, third = tasks
    back = [annotated(first, choice("BUSINESS")), annotated(second, was_cancelled=True), third]
    found = imported(world, tmp_path, Tool.LABEL_STUDIO, json.dumps(back))
    assert (out.items, found.answered, found.unanswered, found.refused) == (3, 1, 2, ())
    assert world.agreed() == {WORDS[0]: ("BUSINESS",)}


def test_who_reviews_on_the_page_does_not_get_what_is_out(tmp_path: Path) -> None:
    world = World()
    for text in WORDS[:3]:
        world.add(text)
    out, _ = exported(world, tmp_path, Tool.LABEL_STUDIO, count=2)
    assert out.until == world.now + EXPORT_LASTS
    world.later(60 * 24)
    assert len(world.anna.claim(10).items) == 1


def test_items_that_are_out_for_too_long_come_back(tmp_path: Path) -> None:
    world = World()
    world.add(WORDS[0])
    exported(world, tmp_path, Tool.AUGMENTED_MANIFEST)
    world.later(60 * 24 * 15)
    world.bert.claim()
    assert world.bert.claim_texts() == [WORDS[0]]


def test_a_second_export_has_what_is_still_out(tmp_path: Path) -> None:
    world = World()
    world.add(WORDS[0])
    first = exported(world, tmp_path, Tool.LABEL_STUDIO)[1].read_text()
    assert exported(world, tmp_path, Tool.LABEL_STUDIO)[1].read_text() == first


def test_answers_come_in_twice(tmp_path: Path) -> None:
    world = World()
    world.add(WORDS[0])
    _, path = exported(world, tmp_path, Tool.LABEL_STUDIO)
    back = json.dumps([annotated(label_studio(path)[0], choice("BUSINESS"))])
    assert imported(world, tmp_path, Tool.LABEL_STUDIO, back) == imported(world, tmp_path, Tool.LABEL_STUDIO, back)
    assert world.agreed() == {WORDS[0]: ("BUSINESS",)}


@pytest.mark.parametrize("start", [2, 3], ids=["code points", "UTF-16"])
def test_spans_come_in_as_either_version_of_label_studio_counts(tmp_path: Path, start: int) -> None:
    world = recognizer(EMOJI)
    _, path = exported(world, tmp_path, Tool.LABEL_STUDIO)
    (task,) = label_studio(path)
    assert task["predictions"][0]["result"] == [span(2, 6, "PERSON", "Anna")]
    shift = start - 2
    back = annotated(task, span(start, start + 4, "PERSON", "Anna"), span(19 + shift, 23 + shift, "CITY", "Rome"))
    found = imported(world, tmp_path, Tool.LABEL_STUDIO, json.dumps([back]))
    assert (found.answered, found.refused) == (1, ())
    assert world.agreed() == {EMOJI: ("2:6:PERSON", "19:23:CITY")}
    interface = ElementTree.parse(tmp_path / "interface.xml")  # noqa: S314 - our own
    assert [label.get("value") for label in interface.iter("Label")] == ["PERSON", "CITY"]


def test_offsets_stay_right_where_an_upload_would_lose_white_space(tmp_path: Path) -> None:
    text = "  xx Anna went"
    world = recognizer(text)
    _, path = exported(world, tmp_path, Tool.LABEL_STUDIO)
    back = annotated(label_studio(path)[0], span(5, 9, "PERSON", "Anna"))
    imported(world, tmp_path, Tool.LABEL_STUDIO, json.dumps([back]))
    assert world.agreed() == {text: ("5:9:PERSON",)}


def test_no_entity_is_an_answer(tmp_path: Path) -> None:
    world = recognizer(EMOJI)
    _, path = exported(world, tmp_path, Tool.LABEL_STUDIO)
    back = json.dumps([annotated(label_studio(path)[0])])
    assert imported(world, tmp_path, Tool.LABEL_STUDIO, back).answered == 1
    assert world.agreed() == {EMOJI: ()}


def test_ground_truth_classifies(tmp_path: Path) -> None:
    world = World()
    for text in WORDS[:2]:
        world.add(text)
    _, path = exported(world, tmp_path, Tool.AUGMENTED_MANIFEST)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0]["suggested"] == {"labels": ["SPORTS"]}
    answered = next(line for line in lines if line["source"] == WORDS[0])
    answered |= {
        "job": 1,
        "job-metadata": {
            "class-name": "BUSINESS",
            "confidence": 0.9,
            "type": "groundtruth/text-classification",
            "human-annotated": "yes",
        },
    }
    found = imported(world, tmp_path, Tool.AUGMENTED_MANIFEST, "".join(json.dumps(line) + "\n" for line in lines))
    assert (found.answered, found.unanswered, found.states) == (1, 1, {"ANSWERED": 1})
    assert world.agreed() == {WORDS[0]: ("BUSINESS",)}


def test_ground_truth_classifies_with_several_labels(tmp_path: Path) -> None:
    world = World(task=Task(labels=TASK.labels, multi_label=True))
    world.add(WORDS[0])
    _, path = exported(world, tmp_path, Tool.AUGMENTED_MANIFEST)
    answered = json.loads(path.read_text()) | {
        "job": [0, 1],
        "job-metadata": {
            "class-map": {"0": "SPORTS", "1": "BUSINESS"},
            "type": "groundtruth/text-classification-multilabel",
            "human-annotated": "yes",
        },
    }
    imported(world, tmp_path, Tool.AUGMENTED_MANIFEST, json.dumps(answered))
    assert {text: set(labels or ()) for text, labels in world.agreed().items()} == {WORDS[0]: {"SPORTS", "BUSINESS"}}


def test_ground_truth_finds_entities(tmp_path: Path) -> None:
    world = recognizer(EMOJI)
    _, path = exported(world, tmp_path, Tool.AUGMENTED_MANIFEST)
    answered = json.loads(path.read_text()) | {
        "job": {"annotations": {"entities": [{"label": "CITY", "startOffset": 19, "endOffset": 23}]}},
        "job-metadata": {"type": "groundtruth/text-span", "human-annotated": "yes"},
    }
    imported(world, tmp_path, Tool.AUGMENTED_MANIFEST, json.dumps(answered))
    assert world.agreed() == {EMOJI: ("19:23:CITY",)}


def test_nothing_is_claimed_for_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    world = World()
    world.add(WORDS[0])
    with pytest.raises(FileError, match="cannot be written"):
        exported(world, tmp_path / "missing", Tool.LABEL_STUDIO)
    assert world.anna.claim_texts() == [WORDS[0]]


def bad_files() -> dict[str, tuple[Tool, str, str]]:
    item = {"text": WORDS[0], "item": text_digest(WORDS[0])}
    twice = annotated({"data": item}, choice("SPORTS"))
    twice["annotations"] += annotated({"data": item}, choice("BUSINESS"))["annotations"]
    studio, manifest = Tool.LABEL_STUDIO, Tool.AUGMENTED_MANIFEST
    return {
        "not JSON": (studio, "[", "is not JSON"),
        "no list": (studio, "{}", "is not a list of tasks"),
        "another project's": (studio, '[{"data": {"text": "a"}}]', "task 1: its data have no item"),
        "two people": (studio, json.dumps([twice]), "task 1: its annotations do not agree"),
        "another label": (studio, json.dumps([annotated({"data": item}, choice("MUSIC"))]), "task 1: .*MUSIC"),
        "no item": (manifest, '{"source": "a"}', "line 1 has no item"),
        "no JSON line": (manifest, "a\n", "line 1 is not JSON"),
    }


@pytest.mark.parametrize(("tool", "content", "message"), bad_files().values(), ids=bad_files())
def test_what_cannot_be_read_is_told_and_nothing_is_answered(
    tmp_path: Path, tool: Tool, content: str, message: str
) -> None:
    world = World()
    world.add(WORDS[0])
    exported(world, tmp_path, tool)
    with pytest.raises(FileError, match=message):
        imported(world, tmp_path, tool, content)
    assert world.agreed() == {}


def test_what_the_queue_refuses_stops_no_other_answer(tmp_path: Path) -> None:
    world = World()
    for text in WORDS[:3]:
        world.add(text)
    _, path = exported(world, tmp_path, Tool.LABEL_STUDIO)
    tasks = {task["data"]["text"]: task for task in label_studio(path)}
    changed, gone, right = (annotated(tasks[text], choice("BUSINESS")) for text in WORDS[:3])
    changed["data"]["text"] += " x"
    gone["data"]["item"] = "0" * 32
    found = imported(world, tmp_path, Tool.LABEL_STUDIO, json.dumps([changed, gone, right]))
    assert world.agreed() == {WORDS[2]: ("BUSINESS",)}
    assert [refusal.where.rsplit(", ", 1)[1] for refusal in found.refused] == ["task 1", "task 2"]
    assert found.states == {ItemState.ANSWERED: 1}
