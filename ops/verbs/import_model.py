"""A person's request to import a version of the source and to have it serve: through the promote machine."""

from __future__ import annotations

from datetime import datetime

from flywheel.imports.receive_announcement import require_importable
from ops.deployment.published import ImportDeployment
from ops.verbs.rollback import Rollback, ask_for


def import_model(
    deployment: ImportDeployment, source_arn: str, *, reason: str = "", now: datetime | None = None
) -> Rollback:
    """Ask the promote machine for the version that the source has at `source_arn`. One that is imported already is not
    imported again.

    Raises AnnouncementRefused if it cannot be one of the source's.
    """
    service = deployment.service
    require_importable(source_arn, account=deployment.parameters.source_account, service=service)
    return ask_for(
        deployment,
        service.version_arn(source_arn),
        active=service.find_active_model(),
        source_model_arn=source_arn,
        reason=reason,
        now=now,
    )
