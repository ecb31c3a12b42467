"""Records of people's review; and their keys.

What waits for a person is an object below `review/waiting/`, whose key is its place in the queue, so that one list
request finds the next items however many there are, and whose body is all that a reviewer needs, so that one write
puts it there and S3's lifecycle takes it away. From the first claim on, `review/items/<item>.json` says what is so, by
conditional writes; other objects are only pointers to it, which whoever meets one that is out of date puts right.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self

from flywheel.records.predictions import Suggestion, text_digest
from flywheel.records.uploads import Split
from flywheel.store.record import Record

REVIEW = "review/"
WAITING = f"{REVIEW}waiting/"
ITEMS = f"{REVIEW}items/"
CLAIMED = f"{REVIEW}claimed/"
ANSWERED = f"{REVIEW}answered/"
BATCHES = f"{REVIEW}batches/"
OPEN_BATCHES = f"{REVIEW}open-batches/"
FORGOTTEN = f"{REVIEW}forgotten/"
UNPUBLISHED_KEY = f"{REVIEW}unpublished.json"
GUIDELINES_KEY = f"{REVIEW}guidelines.md"
_PLACE = re.compile(r"([0-9])-([a-z]+)/(\d{4})-([0-9a-f]{16})-([0-9a-f]{32})((?:~[0-9a-f]{8})*)")
_ANSWERED = re.compile(r"([0-9a-f]{32})((?:~[0-9a-f]{8})*)")
_UPLOAD = re.compile(r"(?:train|test)/review/(\d{8}-[0-9a-f]{16})\.jsonl")
_CLAIM = re.compile(r"(\d{8}T\d{6}Z)-([0-9a-f]{32})~([0-9a-f]{8})")


class Lane(StrEnum):
    """Why an item waits. Lanes are served in this order, but for AUDIT, which is mixed in."""

    ADJUDICATE = "0-adjudicate"
    """Its reviewers disagree."""
    AGAIN = "1-again"
    """It needs another reviewer, or came back: a claim that expired, labels that changed."""
    FEEDBACK = "2-feedback"
    """Somebody who uses the model proposed an answer."""
    UNCERTAIN = "3-uncertain"
    """The model was not confident."""
    CONTRADICTED = "4-contradicted"
    """A model contradicts the label that the document has in test or training data."""
    AUDIT = "5-audit"
    """Taken at random, so that what nobody doubts is looked at, too."""
    PASSED = "6-passed"
    """Somebody skipped it, or was not sure."""


class ItemSource(StrEnum):
    API = "API"
    ANALYSIS = "ANALYSIS"
    FEEDBACK = "FEEDBACK"
    TEST_DATA = "TEST_DATA"
    TRAINING_DATA = "TRAINING_DATA"


class ItemState(StrEnum):
    WAITING = "WAITING"
    CLAIMED = "CLAIMED"
    ANSWERED = "ANSWERED"
    ADJUDICATED = "ADJUDICATED"
    """Answered by somebody who saw how the reviewers disagree."""
    SKIPPED = "SKIPPED"
    """So many people skipped it, or were not sure, that nobody is asked any more."""


class Verdict(StrEnum):
    ANSWER = "ANSWER"
    SKIP = "SKIP"
    NOT_SURE = "NOT_SURE"


class Proposal(Record):
    """Somebody's feedback to a prediction, or what a label was in the data."""

    by: str
    """ARN of the identity; or the upload that the document came with."""
    at: datetime
    labels: tuple[str, ...]
    """As of `Suggestion.labels`."""


class ReviewAnswer(Record):
    """What one person said of an item."""

    by: str
    """ARN of the identity."""
    at: datetime
    verdict: Verdict = Verdict.ANSWER
    labels: tuple[str, ...] = ()
    """As of `Suggestion.labels`. Empty unless `verdict` is ANSWER."""


class Claim(Record):
    by: str
    until: datetime


class WaitingItem(Record):
    """The body of an object below WAITING, and the part of a ReviewItem that never changes."""

    text: str
    source: ItemSource
    suggestion: Suggestion | None = None
    """None if no model was asked."""
    proposals: tuple[Proposal, ...] = ()
    at: datetime
    """When it was put into the queue."""

    @property
    def id(self) -> str:
        return text_digest(self.text)


class ForgottenText(Record):
    """The record at `forgotten_key`, without the text."""

    at: datetime
    """What was put into the queue until then is to be deleted wherever it is met."""


class FormerReview(Record):
    """What was agreed on before somebody proposed something else."""

    labels: tuple[str, ...] | None
    answers: tuple[ReviewAnswer, ...]
    batch: str | None


class ReviewItem(WaitingItem):
    """The record at `item_key`."""

    lane: Lane
    rank: int
    """In its lane, from 0: lower is served earlier."""
    claim: Claim | None = None
    """Of an item that is CLAIMED."""
    answers: tuple[ReviewAnswer, ...] = ()
    """One for each reviewer, the last that they gave; in the order in which they gave their first."""
    former: tuple[FormerReview, ...] = ()
    state: ItemState = ItemState.WAITING
    labels: tuple[str, ...] | None = None
    """What was agreed on, of an item that is ANSWERED or ADJUDICATED."""
    batch: str | None = None
    """The batch that it was published with. From then on nothing changes, unless somebody proposes other labels."""
    note: str | None = None
    """Why it came back, for its next reviewer."""

    def answer_of(self, by: str) -> ReviewAnswer | None:
        return next((answer for answer in self.answers if answer.by == by), None)

    @property
    def waiting(self) -> WaitingItem:
        """The body of its place in the queue."""
        return WaitingItem(
            text=self.text, source=self.source, suggestion=self.suggestion, proposals=self.proposals, at=self.at
        )


