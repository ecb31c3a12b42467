"""The review queue of a deployment."""

from __future__ import annotations

from flywheel.comprehend.model_kind import Task
from flywheel.review.queue import ReviewQueue
from ops.deployment.published import Deployment


def review_queue(deployment: Deployment) -> ReviewQueue:
    return ReviewQueue(
        intake=deployment.intake,
        kind=deployment.kind,
        task=Task(labels=deployment.labels, multi_label=deployment.multi_label),
        reviewers_per_item=deployment.parameters.reviewers_per_item,
    )
