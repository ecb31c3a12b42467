"""Records of what is shared with other accounts; and their keys."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.records.announcements import ModelShared
from flywheel.records.holdouts import readable
from flywheel.store.record import Record

if TYPE_CHECKING:
    from flywheel.store.bucket import IntakeBucket

TRUSTED_KEY = "sharing/trusted.json"
STATE_KEY = "sharing/state.json"
LEASE_KEY = "sharing/lease.json"
CHANGES = "sharing/changes/"
VERSIONS = "sharing/models/"


class Trusted(Record):
    """`trusted.json`: the list that the last deployment applied. Absent before any account was trusted."""

    principals: tuple[str, ...]
    """ARNs. Empty: TrustedAccounts is `none` again."""
    since: datetime


class Change(Record):
    """`changes/<request>.json`: one for each time that a deployment asked for the list of its template."""

    made: str | None = None
    """What CloudFormation was told of the change that was made."""
    refused: str | None = None
    """Or why it was not made."""


def change_key(request_id: str) -> str:
    """`request_id` is CloudFormation's."""
    return f"{CHANGES}{request_id}.json"


class Withdrawal(Record):
    """Why a version must not be imported any more."""

    at: datetime
    instead: str
    """The version that became active."""
    promotion: str
    by: str
    reason: str


class SharedVersion(Record):
    """`models/<model>.json`: one for each version that was ever shared.

    It is written before the version's policy is changed, so that no policy is ever there that no record tells of.
    """

    announcement: ModelShared
    """Of the last time that it was shared."""
    principals: tuple[str, ...] | None = None
    """Whom the pipeline's statement lets import, as far as it is known. None: it is being changed."""
    revision: str | None = None
    """PolicyRevisionId of the policy when the pipeline last looked; None without a policy."""
    by_others: int = 0
    """Statements in the policy that somebody else wrote."""
    problem: str | None = None
    """Why the policy is not as it should be: a sentence."""
    withdrawn: Withdrawal | None = None
    gone_at: datetime | None = None
    """When Comprehend did not know the version any more."""

    @property
    def model_arn(self) -> str:
        return self.announcement.model

    @property
    def wanted(self) -> bool:
        """Whether trusted accounts may import it."""
        return self.withdrawn is None


class SharingState(Record):
    """`state.json`: to whom the last run could not announce what is shared."""

    undelivered: dict[str, str] = {}
    """By account: why, in a sentence."""


def version_key(model_arn: str) -> str:
    return f"{VERSIONS}{readable(model_arn)}.json"


def shared_versions(intake: IntakeBucket) -> list[SharedVersion]:
    """The oldest first."""
    found = intake.read_all(intake.keys(VERSIONS), SharedVersion)
    return sorted(found, key=lambda version: (version.announcement.shared_at, version.model_arn))
