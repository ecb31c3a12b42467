"""Brings the policy of one shared version to what is wanted, however often it is repeated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.comprehend.resource_policy import delete_policy, describe_policy, put_policy
from flywheel.faults.fault_names import CONFLICTS
from flywheel.faults.service_faults import error_code, error_message, passes
from flywheel.records.model_arn import short_name
from flywheel.sharing.policy import PolicyDocument

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.records.sharing import SharedVersion

_ATTEMPTS = 5


class VersionGone(Exception):
    """Comprehend does not know the version any more."""


class PolicyRefused(Exception):
    """The policy cannot be as it should be: a sentence."""


def apply_policy(
    version: SharedVersion, principals: tuple[str, ...], *, comprehend: ComprehendClient, now: datetime
) -> SharedVersion:
    """Let exactly `principals` import the version by the pipeline's statement; without any, delete that statement.

    What others wrote stays, beside the pipeline's. A version that is gone gets `gone_at`, and one whose policy is
    refused gets `problem`. Raises what may be over in a moment: throttles and faults of the service.
    """
    done = {"gone_at": None, "problem": None}
    try:
        revision, others = _apply(version.model_arn, principals, comprehend)
    except VersionGone:
        return version.model_copy(
            update={**done, "principals": (), "revision": None, "gone_at": version.gone_at or now}
        )
    except PolicyRefused as refusal:
        return version.model_copy(update={**done, "problem": str(refusal)})
    return version.model_copy(update={**done, "principals": principals, "revision": revision, "by_others": others})


def _apply(model_arn: str, principals: tuple[str, ...], comprehend: ComprehendClient) -> tuple[str | None, int]:
    """The policy's revision, and how many statements of others are in it. Raises VersionGone and PolicyRefused."""
    for _ in range(_ATTEMPTS):
        found = describe_policy(comprehend, model_arn)
        revision = found.revision if found else None
        try:
            there = PolicyDocument.parse(found.document if found else None)
        except ValueError as error:
            raise PolicyRefused(f"The policy of {short_name(model_arn)} cannot be read: {error}") from error
        if there.lets_exactly(principals, model_arn=model_arn):
            return revision, len(there.others)
        document = there.letting(principals, model_arn=model_arn)
        try:
            if document is None:
                delete_policy(comprehend, model_arn, revision=revision)
                return None, 0
            return put_policy(comprehend, model_arn, document, revision=revision), len(there.others)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                raise VersionGone from error
            if error_code(error) not in CONFLICTS and passes(error):
                raise
            now_there = describe_policy(comprehend, model_arn)
            if error_code(error) not in CONFLICTS and (now_there.revision if now_there else None) == revision:
                raise PolicyRefused(
                    f"Comprehend refuses the policy of {short_name(model_arn)}: {error_code(error)}: "
                    f"{error_message(error)}"
                ) from error
            # Another writer came between: his statements are there now.
    raise PolicyRefused(f"Somebody else changes the policy of {short_name(model_arn)} all the time.")
