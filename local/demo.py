"""`python -m local demo`: a flywheel's life in five turns, and whether each ended as it should."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from flywheel.prepare_uploads import rejected_folder
from flywheel.records import DecisionKind, Promotion, PromotionStatus, TurnOutcome, TurnRecord, UploadOutcome
from local.cloud import LocalCloud, LocalCloudError, OnConsole
from local.sample_news import LABELS, Recipe, documents, write_csv
from local.story import turns_table
from local.walk import Walk

NAME = "demo"


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """A turn, what it is given, and how it has to end."""

    title: str
    told: str
    decision: DecisionKind
    promoted: bool = False
    starts_iteration: bool = True
    train: dict[str, Recipe] = field(default_factory=dict)
    test: dict[str, Recipe] = field(default_factory=dict)
    broken: bool = False


_ALL_WORDS = 40
CHAPTERS: Sequence[Chapter] = (
    Chapter(
        title="A first model",
        told="Few documents that know few words: the first model is promoted, because there is no other.",
        decision=DecisionKind.PROMOTE,
        promoted=True,
        train={"first-articles.csv": Recipe(documents_per_label=60, vocabulary=20)},
        test={"held-out.csv": Recipe(documents_per_label=100, vocabulary=_ALL_WORDS, topic_words=3, foreign_words=2)},
    ),
    Chapter(
        title="Better data",
        told="More documents with all the words make a better model, which is promoted. A broken file is rejected.",
        decision=DecisionKind.PROMOTE,
        promoted=True,
        train={
            "more-articles.csv": Recipe(documents_per_label=150, vocabulary=_ALL_WORDS, topic_words=3, foreign_words=1)
        },
        broken=True,
    ),
    Chapter(
        title="Mislabelled data",
        told="Most documents carry a wrong label: the candidate is worse, and the active model stays.",
        decision=DecisionKind.KEEP,
        train={
            "mislabelled.csv": Recipe(documents_per_label=120, vocabulary=_ALL_WORDS, topic_words=3, mislabelled=0.8)
        },
    ),
    Chapter(
        title="Only test data",
        told="Nothing is trained; the active model is scored on what is new.",
        decision=DecisionKind.REPORT,
        test={"this-week.csv": Recipe(documents_per_label=50, vocabulary=_ALL_WORDS, topic_words=3, foreign_words=3)},
    ),
    Chapter(
        title="Nothing new",
        told="An operator asks for a turn; it finds nothing to do and starts no iteration.",
        decision=DecisionKind.NOTHING,
        starts_iteration=False,
    ),
)


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo() -> None:
    """Walk a flywheel through its life, in a local cloud of its own."""
    console = Console()
    console.print(Panel("Amazon Comprehend flywheel: deploy, upload, train, compare, promote", expand=False))
    records: list[TurnRecord] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud(instance="demo", progress=OnConsole(console)) as cloud,
    ):
        context = {"name": NAME, "labels": ",".join(LABELS), "mode": "MULTI_CLASS"}
        walk = Walk.deploy(cloud, name=NAME, parameters={"MinimumScore": "0.5"}, context=context)
        for number, chapter in enumerate(CHAPTERS, start=1):
            record = _play(console, walk, chapter, number, Path(folder))
            records.append(record)
        console.print(turns_table(records))
    wrong = [line for chapter, record in zip(CHAPTERS, records, strict=True) for line in differences(chapter, record)]
    if wrong:
        raise LocalCloudError("The demo did not end as told: " + " ".join(wrong))
    console.print("[green]Every turn ended as told.[/green]")


def _play(console: Console, walk: Walk, chapter: Chapter, number: int, folder: Path) -> TurnRecord:
    console.print(f"\n[bold]Turn {number}. {chapter.title}[/bold]\n{chapter.told}")
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
            console.print(Panel(Text(report.strip()), title=f"rejected: {result.upload.key}", expand=False))
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


def differences(chapter: Chapter, record: TurnRecord) -> list[str]:
    """Sentences on what did not end as the chapter says; none if all did."""
    found = []
    if record.outcome is not TurnOutcome.SUCCEEDED:
        found.append(f"{record.turn} ended {record.outcome}: {record.cause or record.error}.")
    if record.decision is not chapter.decision:
        found.append(f"{record.turn} decided {record.decision}, not {chapter.decision}.")
    if _promoted(record.promotion) is not chapter.promoted:
        found.append(f"{record.turn} {'promoted nothing' if chapter.promoted else 'promoted a model'}.")
    if (record.iteration_id is not None) is not chapter.starts_iteration:
        found.append(f"{record.turn} {'started no' if chapter.starts_iteration else 'started an'} iteration.")
    rejected = any(result.outcome is UploadOutcome.REJECTED for result in record.uploads)
    if rejected is not chapter.broken:
        found.append(f"{record.turn} {'did not reject the broken file' if chapter.broken else 'rejected a file'}.")
    return found


def _promoted(promotion: Promotion | None) -> bool:
    return promotion is not None and promotion.status is PromotionStatus.PROMOTED
