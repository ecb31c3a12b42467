"""Label Studio's JSON: a list of tasks, with a model's predictions on the way out and people's annotations on the way
in (labelstud.io, "Label Studio JSON format of annotated tasks", "Import pre-annotated data").

Offsets go out as code points. How Label Studio counts after characters outside the Basic Multilingual Plane differs by
version (its issues 1347 and 4988 are open), so on the way in the text that it quotes decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import quoteattr

from flywheel.records.review import ReviewItem
from ops.deployment.errors import FileError
from ops.verbs.review_files.returned import Returned

_ANSWER, _TEXT = "answer", "text"
_SPANS, _CHOICES = "labels", "choices"


def task_of(item: ReviewItem, suggested: Mapping[str, Any] | None) -> dict[str, Any]:
    """`suggested` is the suggestion as a line of an upload: what kind of model made it shows in its members."""
    task: dict[str, Any] = {"data": {"text": item.text, "item": item.id}}
    if suggested is not None and item.suggestion is not None:
        task["predictions"] = [
            {
                "model_version": item.suggestion.model_arn or "unknown",
                "score": item.suggestion.confidence,
                "result": _result(suggested),
            }
        ]
    return task


def _result(suggested: Mapping[str, Any]) -> list[dict[str, Any]]:
    target = {"from_name": _ANSWER, "to_name": _TEXT}
    if "entities" in suggested:
        return [
            {
                "type": _SPANS,
                "value": {
                    "start": entity["begin"],
                    "end": entity["end"],
                    "text": entity.get("text"),
                    _SPANS: [entity["type"]],
                },
                **target,
            }
            for entity in suggested["entities"]
        ]
    return [{"type": _CHOICES, "value": {_CHOICES: suggested["labels"]}, **target}] if suggested["labels"] else []


def labeling_interface(labels: Sequence[str], *, spans: bool, several: bool) -> str:
    """The XML for a project's settings, in which the tasks open with what the model suggested."""
    text = f'  <Text name="{_TEXT}" value="$text" granularity="word"/>'
    tag, inner = ("Labels", "Label") if spans else ("Choices", "Choice")
    how = "" if spans else f' choice="{"multiple" if several else "single"}"'
    return "\n".join(
        [
            "<View>",
            f'  <{tag} name="{_ANSWER}" toName="{_TEXT}"{how}>',
            *(f"    <{inner} value={quoteattr(label)}/>" for label in labels),
            f"  </{tag}>",
            text,
            "</View>",
            "",
        ]
    )


def returned(content: bytes, *, path: str) -> list[Returned]:
    """What people answered, task by task. Raises FileError."""
    try:
        tasks = json.loads(content)
    except ValueError as error:
        raise FileError(f"{path} is not JSON: {error}. Export it from Label Studio as JSON.") from error
    if not isinstance(tasks, list):
        raise FileError(f"{path} is not a list of tasks. Export it from Label Studio as JSON.")
    return [_returned(task, f"{path}, task {number}") for number, task in enumerate(tasks, start=1)]


def _returned(task: Any, where: str) -> Returned:
    data = task.get("data") if isinstance(task, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("item"), str) or not isinstance(data.get("text"), str):
        raise FileError(f"{where}: its data have no item and text, as those of `flywheel review export` have.")
    given = [
        annotation
        for annotation in task.get("annotations") or ()
        if isinstance(annotation, dict) and not annotation.get("was_cancelled")
    ]
    answers = [_members(annotation, where) for annotation in given]
    if any(answer != answers[0] for answer in answers):
        raise FileError(f"{where}: its annotations do not agree. Delete all but one in Label Studio, and export again.")
    line = json.dumps({"text": data["text"], **answers[0]}) if answers else None
    return Returned(item=data["item"], text=data["text"], where=where, line=line)


def _members(annotation: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The answer as in a line of an upload."""
    entities: list[dict[str, Any]] = []
    labels: list[str] = []
    spans = False
    for part in annotation.get("result") or ():
        kind, value = part.get("type"), part.get("value")
        try:
            if kind == _SPANS:
                spans = True
                entities += [
                    {"begin": value["start"], "end": value["end"], "type": name, "text": value.get("text")}
                    for name in value[_SPANS]
                ]
            elif kind == _CHOICES:
                labels += value[_CHOICES]
        except (KeyError, TypeError) as error:
            raise FileError(f"{where}: an annotation of type {kind} has not what Label Studio writes.") from error
    if not spans:
        return {"labels": sorted(labels)}
    for entity in entities:
        if entity["text"] is None:
            del entity["text"]
    return {"entities": sorted(entities, key=lambda entity: (entity["begin"], entity["end"], entity["type"]))}
