"""`python -m local demo`: a flywheel's life in seven turns, and whether each ended as it should."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import UploadOutcome, rejected_folder
from local import batch, live
from local.cloud import LocalCloud, LocalCloudError, OnConsole
from local.cloud.places import LOCAL_FOLDER
from local.sample_news import LABELS, Recipe, documents, write_csv
from local.story import turns_table
from local.walk import Walk
from ops.analyze import FinishedAnalysis
from ops.report import save_report

NAME = "demo"
NEXT = """
What to do next:
  with files of your own    .venv/bin/python -m local run --train train.csv --test test.csv
  a local cloud that stays  .venv/bin/python -m local up
  what it would cost        make synth && .venv/bin/flywheel cost --settings
  before AWS                name and labels in cdk.json, then .venv/bin/flywheel doctor
  on AWS                    make deploy (README: Deploy to AWS)"""
REPORT = LOCAL_FOLDER / "demo-report.html"


class Reply(StrEnum):
    """What a person says when a turn wants to promote a model."""

    APPROVE = "approve"
    DECLINE = "decline"


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A turn, what it is given, what people do about it, and how it has to end."""

    title: str
    told: str
    decision: DecisionKind
    reply: Reply | None = None
    starts_iteration: bool = True
    train: dict[str, Recipe] = field(default_factory=dict)
    test: dict[str, Recipe] = field(default_factory=dict)
    broken: bool = False
    rolled_back: bool = False
    """Before this turn an operator brings the former model back."""


