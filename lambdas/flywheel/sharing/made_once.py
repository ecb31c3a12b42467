"""A change that a deployment asks for is made while the deployment waits for it, and not after.

Lambda repeats an event whose function was stopped, also when CloudFormation was told before that the change failed and
has gone back to the former list. The repeated event must not bring the refused list back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.faults.errors import SharingRefused
from flywheel.records.sharing import Change, change_key

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


def made_once(request_id: str, make: Callable[[], str], *, intake: IntakeBucket, now: datetime, until: datetime) -> str:
    """What `make` said, the first time that it came to its end. `until` is when the deployment is told that the change
    failed, if this is the first try.

    Raises SharingRefused if it was told so, and what `make` raises.
    """
    key = change_key(request_id)
    known = intake.read(key, Change)
    if known is not None and known.made is not None:
        return known.made
    if known is None:
        known = Change(until=until)
        intake.write(key, known)
    elif now >= known.until:
        raise SharingRefused("This change was begun before and not done in time: the deployment does not wait for it.")
    sentence = make()
    intake.write(key, Change(until=known.until, made=sentence))
    return sentence