@dataclass(frozen=True, kw_only=True)
class Place:
    """A place in the queue: what the key of an object below WAITING says."""

    lane: Lane
    rank: int
    similarity: int
    """`flywheel.text.similarity.simhash` of the text, 64 bits."""
    item: str
    seen_by: frozenset[str] = frozenset()
    """`reviewer_digest` of those who are not served it any more."""

    @property
    def key(self) -> str:
        seen = "".join(f"~{digest}" for digest in sorted(self.seen_by))
        return f"{WAITING}{self.lane}/{self.rank:04d}-{self.similarity:016x}-{self.item}{seen}"

    @classmethod
    def of_key(cls, key: str) -> Self | None:
        """None if it is no key of a place."""
        match = _PLACE.fullmatch(key.removeprefix(WAITING))
        if match is None or not key.startswith(WAITING):
            return None
        number, word, rank, similarity, item, seen = match.groups()
        try:
            lane = Lane(f"{number}-{word}")
        except ValueError:
            return None
        return cls(
            lane=lane,
            rank=int(rank),
            similarity=int(similarity, 16),
            item=item,
            seen_by=frozenset(seen.split("~")[1:]),
        )


@dataclass(frozen=True, kw_only=True)
class ClaimPointer:
    """What the key of an object below CLAIMED says. Their order is that of their ends."""

    until: datetime
    item: str
    reviewer: str
    """`reviewer_digest`."""

    @property
    def key(self) -> str:
        return f"{CLAIMED}{self.until:%Y%m%dT%H%M%SZ}-{self.item}~{self.reviewer}"

    @classmethod
    def of_key(cls, key: str) -> Self | None:
        match = _CLAIM.fullmatch(key.removeprefix(CLAIMED))
        if match is None:
            return None
        until, item, reviewer = match.groups()
        return cls(until=datetime.strptime(f"{until}+0000", "%Y%m%dT%H%M%SZ%z"), item=item, reviewer=reviewer)


class BatchItem(Record):
    """A document of a batch, without its text."""

    item: str
    split: Split
    labels: tuple[str, ...]
    by: tuple[str, ...]
    """Whose answer it is."""
    model_arn: str | None
    """The model whose suggestion was reviewed."""
    document: tuple[str, str] | None = None
    """Digests of text and labels as `exclusions.DocumentId`, in hex, with which the document can be excluded."""


class Batch(Record):
    """Answers that become uploads together; at `batch_key`."""

    id: str
    by: str
    """Who, or which function, published it."""
    at: datetime
    items: tuple[BatchItem, ...]
    """Until it is uploaded, some of them may yet be left out."""
    uploaded: bool = False

    @property
    def keys(self) -> tuple[str, ...]:
        """Of its uploads."""
        return tuple(
            batch_upload_key(split, self.id) for split in Split if any(item.split is split for item in self.items)
        )


class Unpublished(Record):
    """Answers that wait to be published, when somebody last looked; at UNPUBLISHED_KEY."""

    at: datetime
    answers: int
    labels: dict[str, int] = {}
    """Of those that become training data: documents, or annotations, by label."""
    minimum: int
    """The answers are published when a label has so many."""
    oldest: datetime | None = None
    published_from: datetime | None = None
    """They are published from then on, whatever their labels."""


def reviewer_digest(by: str) -> str:
    """8 hex digits for an identity."""
    return hashlib.sha256(by.encode()).hexdigest()[:8]


def item_key(item: str) -> str:
    return f"{ITEMS}{item}.json"


def answered_key(item: str, *, reviewers: Iterable[str]) -> str:
    """A pointer to an item that is answered and not published; `reviewers` are ARNs."""
    return f"{ANSWERED}{item}" + "".join(f"~{digest}" for digest in sorted(map(reviewer_digest, reviewers)))


def item_of_answered(key: str) -> tuple[str, frozenset[str]] | None:
    """The item that a pointer below ANSWERED means, and the digests of its reviewers."""
    match = _ANSWERED.fullmatch(key.removeprefix(ANSWERED))
    return (match[1], frozenset(match[2].split("~")[1:])) if match else None


def forgotten_key(item: str) -> str:
    return f"{FORGOTTEN}{item}.json"


def batch_key(batch: str) -> str:
    return f"{BATCHES}{batch}.json"


def open_batch_key(batch: str) -> str:
    """A pointer to a batch that is not uploaded."""
    return f"{OPEN_BATCHES}{batch}"


def batch_of_upload(key: str) -> str | None:
    """The batch that an upload below `train/` or `test/` is of; None if it is none."""
    match = _UPLOAD.fullmatch(key)
    return match[1] if match else None


def batch_upload_key(split: Split, batch: str) -> str:
    return f"{split}/review/{batch}.jsonl"


def rank_of_margin(margin: float) -> int:
    """The smaller the margin, the earlier."""
    return max(0, min(999, int(margin * 1000)))


def split_of_text(item: str, *, test_percent: float) -> Split:
    """For ever the same for the same text, so that no text is in both; `item` is its id."""
    return Split.TEST if int(item[:8], 16) % 10_000 < 100 * test_percent else Split.TRAIN


def reviewers(items: Collection[BatchItem]) -> frozenset[str]:
    return frozenset(by for item in items for by in item.by)
