"""The cause of a failed step, as people read it."""

from __future__ import annotations

import json

from flywheel.text.byte_limits import LONGEST_SENTENCE, within


def readable_cause(cause: str | None) -> str | None:
    """The sentence in a Lambda failure's cause, which Step Functions hands over as JSON with a stack trace.

    It goes on into other states and messages, which are limited; the execution's history has the whole.
    """
    if not cause:
        return None
    try:
        details = json.loads(cause)
    except ValueError:
        details = None
    sentence = str(details["errorMessage"]) if isinstance(details, dict) and "errorMessage" in details else cause
    return within(sentence, LONGEST_SENTENCE, rest=" [shortened: the execution's history has the whole]")
