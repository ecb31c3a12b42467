"""A flywheel that two turns have given documents, for tests of what becomes of them later."""

from __future__ import annotations

from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents

TEST = documents(*LABELS, count=10, words="judge: ")
FIRST = documents(*LABELS, count=20)
SECOND = documents(*LABELS, start=50, count=20)


def two_turns_old() -> Deployment:
    """With an active model."""
    at = Deployment()
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", FIRST)
    at.run_turn()
    at.upload("train/b.csv", SECOND)
    at.run_turn()
    return at
