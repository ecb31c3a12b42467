"""What `flywheel exclude` and `flywheel generation new` tell a person."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import RenderableType

from flywheel.records.datasets import WaitingDocuments
from flywheel.records.exclusions import Exclusion
from flywheel.records.uploads import Split, UploadSource
from ops.tables.exclude import change_sentence, excluded_view
from ops.tables.generation import plan_view
from ops.tables.terminal import result_console
from ops.verbs.cost import Per, Range, charge
from ops.verbs.exclude import Change, Excluded, ExcludedDocuments, ExcludedUpload
from ops.verbs.generation import NewGeneration, Seed
from ops.verbs.prices import TRAINING

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOURCE = UploadSource(key="train/[red]b.csv", version_id="v", last_modified=NOW)
WHY = Exclusion(reason="written by a bot", by="arn:aws:iam::111122223333:user/a", at=NOW)


def shown(renderable: RenderableType) -> str:
    console = result_console()
    console.file = io.StringIO()
    console.width = 200
    console.print(renderable)
    return " ".join(console.file.getvalue().split())


def test_what_leaves_and_what_stays_is_said() -> None:
    sentence = change_sentence(
        Change(undone=False, uploads=(SOURCE.key,), documents=2, waiting=1200, in_datasets={"train-000001": 5})
    )
    assert sentence.startswith("Excluded: train/[red]b.csv, 2 documents. 1,200 documents that wait are left out")
    assert "5 excluded documents stay in train-000001 until there is a new generation" in sentence
    assert "unless they were left out there as copies" in sentence


def test_what_comes_back_is_said() -> None:
    sentence = change_sentence(
        Change(undone=True, documents=2, unchanged=1, waiting=2, in_datasets={"train-000001": 1})
    )
    assert sentence == (
        "Not excluded any more: 2 documents. 1 of them were not before. 2 documents wait for the next dataset again. "
        "Datasets that have them keep them, and the next generation's seed has them again."
    )


def test_everything_excluded_is_listed() -> None:
    assert shown(excluded_view(Excluded())) == "Nothing is excluded."
    text = shown(
        excluded_view(
            Excluded(
                uploads=(ExcludedUpload(id=SOURCE.id, exclusion=WHY.model_copy(update={"upload": SOURCE})),),
                documents=(ExcludedDocuments(documents=1000, exclusion=WHY),),
                total_documents=1234,
                in_datasets={f"train-{number:06d}": 1 for number in range(7)},
            )
        )
    )
    assert f"train/[red]b.csv ({SOURCE.id})" in text
    for words in ("written by a bot", "user/a", "1,000 documents", "And 234 documents more.", "and 2 more until"):
        assert words in text


def test_a_new_generation_says_what_it_has_what_it_costs_and_what_stays() -> None:
    waiting = WaitingDocuments(split=Split.TRAIN, documents=3, labels={"WORLD": 3}, reason="Not enough documents yet.")
    hours = Range.of(Decimal(1), Decimal(2))
    plan = NewGeneration(
        name="news",
        flywheel_arn="arn:old",
        deployed=1,
        generation=2,
        begun=True,
        seeds=(
            Seed(split=Split.TEST),
            Seed(
                split=Split.TRAIN,
                datasets=(1_000_000, 500),
                labels={"SPORTS": 500, "WORLD": 1_000_000},
                excluded=7,
                waiting=waiting,
            ),
        ),
        training=(charge("Training", per=Per.TURN, quantity=hours, price=TRAINING, basis="published samples"),),
    )
    text = shown(plan_view(plan))
    for words in (
        "2 of news (cdk.json says so already",
        "TEST seed nothing",
        "1,000,500 documents in 2 datasets of 1,000,000, 500",
        "WORLD 1,000,000, SPORTS 500",
        "without 7 documents that are excluded",
        "3 documents would wait: Not enough documents yet.",
        "Training: 1 to 2 hour of training, $3.00 to $6.00 (published samples)",
        "arn:old with its datasets and models",
    ):
        assert words in text
    assert "none: there is no TRAIN dataset" in shown(plan_view(plan.model_copy(update={"training": ()})))