_UNSEEN = Recipe(documents_per_label=100, asides=1, vague=0.25)
"""What the models are tested on: all that there is to write about, and much that tells little."""
CHAPTERS: Sequence[Chapter] = (
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


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo() -> None:
    """Walk a flywheel through its life, in a local cloud of its own."""
    console = Console()
    console.print(
        Panel("Amazon Comprehend flywheel: deploy, upload, train, compare, approve, promote, undo, serve", expand=False)
    )
    records: list[TurnRecord] = []
    with tempfile.TemporaryDirectory() as folder, LocalCloud(instance="demo", progress=OnConsole(console)) as cloud:
        context = {"name": NAME, "labels": ",".join(LABELS), "mode": "MULTI_CLASS"}
        parameters = {"MinimumScore": "0.3", "PromotionMode": "APPROVAL", "Evidence": "HOLDOUT"}
        walk = Walk.deploy(cloud, name=NAME, parameters=parameters, context=context)
        for number, chapter in enumerate(CHAPTERS, start=1):
            record = _play(console, walk, chapter, number, Path(folder))
            records.append(record)
        console.print(turns_table(records))
        wrong = _serve_live(console, cloud, walk, records)
        analysed = _analyse(console, walk, Path(folder))
        page = save_report(walk.deployment, _last_decided(records), output=REPORT).path
    wrong += [line for chapter, record in zip(CHAPTERS, records, strict=True) for line in differences(chapter, record)]
    wrong += batch.differences(analysed)
    if wrong:
        raise LocalCloudError("The demo did not end as told: " + " ".join(wrong))
    console.print("[green]Every turn ended as told.[/green]")
    console.print(f"The report: {page}", soft_wrap=True)
    console.print(NEXT, markup=False, highlight=False, soft_wrap=True)
    if console.is_terminal:
        webbrowser.open(Path(page).as_uri())


def _serve_live(console: Console, cloud: LocalCloud, walk: Walk, records: Sequence[TurnRecord]) -> list[str]:
    """What did not end as told."""
    console.print(
        f"\n[bold]Live predictions[/bold]\nAn operator asks for an endpoint of {live.UNITS} inference units; "
        "its API is called with signed requests."
    )
    api = live.serve(cloud, walk.deployment)
    articles = live.articles(seed=500)
    texts = [text for _, text in articles]
    before = live.classified(api, texts)
    best = next(record.turn for record in records if _was_declined(record))
    console.print(
        f"\n[bold]A promotion under load[/bold]\nThe release freeze is over: the model of {best} becomes active, "
        f"while a client calls the API {live.CALLS_A_SECOND} times a second."
    )
    with console.status("promoting"), live.under_load(api, seed=501) as load:
        promotion = walk.rollback(to=best)
    console.print(
        f"[green]✓[/green] {promotion.status.value}. {promotion.serving or promotion.reason}\n"
        f"{load.calls} calls at {load.rate:.1f} a second, {len(load.errors)} errors"
    )
    after = live.classified(api, texts)
    live.show(console, articles, before=before, after=after)
    return live.differences([*before, *after], load, promotion)


def _was_declined(record: TurnRecord) -> bool:
    return record.promotion is not None and record.promotion.status is PromotionStatus.DECLINED


def _analyse(console: Console, walk: Walk, folder: Path) -> FinishedAnalysis:
    console.print(
        f"\n[bold]A batch job[/bold]\n{batch.DOCUMENTS:,} new articles, classified by the model that serves now."
    )
    with console.status("uploading") as status:
        finished = batch.analyse_a_thousand(
            walk.deployment, folder=folder, seed=1000, on_step=lambda step: status.update(f"[dim]{step}[/dim]")
        )
    batch.show(console, finished)
    return finished


def _last_decided(records: Sequence[TurnRecord]) -> str:
    """The turn whose report shows the most: the last that had a candidate."""
    return [record.turn for record in records if record.candidate is not None][-1]


def _play(console: Console, walk: Walk, chapter: Chapter, number: int, folder: Path) -> TurnRecord:
    console.print(f"\n[bold]Turn {number}. {chapter.title}[/bold]\n{chapter.told}")
    if chapter.rolled_back:
        ended = walk.rollback()
        console.print(f"[green]✓[/green] rollback, asked for by {ended.by}: {ended.status.value}. {ended.reason}")
    train = [write_csv(folder / name, documents(recipe, seed=number)) for name, recipe in chapter.train.items()]
    test = [write_csv(folder / name, documents(recipe, seed=100 + number)) for name, recipe in chapter.test.items()]
    if chapter.broken:
        train.append(_broken_file(folder / "broken.csv"))
    with console.status("uploading") as status:

        def show(step: str) -> None:
            status.update(f"[dim]{step}[/dim]")

        wanted = train or test
        record = walk.turn(train=train, test=test, on_step=show) if wanted else walk.turn_now(on_step=show)
    console.print(f"[green]✓[/green] {record.decision.value}: {' '.join(record.reasons)}")
    for result in record.uploads:
        if result.outcome is UploadOutcome.REJECTED:
            report = walk.deployment.intake.read_bytes(f"{rejected_folder(result.upload)}report.txt").decode()
            console.print(Panel(Text(report.strip()), title=Text(f"rejected: {result.upload.key}"), expand=False))
    if chapter.reply is not None and record.decision is DecisionKind.PROMOTE:
        approved = chapter.reply is Reply.APPROVE
        record = walk.approve(record) if approved else walk.decline(record, reason="There is a release freeze.")
        if record.promotion is not None:
            console.print(
                f"[green]✓[/green] {chapter.reply.value}: {record.promotion.status.value}. {record.promotion.reason}"
            )
    return record


def _broken_file(path: Path) -> Path:
    """What people really send: an unknown label, a line without a label, text without a column, an empty text."""
    lines = [
        *(f"SPORTS,The match of week {week} ended without a goal" for week in range(1, 16)),
        "SPORT,The label is not quite right",
        "just one column",
        "WORLD,",
        ",Nobody said what this is",
        "BUSINESS,Shares rose,and a comma without quotes makes three columns",
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


_EXPECTED = {Reply.APPROVE: PromotionStatus.PROMOTED, Reply.DECLINE: PromotionStatus.DECLINED, None: None}


def differences(chapter: Chapter, record: TurnRecord) -> list[str]:
    """Sentences on what did not end as the chapter says; none if all did."""
    found = []
    if record.outcome is not TurnOutcome.SUCCEEDED:
        found.append(f"{record.turn} ended {record.outcome}: {record.cause or record.error}.")
    if record.decision is not chapter.decision:
        found.append(f"{record.turn} decided {record.decision}, not {chapter.decision}.")
    status = record.promotion.status if record.promotion else None
    if status is not _EXPECTED[chapter.reply]:
        found.append(f"The promotion of {record.turn} is {status or 'not there'}, not {_EXPECTED[chapter.reply]}.")
    if (record.iteration_id is not None) is not chapter.starts_iteration:
        found.append(f"{record.turn} {'started no' if chapter.starts_iteration else 'started an'} iteration.")
    rejected = any(result.outcome is UploadOutcome.REJECTED for result in record.uploads)
    if rejected is not chapter.broken:
        found.append(f"{record.turn} {'did not reject the broken file' if chapter.broken else 'rejected a file'}.")
    return found
