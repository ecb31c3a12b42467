"""A change that a deployment asks for is made while the deployment waits for it, and not after.

Lambda may hand an event over twice, also when CloudFormation was told before that the change failed and has gone back
to the former list. The repeated event must not bring the refused list back. One whose function was stopped, or found
another run at work, is repeated while CloudFormation still waits: nobody was told anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from flywheel.faults.errors import ServiceBusy, SharingRefused
from flywheel.records.sharing import Change, change_key

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket


def made_once(request_id: str, make: Callable[[], str], *, intake: IntakeBucket) -> str:
    """What `make` said, the first time that it came to its end.

    Raises SharingRefused if it failed then, and what `make` raises. After ServiceBusy it was not made.
    """
    key = change_key(request_id)
    known = intake.read(key, Change)
    if known is not None and known.made is not None:
        return known.made
    if known is not None and known.refused is not None:
        raise SharingRefused(known.refused)
    try:
        sentence = make()
    except ServiceBusy:
        raise
    except Exception as error:
        intake.write(key, Change(refused=str(error)))
        raise
    intake.write(key, Change(made=sentence))
    return sentence
