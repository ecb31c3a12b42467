"""`python -m local demo-review`: a person reviews what the model is not sure of, and the next model has learned it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

import typer
from botocore.config import Config
from rich.console import Console
from rich.panel import Panel

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.uploads import Split
from flywheel.review.describe_queue import describe_queue
from local import live
from local.cloud import LocalCloud, LocalCloudError, OnConsole
from local.cloud.places import LOCAL_FOLDER
from local.review.curves import (
    MISTAKES,
    REVIEWED,
    TEST_PERCENT,
    THRESHOLD,
    Mistakes,
    Row,
    demo_curves,
    first_documents,
    score,
    traffic,
    unseen,
)
from local.review.page import render
from local.review.person import find_browser, review, review_page
from local.sample_news import LABELS, Recipe, documents, write_csv
from local.walk import Walk
from ops.deployment.published import Deployment
from ops.verbs.endpoint import endpoint_arn, serving_state
from ops.verbs.review_publish import publish

NAME = "demo-review"
REPORT = LOCAL_FOLDER / "demo-review-report.html"
SCREENSHOT = LOCAL_FOLDER / "demo-review.png"
_SEEDS = range(5)
_SEED = 0
"""Of what happens in the local cloud."""
_UNITS = 50
_TEST_DATA = Recipe(documents_per_label=60, asides=1, vague=0.25)


@dataclass(kw_only=True)
class _Told:
    console: Console
    sentences: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def chapter(self, title: str, words: str) -> None:
        self.console.print(f"\n[bold]{title}[/bold]\n{words}")

    def done(self, sentence: str) -> None:
        self.sentences.append(sentence)
        self.console.print(f"[green]✓[/green] {sentence}", highlight=False, soft_wrap=True)

    def expect(self, as_told: bool, otherwise: str) -> None:
        if not as_told:
            self.wrong.append(otherwise)


def register(app: typer.Typer) -> None:
    app.command()(demo_review)


def demo_review() -> None:
    """Let a person review what a model is not sure of, in a local cloud and a real browser, and see what it earns."""
    find_browser()
    told = _Told(console=Console())
    told.console.print(Panel("Learn from use: answer, doubt, review, train again, serve", expand=False))
    with tempfile.TemporaryDirectory() as folder, LocalCloud(instance=NAME, progress=OnConsole(told.console)) as cloud:
        before, after = _play(told, cloud, Path(folder))
    with told.console.status("Five seeds, by the queue's order and at random"), ProcessPoolExecutor(2) as pool:
        curves = list(pool.map(demo_curves, _SEEDS))
    by_order, at_random = (mean(getattr(each, how)[-1] for each in curves) for how in ("by_order", "at_random"))
    told.expect(by_order > at_random, "Over five seeds the order of the queue is no better than chance.")
    REPORT.write_text(render(curves, told=told.sentences, before=before, after=after), encoding="utf-8")
    if told.wrong:
        raise LocalCloudError("The demo did not end as told: " + " ".join(told.wrong))
    told.console.print("\n[green]Everything ended as told.[/green]")
    told.console.print(
        f"Over {len(curves)} seeds {REVIEWED} answers bring macro F1 to {by_order:.3f} by the order of the queue, to "
        f"{at_random:.3f} at random.\nThe report: {REPORT}\nThe page:   {SCREENSHOT}",
        soft_wrap=True,
    )


def _play(told: _Told, cloud: LocalCloud, folder: Path) -> tuple[float, float]:
    """Macro F1 of the served model, before and after."""
    told.chapter("1. A first model", "It has read about two things of each topic.")
    walk = Walk.deploy(
        cloud,
        name=NAME,
        parameters={"MinimumScore": "0", "MinimumImprovement": "0", "ReviewTestPercent": f"{TEST_PERCENT:g}"},
        context={"name": NAME, "labels": ",".join(LABELS), "mode": "MULTI_CLASS"},
    )
    deployment = walk.deployment
    with told.console.status("The first turn"):
        first = walk.turn(
            train=[write_csv(folder / "first.csv", first_documents(_SEED))],
            test=[write_csv(folder / "held-out.csv", documents(_TEST_DATA, seed=5_000))],
        )
    told.expect(first.decision is DecisionKind.PROMOTE, f"{first.turn} decided {first.decision}.")
    with told.console.status("The endpoint"):
        api = live.serve(cloud, deployment, units=_UNITS, ReviewThreshold=f"{THRESHOLD:g}")
        before = _served_score(deployment)
    told.done(f"{first.turn} trained the first model; served, it has macro F1 {before:.3f} on 400 unseen texts")

    rows = traffic(_SEED)
    told.chapter("2. Users ask", f"{len(rows)} texts go to the API; a fifth speaks of what the model does not know.")
    with told.console.status("POST /classify"):
        answers = live.classified(api, [text for _, text in rows])
    told.expect(all(answer.answered for answer in answers), "The API did not answer every text.")
    waiting = sum(count.number for count in describe_queue(deployment.intake).waiting.values())
    told.expect(waiting >= REVIEWED, f"Only {waiting} texts came up for review.")
    told.done(f"{waiting} of {len(rows)} texts came up for review")

    told.chapter(
        "3. A person reviews", f"{REVIEWED} of them, with the keyboard, and {MISTAKES:.0%} of the answers wrong."
    )
    second = walk.turn_after(lambda: _review(told, deployment, rows), reason="a person reviews")
    told.expect(second.decision is DecisionKind.PROMOTE, f"{second.turn} decided {second.decision}: {second.reasons}")
    promoted = walk.after_promotion(second).promotion
    told.expect(
        promoted is not None and promoted.status is PromotionStatus.PROMOTED,
        f"{second.turn} was not promoted: {promoted}",
    )
    trained = sum(dataset.documents for dataset in second.datasets)
    told.done(f"{second.turn} made datasets of {trained} reviewed documents, and its model was promoted")
    with told.console.status("The endpoint changes over"):
        live.serve(cloud, deployment, units=_UNITS, ReviewThreshold=f"{THRESHOLD:g}")
        after = _served_score(deployment)
    told.expect(after > before, f"Macro F1 went from {before:.3f} to {after:.3f}.")
    told.done(f"The served model now has macro F1 {after:.3f} on the same 400 texts, {after - before:+.3f}")
    return before, after


def _review(told: _Told, deployment: Deployment, rows: Sequence[Row]) -> None:
    truth = {text: label for label, text in rows}
    person = Mistakes(_SEED)
    with told.console.status("At the review page"), review_page(os.environ, flywheel=NAME) as address:
        reviewed = review(
            address, count=REVIEWED, answer=lambda text: person.answer(truth[text]), screenshot=SCREENSHOT
        )
    changed = sum(truth[text] != label for text, label in reviewed.answers.items())
    told.done(
        f"{len(reviewed.answers)} answers in {reviewed.seconds:.0f} s, {changed} of them wrong; from the key to the "
        f"next text {median(reviewed.milliseconds):.0f} ms in the median"
    )
    publish(deployment)
    uploads = [key for split in Split for key in deployment.intake.keys(f"{split}/review/")]
    told.done(f"The answers are uploads: {', '.join(uploads)}")


def _served_score(deployment: Deployment) -> float:
    """Asked of the endpoint, not of the API, which would put the texts before reviewers."""
    comprehend = deployment.clients.session.client(
        "comprehend", config=Config(retries={"mode": "adaptive", "total_max_attempts": 20}, max_pool_connections=8)
    )
    endpoint = endpoint_arn(deployment, serving_state(deployment)) or ""
    test = unseen(_SEED)

    def answer(row: Row) -> frozenset[str]:
        classes = comprehend.classify_document(Text=row[1], EndpointArn=endpoint)["Classes"]
        return frozenset({max(classes, key=lambda scored: scored["Score"])["Name"]})

    with ThreadPoolExecutor(8) as pool:
        return score(test, list(pool.map(answer, test)), labels=LABELS)
