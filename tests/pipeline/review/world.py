"""A queue of its own in the simulated S3, and its reviewers: each has a client that can be stopped by itself."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from flywheel.comprehend.model_kind import ModelKind, Task
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.records.predictions import Suggestion, text_digest
from flywheel.records.review import (
    ANSWERED,
    CLAIMED,
    ITEMS,
    WAITING,
    Batch,
    ItemSource,
    ItemState,
    Lane,
    Place,
    Proposal,
    ReviewItem,
    Verdict,
    WaitingItem,
    item_key,
    rank_of_margin,
)
from flywheel.review.add_item import add
from flywheel.review.answer_item import answer, undo
from flywheel.review.claim_items import Claimed, claim
from flywheel.review.publish_answers import Publishing, publish_answers
from flywheel.review.queue import AGREED, ReviewQueue, pointer_key
from flywheel.store.bucket import IntakeBucket
from tests.pipeline.deployed import Deployment
from tests.pipeline.s3_client import Client
from tests.simulation.functions import FunctionKilled

TASK = Task(labels=("BUSINESS", "SPORTS"))
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ANNA, BERT, CARA, DORA = (f"arn:aws:iam::111122223333:user/{name}" for name in ("anna", "bert", "cara", "dora"))
WORDS = (
    "the market fell again on monday after the bank cut its forecast",
    "a late goal decided the final between two old rivals",
    "scientists found water under the ice of a distant moon",
    "the minister resigned and elections will be held in june",
    "new telephones will fold in three places next year",
    "rain delayed the second day of the cricket match in leeds",
    "oil prices rose while factories ordered less steel",
    "the singer cancelled her tour because of an infection",
    "engineers repaired the bridge over the river before winter",
    "a small bakery won the prize for the best bread in town",
    "voters rejected the plan to build a larger airport",
    "the museum returned a painting that was stolen in the war",
)
"""Texts that are no near-duplicates of one another."""
_numbers = itertools.count(1)


@cache
def _shared() -> Deployment:
    """Whose S3 has the buckets of all queues that belong to no deployment."""
    at = Deployment()
    at.let_pass(NOW - at.now())
    return at


@cache
def _client_of(by: str) -> Client:
    """To make clients takes longer than most of what a test does with them."""
    return Client(_shared())


@dataclass(kw_only=True)
class Person:
    """A reviewer with a client of their own."""

    by: str
    world: World
    client: Client

    @property
    def queue(self) -> ReviewQueue:
        return self.world.queue_of(self.client.s3)

    def claim(self, count: int = 1) -> Claimed:
        return claim(self.queue, by=self.by, count=count, now=self.world.now)

    def claim_texts(self, count: int = 1) -> list[str]:
        return [item.text for item in self.claim(count).items]

    def answer(self, text: str, *labels: str, verdict: Verdict = Verdict.ANSWER) -> ItemState:
        now = self.world.now
        return answer(self.queue, item=text_digest(text), by=self.by, now=now, verdict=verdict, labels=labels).state

    def undo(self, text: str) -> ReviewItem:
        return undo(self.queue, item=text_digest(text), by=self.by, now=self.world.now)

    def killed_after(self, changes: int, work: Callable[[], Any]) -> bool:
        """Do it, and die after so many changes; False: it was through before."""
        self.client.begin(survives=changes)
        with contextlib.suppress(FunctionKilled):
            work()
        killed = self.client.killed
        self.client.begin()
        return killed


@dataclass(kw_only=True)
class World:
    kind: ModelKind = DOCUMENT_CLASSIFICATION
    task: Task = TASK
    reviewers_per_item: int = 1
    now: datetime = NOW
    of: Deployment | None = None
    """None: a bucket of its own."""

    def __post_init__(self) -> None:
        at = self.of or _shared()
        self.s3 = at.s3
        self.name = self.of.app.intake if self.of else f"review-{next(_numbers)}"
        if self.of is None:
            self.s3.create_bucket(Bucket=self.name)
            self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        self.bucket = IntakeBucket(s3=self.s3, bucket=self.name)
        self.anna, self.bert, self.cara, self.dora = map(self.person, (ANNA, BERT, CARA, DORA))

    def person(self, by: str) -> Person:
        return Person(by=by, world=self, client=Client(self.of) if self.of else _client_of(by))

    def queue_of(self, s3: Any) -> ReviewQueue:
        """As this client reaches it."""
        return ReviewQueue(
            intake=IntakeBucket(s3=s3, bucket=self.name),
            kind=self.kind,
            task=self.task,
            reviewers_per_item=self.reviewers_per_item,
        )

    @property
    def queue(self) -> ReviewQueue:
        return self.queue_of(self.s3)

    def add(
        self,
        text: str,
        *,
        lane: Lane = Lane.UNCERTAIN,
        margin: float = 0.1,
        suggested: str | None = "SPORTS",
        proposals: tuple[Proposal, ...] = (),
    ) -> Place:
        suggestion = Suggestion(labels=(suggested,), confidence=0.5, margin=margin) if suggested else None
        item = WaitingItem(text=text, source=ItemSource.API, suggestion=suggestion, proposals=proposals, at=self.now)
        return add(item, lane=lane, rank=rank_of_margin(margin), intake=self.bucket)

    def publish(self, *, asked: bool = False, queue: ReviewQueue | None = None) -> tuple[Batch, ...]:
        rules = Publishing(minimum_per_label=5, longest=timedelta(days=7), test_percent=20)
        return publish_answers(queue or self.queue, rules, by="tests", now=self.now, asked=asked)

    def later(self, minutes: float) -> None:
        self.now += timedelta(minutes=minutes)

    def item(self, text: str) -> ReviewItem:
        return self.bucket.require(item_key(text_digest(text)), ReviewItem)

    def items(self) -> list[ReviewItem]:
        return self.bucket.read_all(self.bucket.keys(ITEMS), ReviewItem)

    def pointers(self) -> list[str]:
        return [key for folder in (WAITING, CLAIMED, ANSWERED) for key in self.bucket.keys(folder)]

    def check_pointers(self) -> None:
        """Each item that somebody has to do something about can be found, and nothing else is pointed at."""
        assert sorted(self.pointers()) == sorted(key for item in self.items() if (key := pointer_key(item)) is not None)

    def check_found(self) -> None:
        """Something points at each item that somebody has to do something about: it may be out of date."""
        pointers = self.pointers()
        for item in self.items():
            assert pointer_key(item) is None or any(item.id in key for key in pointers), item

    def stored(self, text: str) -> list[str]:
        """Keys of objects that have the text, also in a former version."""
        found = self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name)
        versions = [version for page in found for version in page.get("Versions", [])]
        return [
            version["Key"]
            for version in versions
            if text.encode()
            in self.s3.get_object(Bucket=self.name, Key=version["Key"], VersionId=version["VersionId"])["Body"].read()
        ]

    def agreed(self) -> dict[str, tuple[str, ...] | None]:
        return {item.text: item.labels for item in self.items() if item.state in AGREED}


@contextlib.contextmanager
def between(person: Person, place: int, other: Callable[[], object]) -> Iterator[list[str]]:
    """Before the person's request with this number `other` happens, once."""
    person.client.begin(before=lambda number: other() if number == place else None)
    yield person.client.requests
    person.client.begin()
