"""Which versions other accounts may import, and what status says of sharing."""

from __future__ import annotations

import re

from botocore.exceptions import ClientError

from flywheel.records.sharing import STATE_KEY, SharingState, shared_versions
from flywheel.sharing.check_account import Importable, check_account
from flywheel.sharing.principals import accounts_of
from flywheel.sharing.share_model import trusted_principals
from flywheel.store.record import Record
from ops.deployment.errors import OperatorError
from ops.deployment.published import Deployment


class SharingNow(Record):
    """What is shared with others."""

    accounts: tuple[str, ...]
    versions: int
    """That they may import."""
    problems: tuple[str, ...] = ()
    undelivered: dict[str, str] = {}
    """By account: why it could not be told."""


def sharing_now(deployment: Deployment) -> SharingNow | None:
    """None if nobody is trusted."""
    principals = trusted_principals(deployment.intake)
    if not principals:
        return None
    versions = shared_versions(deployment.intake)
    state = deployment.intake.read(STATE_KEY, SharingState) or SharingState()
    return SharingNow(
        accounts=tuple(accounts_of(principals)),
        versions=sum(version.principals == principals for version in versions),
        problems=tuple(version.problem for version in versions if version.problem),
        undelivered={account: why for account, why in state.undelivered.items() if account in accounts_of(principals)},
    )


def share(deployment: Deployment, *, account: str | None = None) -> list[Importable]:
    """For `account`, or for each that is trusted. Raises OperatorError if it is no account."""
    if account is not None and not re.fullmatch(r"[0-9]{12}", account):
        raise OperatorError(f"{account!r} is no account: its id has 12 digits.")
    accounts = [account] if account else accounts_of(trusted_principals(deployment.intake))
    service = deployment.service
    models = [model.arn for model in service.models.trained_by(service.arn) if model.trained][::-1] if accounts else []
    return [
        found
        for each in accounts
        for found in check_account(
            each,
            models=models,
            intake=deployment.intake,
            comprehend=deployment.clients.comprehend,
            read_key_policy=lambda key_arn: _key_policy(deployment, key_arn),
        )
    ]


def _key_policy(deployment: Deployment, key_arn: str) -> str | None:
    try:
        return str(deployment.clients.kms.get_key_policy(KeyId=key_arn)["Policy"])
    except ClientError:
        return None
