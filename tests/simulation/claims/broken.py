"""How a claim says that it does not hold."""

from __future__ import annotations

import inspect


class ClaimBroken(AssertionError):
    """`claim` is the name of the function that found it."""

    def __init__(self, claim: str, message: str) -> None:
        super().__init__(f"{claim}: {message}")
        self.claim = claim
        self.message = message


def require(holds: bool, message: str) -> None:
    """Raises ClaimBroken in the name of the claim that calls this."""
    if not holds:
        frame = inspect.currentframe()
        caller = frame.f_back if frame else None
        raise ClaimBroken(caller.f_code.co_name if caller else "a claim", message)
