"""What a reviewer cannot do. A host answers each with a code of its own."""

from __future__ import annotations

from flywheel.faults.errors import FlywheelError


class ReviewError(FlywheelError):
    """The message is for the reviewer."""


class InvalidAnswer(ReviewError):
    """The answer is none that the flywheel can train on."""


class ItemGone(ReviewError):
    def __init__(self, item: str) -> None:
        super().__init__(f"There is no item {item} any more: its text was deleted, or it waited for too long.")


class ClaimLost(ReviewError):
    """Somebody else has the item, or has answered it."""


class Published(ReviewError):
    def __init__(self) -> None:
        super().__init__("The answer was published as training or test data meanwhile, so it cannot be changed here.")
