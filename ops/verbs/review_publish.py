"""Publishing reviewers' answers when a person asks for it, and why they are not published yet."""

from __future__ import annotations

import json
from datetime import datetime

from flywheel.records.review import UNPUBLISHED_KEY, Unpublished
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError
from ops.deployment.published import Deployment


class PublishedAnswers(Record):
    documents: int
    uploads: tuple[str, ...]
    """Keys of the files, that the next turn collects."""


class AnswersWaiting(Record):
    """Reviewers' answers that are not published."""

    answers: int
    because: str
    looked_at: datetime


def publish(deployment: Deployment) -> PublishedAnswers:
    """Make uploads of all answers that are agreed on. Raises OperatorError, botocore's errors."""
    function = deployment.published.publish_answers_arn
    if function is None:
        raise OperatorError("What is deployed has no review queue: deploy this version of the Flywheel stack first.")
    asked = json.dumps({"asked_by": deployment.clients.caller()})
    answer = deployment.clients.functions.invoke(FunctionName=function, Payload=asked.encode())
    content = answer["Payload"].read()
    if answer.get("FunctionError"):
        raise OperatorError("The answers were not published: `flywheel logs publish_answers` says why. Try again.")
    return PublishedAnswers.model_validate_json(content)


def answers_waiting(deployment: Deployment) -> AnswersWaiting | None:
    """What publish_answers found when it last looked; None if no answer waited."""
    found = deployment.intake.read(UNPUBLISHED_KEY, Unpublished)
    if found is None or not found.answers:
        return None
    most = max(found.labels.items(), key=lambda each: each[1], default=None)
    unit = deployment.kind.counted
    has = f"{most[0]} has {most[1]}" if most else "none is for training"
    because = f"no label has {found.minimum} training {unit} among them ({has}); `flywheel review publish` does it now"
    if found.published_from is not None:
        because = f"{because}, else {found.published_from:%Y-%m-%d} does"
    return AnswersWaiting(answers=found.answers, because=because, looked_at=found.at)
