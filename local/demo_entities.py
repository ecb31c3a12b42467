"""`python -m local demo-entities`: a recognizer's flywheel in three turns, and whether each ended as it should."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console

from flywheel.records.decisions import DecisionKind
from local import batch, live
from local.chapters import Chapter, Reply, Stage, Story, tell
from local.cloud.places import LOCAL_FOLDER
from local.held_out import labels_of
from local.sample_letters import TYPES, Letter, Recipe, letters, write
from ops.tables.classify import answers_table
from ops.verbs.classify import ClassifiedText

NEXT = """
With files of your own:
  .venv/bin/python -m local run --kind entities --train train.conll --test test.conll"""
LEAST_RIGHT = 0.7
"""Of the live answers: the model does not know all names."""
_LIVE_LETTERS = 5
_JOB_LETTERS = 200

CHAPTERS: Sequence[Chapter[Recipe]] = (
    Chapter(
        title="A first model",
        told="A folder: letters, and annotations of the people and places in them. A person approves the model.",
        decision=DecisionKind.PROMOTE,
        reply=Reply.APPROVE,
        train={"first-letters": Recipe(letters=60, forms=4, names=10)},
        test={"held-out.jsonl": Recipe(letters=150)},
    ),
    Chapter(
        title="Better data",
        told="Letters that speak of people in more ways, as JSON Lines. A folder with impossible offsets is rejected.",
        decision=DecisionKind.PROMOTE,
        reply=Reply.APPROVE,
        train={"more-letters.jsonl": Recipe(letters=200, names=16)},
        broken=True,
    ),
    Chapter(
        title="Mislabelled data",
        told="People are annotated as places: the candidate is worse, and nobody is even asked.",
        decision=DecisionKind.KEEP,
        train={"mislabelled": Recipe(letters=400, mislabelled=0.9)},
    ),
)


def _write(path: Path, recipe: Recipe, seed: int) -> Path:
    return write(path, letters(recipe, seed=seed))


def _write_broken(folder: Path) -> Path:
    """Annotations that were made for other letters: their offsets lie outside the texts."""
    path = write(folder / "broken-letters", letters(Recipe(letters=30), seed=99))
    (path / "letters.txt").write_text("".join(f"A postcard, number {number}.\n" for number in range(30)))
    return path


STORY = Story(
    title="A flywheel for entity recognition: annotate, upload, train, compare, approve, serve",
    instance="demo-entities",
    name="letters",
    context={"model_type": "ENTITY_RECOGNIZER", "entity_types": ",".join(TYPES)},
    chapters=CHAPTERS,
    write=_write,
    write_broken=_write_broken,
    report=LOCAL_FOLDER / "demo-entities-report.html",
)


def register(app: typer.Typer) -> None:
    app.command()(demo_entities)


def demo_entities() -> None:
    """Walk a recognizer's flywheel through its life, in a local cloud of its own."""
    console = Console()
    tell(console, STORY, epilogue=lambda stage: _serve_live(console, stage) + _analyse(console, stage))
    console.print(NEXT, markup=False, highlight=False, soft_wrap=True)


def _serve_live(console: Console, stage: Stage) -> list[str]:
    """What did not end as told."""
    console.print("\n[bold]Live answers[/bold]\nAn endpoint answers for letters that no model has seen.")
    asked = letters(Recipe(letters=_LIVE_LETTERS), seed=500)
    with console.status("The endpoint"):
        api = live.serve(stage.cloud, stage.walk.deployment)
        answers = live.classified(api, [text for text, _ in asked])
    console.print(answers_table(answers))
    return wrong_answers(asked, answers)


def _analyse(console: Console, stage: Stage) -> list[str]:
    """What did not end as told."""
    console.print(f"\n[bold]A batch job[/bold]\n{_JOB_LETTERS} new letters, read by the model that serves now.")
    texts = [text for text, _ in letters(Recipe(letters=_JOB_LETTERS), seed=1000)]
    with console.status("The job"):
        finished = batch.analyse(stage.walk.deployment, texts, path=stage.folder / "new-letters.txt")
    batch.show(console, finished)
    return batch.differences(finished, documents=_JOB_LETTERS)


def wrong_answers(asked: Sequence[Letter], answers: Sequence[ClassifiedText]) -> list[str]:
    """Sentences on answers that failed, and on too few that are right; none if all is as told."""
    found = [f"The API did not answer {answer.text!r}: {answer.message}." for answer in answers if not answer.answered]
    expected = {(number, span.label) for number, (_, spans) in enumerate(asked) for span in spans}
    given = {(number, label) for number, answer in enumerate(answers) for label in labels_of(answer)}
    if not found and len(expected & given) < LEAST_RIGHT * len(expected):
        found.append(f"The API found {len(expected & given)} of {len(expected)} people and places.")
    return found
