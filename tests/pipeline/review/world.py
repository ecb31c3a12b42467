"""A queue of its own in the in-process cloud, and its reviewers: each has clients that can be stopped by themselves."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
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
from tests.pipeline.in_process_cloud import Functions, InProcessCloud, Killed, in_process_cloud

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
def _functions_of(by: str) -> Functions:
    """To make clients takes longer than most of what a test does with them."""
    return in_process_cloud().new_functions()


@dataclass(kw_only=True)
class Person:
    """A reviewer with clients of their own."""

    by: str
    world: World
    functions: Functions

    @property
    def queue(self) -> ReviewQueue:
        return self.world.queue_through(self.functions)

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
        self.functions.kills.reset(after=changes)
        with contextlib.suppress(Killed):
            work()
        struck = self.functions.kills.struck
        self.functions.kills.reset()
        return struck


@dataclass(kw_only=True)
class World:
    kind: ModelKind = DOCUMENT_CLASSIFICATION
    task: Task = TASK
    reviewers_per_item: int = 1
    now: datetime = NOW
    bucket_name: str | None = None
    """Of a deployment; None: one of its own."""
    minimum_per_label: int = 5
    cloud: InProcessCloud = field(default_factory=in_process_cloud)

    def __post_init__(self) -> None:
        self.name = self.bucket_name or f"review-{next(_numbers)}"
        self.s3 = self.cloud.clients["s3"]
        if self.bucket_name is None:
            self.s3.create_bucket(Bucket=self.name)
            self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})
        self.bucket = IntakeBucket(s3=self.s3, bucket=self.name)
        self.anna, self.bert, self.cara, self.dora = map(self.person, (ANNA, BERT, CARA, DORA))

    def person(self, by: str) -> Person:
        return Person(by=by, world=self, functions=_functions_of(by))

    def queue_through(self, functions: Functions) -> ReviewQueue:
        return ReviewQueue(
            intake=IntakeBucket(s3=functions.clients["s3"], bucket=self.name),
            kind=self.kind,
            task=self.task,
            reviewers_per_item=self.reviewers_per_item,
        )

    @property
    def queue(self) -> ReviewQueue:
        return ReviewQueue(
            intake=self.bucket, kind=self.kind, task=self.task, reviewers_per_item=self.reviewers_per_item
        )

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

    def publish(self, *, asked: bool = False, through: Functions | None = None) -> tuple[Batch, ...]:
        rules = Publishing(minimum_per_label=self.minimum_per_label, longest=timedelta(days=7), test_percent=20)
        queue = self.queue_through(through) if through else self.queue
        return publish_answers(queue, rules, by="tests", now=self.now, asked=asked)

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
    requests: list[str] = []

    def before(model: Any, **_: Any) -> None:
        requests.append(model.name)
        if len(requests) == place + 1:
            other()

    events = person.functions.clients["s3"].meta.events
    events.register("before-call", before)
    try:
        yield requests
    finally:
        events.unregister("before-call", before)
