"""`python -m local demo`: a flywheel's life in seven turns, and whether each ended as it should."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer
from rich.console import Console

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnRecord
from local import batch, live
from local.chapters import Chapter, Reply, Stage, Story, tell
from local.cloud.places import LOCAL_FOLDER
from local.sample_news import LABELS, Recipe, documents, write_csv

NAME = "demo"
NEXT = """
What to do next:
  with files of your own    .venv/bin/python -m local run --train train.csv --test test.csv
  a local cloud that stays  .venv/bin/python -m local up
  what it would cost        make synth && .venv/bin/flywheel cost --settings
  before AWS                name and labels in cdk.json, then .venv/bin/flywheel doctor
  on AWS                    make deploy (README: Deploy to AWS)"""
REPORT = LOCAL_FOLDER / "demo-report.html"
_UNSEEN = Recipe(documents_per_label=100, asides=1, vague=0.25)
"""What the models are tested on: all that there is to write about, and much that tells little."""
CHAPTERS: Sequence[Chapter[Recipe]] = (
    Chapter(
        title="A first model",
        told="Few articles about few things. It has nothing to beat, and a person approves it.",
        decision=DecisionKind.PROMOTE,
        reply=Reply.APPROVE,
        train={"first-articles.csv": Recipe(documents_per_label=60, scenes=2)},
        test={"held-out.csv": _UNSEEN},
    ),
    Chapter(
        title="Better data",
        told="Articles about more things make a better model, which a person approves. A broken file is rejected.",
        decision=DecisionKind.PROMOTE,
        reply=Reply.APPROVE,
        train={"more-articles.csv": Recipe(documents_per_label=60, scenes=3, asides=1)},
        broken=True,
    ),
    Chapter(
        title="Mislabelled data",
        told="Most documents carry a wrong label: the candidate is worse, and nobody is even asked.",
        decision=DecisionKind.KEEP,
        train={"mislabelled.csv": Recipe(documents_per_label=120, mislabelled=0.9)},
    ),
    Chapter(
        title="Only test data",
        told="Nothing is trained; the active model is scored on what is new.",
        decision=DecisionKind.REPORT,
        test={"this-week.csv": Recipe(documents_per_label=50, asides=2, vague=0.25)},
    ),
    Chapter(
        title="Nothing new",
        told="An operator asks for a turn; it finds nothing to do and starts no iteration.",
        decision=DecisionKind.NOTHING,
        starts_iteration=False,
    ),
    Chapter(
        title="A release freeze",
        told="Articles about everything, rightly labelled, make the best model yet, but a person declines it.",
        decision=DecisionKind.PROMOTE,
        reply=Reply.DECLINE,
        train={"all-articles.csv": Recipe(documents_per_label=400, asides=1)},
    ),
    Chapter(
        title="A rollback",
        told="An operator brings the first model back, and the next turn does not promote the other one again.",
        decision=DecisionKind.NOTHING,
        starts_iteration=False,
        rolled_back=True,
    ),
)


def _write(path: Path, recipe: Recipe, seed: int) -> Path:
    return write_csv(path, documents(recipe, seed=seed))


def _write_broken(folder: Path) -> Path:
    """What people really send: an unknown label, a line without a label, text without a column, an empty text."""
    lines = [
        *(f"SPORTS,The match of week {week} ended without a goal" for week in range(1, 16)),
        "SPORT,The label is not quite right",
        "just one column",
        "WORLD,",
        ",Nobody said what this is",
        "BUSINESS,Shares rose,and a comma without quotes makes three columns",
    ]
    path = folder / "broken.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


STORY = Story(
    title="Amazon Comprehend flywheel: deploy, upload, train, compare, approve, promote, undo, serve",
    instance="demo",
    name=NAME,
    context={"labels": ",".join(LABELS), "mode": "MULTI_CLASS"},
    chapters=CHAPTERS,
    write=_write,
    write_broken=_write_broken,
    report=REPORT,
)


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo() -> None:
    """Walk a flywheel through its life, in a local cloud of its own."""
    console = Console()
    tell(console, STORY, epilogue=lambda stage: _serve_live(console, stage) + _analyse(console, stage))
    console.print(NEXT, markup=False, highlight=False, soft_wrap=True)


def _serve_live(console: Console, stage: Stage) -> list[str]:
    """What did not end as told."""
    console.print(
        f"\n[bold]Live predictions[/bold]\nAn operator asks for an endpoint of {live.UNITS} inference units; "
        "its API is called with signed requests."
    )
    api = live.serve(stage.cloud, stage.walk.deployment)
    articles = live.articles(seed=500)
    texts = [text for _, text in articles]
    before = live.classified(api, texts)
    best = next(record.turn for record in stage.records if _was_declined(record))
    console.print(
        f"\n[bold]A promotion under load[/bold]\nThe release freeze is over: the model of {best} becomes active, "
        f"while a client calls the API {live.CALLS_A_SECOND} times a second."
    )
    with console.status("promoting"), live.under_load(api, seed=501) as load:
        promotion = stage.walk.rollback(to=best)
    console.print(
        f"[green]✓[/green] {promotion.status.value}. {promotion.serving or promotion.reason}\n"
        f"{load.calls} calls at {load.rate:.1f} a second, {len(load.errors)} errors"
    )
    after = live.classified(api, texts)
    live.show(console, articles, before=before, after=after)
    return live.differences([*before, *after], load, promotion)


def _was_declined(record: TurnRecord) -> bool:
    return record.promotion is not None and record.promotion.status is PromotionStatus.DECLINED


def _analyse(console: Console, stage: Stage) -> list[str]:
    """What did not end as told."""
    console.print(
        f"\n[bold]A batch job[/bold]\n{batch.DOCUMENTS:,} new articles, classified by the model that serves now."
    )
    with console.status("uploading") as status:
        finished = batch.analyse_a_thousand(
            stage.walk.deployment,
            folder=stage.folder,
            seed=1000,
            on_step=lambda step: status.update(f"[dim]{step}[/dim]"),
        )
    batch.show(console, finished)
    return batch.differences(finished)
