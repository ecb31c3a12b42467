"""What can go wrong for an operator. Each message is a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from flywheel.store.parameters import PARAMETER_ROOT
from ops.deployment.local_cloud import local_command


class OperatorError(Exception):
    """Shown as it is, with `exit_status`."""

    exit_status = 1


class NoDeploymentError(OperatorError):
    def __init__(self, *, region: str, name: str | None, name_came_from: str | None, deployed: Sequence[str]) -> None:
        if name is None:
            found = f"No flywheel is deployed in {region} (nothing below {PARAMETER_ROOT}/ in its Parameter Store)."
        else:
            found = (
                f"No flywheel named {name!r} ({name_came_from}) is deployed in {region}: "
                f"{PARAMETER_ROOT}/{name}/deployment is not in its Parameter Store."
            )
        if deployed:
            advice = f"Deployed there: {', '.join(deployed)}; choose one with --name."
        else:
            advice = (
                f"Deploy it with `make deploy` (locally: `{local_command('up')}`), or look elsewhere with --region."
            )
        super().__init__(f"{found} {advice}")


class ImportsModelsError(NoDeploymentError):
    """The deployment has no flywheel: it imports the models of another one."""

    def __init__(self, *, name: str, flywheel: str, account: str) -> None:
        OperatorError.__init__(
            self,
            f"{name!r} has no flywheel: it imports the models that {flywheel} in account {account} trains. What has to "
            "do with documents, turns and training is done there; here `flywheel status` and `flywheel models` show "
            "what was imported, and `flywheel import` and `flywheel rollback` choose what serves.",
        )


class InvalidSettingError(OperatorError):
    """The name of a flywheel, or the file it is read from, cannot be used."""


class WrongParametersError(OperatorError):
    """Parameters that no stack has, or values that it does not allow."""

    def __init__(self, wrong: Sequence[str], *, environment: str | None = None) -> None:
        what = f"The environment {environment}" if environment else "This"
        super().__init__(f"{what} cannot be deployed: {' '.join(wrong)}")


class NotSynthesisedError(OperatorError):
    """The templates that are to be read are not here."""


class UnknownEnvironmentError(OperatorError):
    def __init__(self, name: str, *, hint: str) -> None:
        super().__init__(f"There is no environment {name} in cdk.out. {hint}")


class UnreadableDeploymentError(OperatorError):
    def __init__(self, *, parameter: str, problem: str) -> None:
        super().__init__(
            f"{parameter} in Parameter Store is not what this version of the pipeline writes ({problem}): "
            "use the version of `flywheel` that deployed it, or deploy again."
        )


class FileError(OperatorError):
    """A file of the user's cannot be used."""


class UnwritableFileError(FileError):
    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path} cannot be written ({problem}): name another file with --output.")


class UnknownTurnError(OperatorError):
    def __init__(self, *, turn: str, current: int) -> None:
        known = f"the latest is {current}" if current else "none has begun yet"
        super().__init__(f"There is no turn {turn} ({known}): `flywheel turns` lists them.")


class NotAskedError(OperatorError):
    """Nobody was asked to approve this, or not yet; the message says why."""

    exit_status = 3


class PromotionEndedError(OperatorError):
    """It does not wait for approval any more; the message says since when, by whom and why."""

    exit_status = 4


class AnsweredError(OperatorError):
    exit_status = 5

    def __init__(self, *, whose: str) -> None:
        super().__init__(
            f"The promotion of {whose} has its answer already, or its time is up: `flywheel status` shows what becomes "
            "of it."
        )


class UnknownVersionError(OperatorError):
    def __init__(self, wanted: str, *, why: str = "no version of the flywheel's has that name") -> None:
        super().__init__(f"There is no model {wanted} ({why}): `flywheel models` lists what there is.")


class WaitTimeoutError(OperatorError):
    def __init__(self, what: str, *, seconds: float, now: str | None = None, where: str) -> None:
        """`now` says how it stands, `where` where its end will be found."""
        stands = f" ({now})" if now else ""
        super().__init__(f"{what} did not end within {seconds / 60:g} minutes{stands}. It goes on without you: {where}")
