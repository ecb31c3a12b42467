"""The end of a change of the flywheel: it must be what the settings say, or it goes again."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.comprehend.answers import required
from flywheel.creation.change_flywheel import find_flywheel
from flywheel.faults.errors import FlywheelRefused
from flywheel.records.promotions import InitialModel, initial_key

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient

    from flywheel.creation.wanted_flywheel import WantedFlywheel
    from flywheel.store.bucket import IntakeBucket


def accept_flywheel(wanted: WantedFlywheel, *, comprehend: ComprehendClient, intake: IntakeBucket) -> str:
    """Write down with which model the ACTIVE flywheel began, so that it is promoted. Returns a sentence.

    Raises FlywheelRefused if the flywheel is for other labels, another mode or language than the settings: Comprehend
    takes them from the model, and describes a classifier's labels only now.
    """
    found = find_flywheel(wanted.flywheel_arn, comprehend=comprehend) or {}
    differences = list(wanted.task_differences(found))
    if differences:
        raise FlywheelRefused(
            f"The flywheel that was made with initial_model_arn {wanted.initial_model_arn} does not fit the settings: "
            f"{'; '.join(differences)}."
        )
    beginning = InitialModel(
        flywheel_arn=wanted.flywheel_arn,
        model_arn=wanted.initial_model_arn,
        created_at=required(found, "CreationTime", of=f"flywheel {wanted.flywheel_arn}").astimezone(UTC),
    )
    intake.write(initial_key(wanted.flywheel_arn), beginning)
    return f"{wanted.flywheel_arn} is ACTIVE."


def remove_unused(wanted: WantedFlywheel, *, comprehend: ComprehendClient) -> None:
    """Delete a flywheel that cannot be used. In an update CloudFormation does not know of it."""
    found = find_flywheel(wanted.flywheel_arn, comprehend=comprehend)
    if found is not None and wanted.is_ours(found) and not found.get("LatestFlywheelIteration"):
        with suppress(ClientError):
            comprehend.delete_flywheel(FlywheelArn=wanted.flywheel_arn)
