"""The cause of a failed step, in words for people."""

from __future__ import annotations

import json

from flywheel.text.byte_limits import LONGEST_SENTENCE, within


def readable_cause(cause: str | None) -> str | None:
    """The error message in a Lambda failure's cause, which Step Functions passes as JSON with a stack trace.

    Shortened, because states and messages have size limits; the execution's history has the full text.
    """
    if not cause:
        return None
    try:
        details = json.loads(cause)
    except ValueError:
        details = None
    sentence = str(details["errorMessage"]) if isinstance(details, dict) and "errorMessage" in details else cause
    return within(sentence, LONGEST_SENTENCE, rest=" [shortened: the execution's history has the whole]")
