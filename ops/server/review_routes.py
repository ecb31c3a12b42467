"""What the review page asks for, below `/api/review/`: docs/review-api.md.

Who the reviewer is, the credentials say, never a request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property, wraps
from typing import Any

from markdown_it import MarkdownIt
from starlette.routing import BaseRoute, Route

from flywheel.review import answer_item, claim_items
from flywheel.review.describe_queue import Count, describe_queue, guidelines
from flywheel.review.errors import ClaimLost, InvalidAnswer, ItemGone, Published, ReviewError
from flywheel.review.queue import CLAIM_LASTS, ReviewQueue
from flywheel.store.bucket import IntakeBucket
from ops.deployment.published import Deployment
from ops.server.answers import Call, Handler, Refused, json_route
from ops.server.review_items import AnswerBody, ClaimBody, item_as_json, labels_of
from ops.verbs.review_queue import review_queue

BASE = "/api/review"
POLICY = "ReviewersPolicyArn"
_BATCH = 10
"""So many items a page asks for at once."""
_ITEM = re.compile(r"[0-9a-f]{32}")
_REFUSALS: dict[type[ReviewError], tuple[int, str]] = {
    InvalidAnswer: (400, "INVALID_ANSWER"),
    ItemGone: (404, "ITEM_GONE"),
    ClaimLost: (409, "CLAIM_LOST"),
    Published: (409, "PUBLISHED"),
}


def review_routes(
    deployment: Deployment, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> list[BaseRoute]:
    review = _Review(deployment, now)
    return [
        Route(f"{BASE}/session", json_route(review.session, policy=POLICY), methods=["GET"]),
        Route(f"{BASE}/claims", json_route(review.claim, policy=POLICY), methods=["POST"]),
        Route(f"{BASE}/answers/{{item}}", json_route(_told(review.answer), policy=POLICY), methods=["PUT"]),
        Route(f"{BASE}/answers/{{item}}", json_route(_told(review.undo), policy=POLICY), methods=["DELETE"]),
        Route(f"{BASE}/guidelines", json_route(review.guidelines, policy=POLICY), methods=["GET"]),
        Route(f"{BASE}/queue", json_route(review.queue_now, policy=POLICY), methods=["GET"]),
    ]


class _Review:
    def __init__(self, deployment: Deployment, now: Callable[[], datetime]) -> None:
        self._deployment = deployment
        self._kind = deployment.published.model_type
        self._now = now

    @cached_property
    def _by(self) -> str:
        """Asked for once: credentials that are renewed are the same person's."""
        return self._deployment.clients.caller()

    @cached_property
    def _queue(self) -> ReviewQueue:
        """Labels are asked for once: a new generation's need a new start, and answers are checked again then."""
        return review_queue(self._deployment)

    def session(self, _: Call) -> dict[str, Any]:
        deployment, queue = self._deployment, self._queue
        return {
            "flywheel": deployment.name,
            "reviewer": {"id": self._by, "name": self._by.rsplit("/", 1)[-1]},
            "model_type": self._kind,
            "multi_label": queue.task.multi_label,
            "labels": queue.task.labels,
            "label_word": deployment.kind.label_word,
            "guidelines": guidelines(deployment.intake) is not None,
            "reviewers_per_item": queue.reviewers_per_item,
            "claim_seconds": int(CLAIM_LASTS.total_seconds()),
            "batch": _BATCH,
        }

    def claim(self, call: Call) -> dict[str, Any]:
        found = claim_items.claim(self._queue, by=self._by, count=call.read(ClaimBody).count, now=self._now())
        return {
            "items": [item_as_json(item, self._kind) for item in found.items],
            "until": found.until.isoformat(),
            "waiting": {"count": found.waiting, "more": found.more},
            "answered": found.answered,
        }

    def answer(self, call: Call) -> dict[str, Any]:
        body = call.read(AnswerBody)
        labels = labels_of(body, self._kind)
        item = answer_item.answer(
            self._queue, item=_item(call), by=self._by, now=self._now(), verdict=body.verdict, labels=labels
        )
        return {"state": item.state}

    def undo(self, call: Call) -> dict[str, Any]:
        now = self._now()
        item = answer_item.undo(self._queue, item=_item(call), by=self._by, now=now)
        until = item.claim.until if item.claim else now
        return {"item": item_as_json(item, self._kind), "until": until.isoformat()}

    def guidelines(self, _: Call) -> dict[str, str]:
        found = guidelines(self._deployment.intake)
        if found is None:
            raise Refused(404, "GUIDELINES_MISSING", "There are no guidelines: whoever runs the flywheel can add them.")
        return {"html": rendered(found)}

    def queue_now(self, _: Call) -> dict[str, Any]:
        return queue_as_json(self._deployment.intake)


def queue_as_json(intake: IntakeBucket) -> dict[str, Any]:
    """How much waits in each lane, is claimed and is answered; each count ends at 1,000."""
    found = describe_queue(intake)

    def said(count: Count) -> dict[str, Any]:
        return {"count": count.number, "more": count.more}

    return {
        "waiting": {lane: said(count) for lane, count in found.waiting.items()},
        "claimed": said(found.claimed),
        "answered": said(found.answered),
        "oldest_answer": found.oldest_answer.isoformat() if found.oldest_answer else None,
    }


def rendered(markdown: str) -> str:
    """HTML of Markdown. HTML within it is shown as it is written, and pictures as links: the page loads none."""
    return str(MarkdownIt("commonmark", {"html": False}).enable("table").disable("image").render(markdown))


def _item(call: Call) -> str:
    item = call.path["item"]
    if not _ITEM.fullmatch(item):
        raise Refused(404, "ITEM_GONE", "There is no such item.")
    return item


def _told(handler: Handler) -> Handler:
    """With the review's errors as the contract's codes."""

    @wraps(handler)
    def telling(call: Call) -> object:
        try:
            return handler(call)
        except ReviewError as error:
            raise Refused(*_REFUSALS[type(error)], str(error)) from error

    return telling
