"""A demo as a story in chapters: each is a turn, and whether it ended as it should is checked."""

from __future__ import annotations

import tempfile
import webbrowser
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Generic, TypeVar

from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.turns import TurnOutcome, TurnRecord
from flywheel.records.uploads import UploadOutcome, rejected_folder
from local.cloud import LocalCloud, LocalCloudError, OnConsole
from local.story import turns_table
from local.walk import Walk
from ops.verbs.report import save_report

RecipeT = TypeVar("RecipeT")
PARAMETERS = {"MinimumScore": "0.3", "PromotionMode": "APPROVAL", "Evidence": "HOLDOUT"}


class Reply(StrEnum):
    """What a person says when a turn wants to promote a model."""

    APPROVE = "approve"
    DECLINE = "decline"


@dataclass(frozen=True, kw_only=True)
class Chapter(Generic[RecipeT]):
    """A turn, what it is given, what people do about it, and how it has to end."""

    title: str
    told: str
    decision: DecisionKind
    reply: Reply | None = None
    starts_iteration: bool = True
    train: dict[str, RecipeT] = field(default_factory=dict)
    test: dict[str, RecipeT] = field(default_factory=dict)
    broken: bool = False
    rolled_back: bool = False
    """Before this turn an operator brings the former model back."""


@dataclass(frozen=True, kw_only=True)
class Story(Generic[RecipeT]):
    """``write`` makes the file or folder at a path by a recipe and a seed, ``write_broken`` one that is rejected."""

    title: str
    instance: str
    """Of the local cloud."""
    name: str
    context: Mapping[str, str]
    chapters: Sequence[Chapter[RecipeT]]
    write: Callable[[Path, RecipeT, int], Path]
    write_broken: Callable[[Path], Path]
    report: Path
    """Where the page of the last turn that had a candidate is saved."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """The local cloud after the story's turns, and a folder for files."""

    cloud: LocalCloud
    walk: Walk
    records: Sequence[TurnRecord]
    folder: Path


def tell(console: Console, story: Story[RecipeT], *, epilogue: Callable[[Stage], list[str]]) -> None:
    """Play the story in a local cloud of its own; ``epilogue`` returns what did not end as told after the turns.

    Raises LocalCloudError if anything did not.
    """
    console.print(Panel(story.title, expand=False))
    with (
        tempfile.TemporaryDirectory() as folder,
        LocalCloud(instance=story.instance, progress=OnConsole(console)) as cloud,
    ):
        walk = Walk.deploy(cloud, name=story.name, parameters=PARAMETERS, context={"name": story.name, **story.context})
        records = [
            _play(console, walk, story, chapter, number, Path(folder))
            for number, chapter in enumerate(story.chapters, start=1)
        ]
        console.print(turns_table(records))
        wrong = epilogue(Stage(cloud=cloud, walk=walk, records=records, folder=Path(folder)))
        page = save_report(walk.deployment, _last_decided(records), output=story.report).path
    wrong += [
        line for chapter, record in zip(story.chapters, records, strict=True) for line in differences(chapter, record)
    ]
    if wrong:
        raise LocalCloudError("The demo did not end as told: " + " ".join(wrong))
    console.print("[green]Every turn ended as told.[/green]")
    console.print(f"The report: {page}", soft_wrap=True)
    if console.is_terminal:
        webbrowser.open(Path(page).as_uri())


def _last_decided(records: Sequence[TurnRecord]) -> str:
    """The turn whose report shows the most: the last that had a candidate."""
    return [record.turn for record in records if record.candidate is not None][-1]


def _play(
    console: Console, walk: Walk, story: Story[RecipeT], chapter: Chapter[RecipeT], number: int, folder: Path
) -> TurnRecord:
    console.print(f"\n[bold]Turn {number}. {chapter.title}[/bold]\n{chapter.told}")
    if chapter.rolled_back:
        ended = walk.rollback()
        console.print(f"[green]✓[/green] rollback, asked for by {ended.by}: {ended.status.value}. {ended.reason}")
    train = [story.write(folder / name, recipe, number) for name, recipe in chapter.train.items()]
    test = [story.write(folder / name, recipe, 100 + number) for name, recipe in chapter.test.items()]
    if chapter.broken:
        train.append(story.write_broken(folder))
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


_EXPECTED = {Reply.APPROVE: PromotionStatus.PROMOTED, Reply.DECLINE: PromotionStatus.DECLINED, None: None}


def differences(chapter: Chapter[RecipeT], record: TurnRecord) -> list[str]:
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
