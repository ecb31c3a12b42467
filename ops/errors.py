"""What can go wrong for an operator. Each message is a sentence that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ops.local_cloud import local_command

PARAMETER_ROOT = "/comprehend-flywheel"


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


class SeveralDeploymentsError(OperatorError):
    def __init__(self, *, region: str, deployed: Sequence[str]) -> None:
        super().__init__(f"Several flywheels are deployed in {region}: choose with --name ({', '.join(deployed)}).")


class InvalidSettingError(OperatorError):
    """The name of a flywheel, or the file it is read from, cannot be used."""


class WrongParametersError(OperatorError):
    """Parameters that no stack has, or values that it does not allow."""

    def __init__(self, wrong: Sequence[str]) -> None:
        super().__init__(f"This cannot be deployed: {' '.join(wrong)}")


class NotSynthesisedError(OperatorError):
    """The templates that are to be read are not here."""


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


class PausedError(OperatorError):
    def __init__(self, *, by: str, reason: str) -> None:
        because = f" ({reason})" if reason else ""
        super().__init__(f"The pipeline was paused by {by}{because}: no turn starts until `flywheel resume`.")


class UnknownTurnError(OperatorError):
    def __init__(self, *, turn: str, current: int) -> None:
        known = f"the latest is {current}" if current else "none has begun yet"
        super().__init__(f"There is no turn {turn} ({known}): `flywheel turns` lists them.")


class UnknownPromotionError(OperatorError):
    def __init__(self, promotion: str) -> None:
        super().__init__(f"There is no promotion {promotion}: `flywheel models` shows what became of each model.")


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


class NoPreviousModelError(OperatorError):
    def __init__(self) -> None:
        super().__init__(
            "No model was active before the present one, so there is nothing to go back to: `flywheel models` lists "
            "what --to may name."
        )


class UnknownVersionError(OperatorError):
    def __init__(self, wanted: str, *, why: str = "no version of the flywheel's has that name") -> None:
        super().__init__(f"There is no model {wanted} ({why}): `flywheel models` lists what there is.")


class AmbiguousVersionError(OperatorError):
    def __init__(self, wanted: str, *, found: Sequence[str]) -> None:
        super().__init__(f"{wanted} may be each of {', '.join(found)}: write more of the name, or the ARN.")


class DeletedModelError(OperatorError):
    def __init__(self, model_arn: str) -> None:
        super().__init__(
            f"{model_arn} was deleted (ModelsToKeep): `flywheel models` lists what there is. Its training data are "
            "still in the flywheel: the next model is trained on them, too."
        )


class NoReportError(OperatorError):
    def __init__(self, turn: str | None = None) -> None:
        if turn is None:
            super().__init__("No turn has ended yet, so there is no report: `flywheel status` shows what happens.")
        else:
            super().__init__(f"{turn} has no report before it has ended: `flywheel status` shows how far it is.")


class UnknownUploadError(OperatorError):
    def __init__(self, upload: str) -> None:
        super().__init__(
            f"No rejected upload is named {upload}: `flywheel rejected` lists them. An upload that is not in that list "
            "was accepted, or still waits (`flywheel status`)."
        )


class WaitTimeoutError(OperatorError):
    def __init__(self, what: str, *, seconds: float, now: str | None = None, where: str) -> None:
        """`now` says how it stands, `where` where its end will be found."""
        stands = f" ({now})" if now else ""
        super().__init__(f"{what} did not end within {seconds / 60:g} minutes{stands}. It goes on without you: {where}")


class NoRecordError(OperatorError):
    def __init__(self, *, turn: str, status: str | None, error: str | None, cause: str | None) -> None:
        why = ": ".join(part for part in (error, cause) if part) or "no cause is given"
        super().__init__(
            f"{turn} ended {status} without writing its record ({why}): look into its execution and the log of "
            "report_turn."
        )


class StillRunningError(OperatorError):
    def __init__(self, *, what: str, seconds: float) -> None:
        super().__init__(
            f"{what} still runs after {seconds / 60:g} minutes. The pipeline stays paused: wait on with "
            "`flywheel pause --wait`."
        )


class StillDeployedError(OperatorError):
    def __init__(self, *, name: str, what: str) -> None:
        super().__init__(
            f"The flywheel {name!r} is still deployed ({what}): purge removes what is kept after the stacks are gone. "
            "Run `make destroy` first."
        )


class DestroyError(OperatorError):
    """The stacks were left as they are."""


class PurgeError(OperatorError):
    """Something that was to be removed could not be."""


class NoAnalysisStackError(OperatorError):
    def __init__(self, *, name: str, region: str) -> None:
        super().__init__(
            f"The stack {name}-analysis is not deployed in {region} ({PARAMETER_ROOT}/{name}/analysis is not in its "
            "Parameter Store): analysis jobs need it. Deploy it with `make deploy` (locally: "
            f"`{local_command('up')}`)."
        )


class ExistingAnalysisError(OperatorError):
    def __init__(self, job: str) -> None:
        super().__init__(
            f"There are files of a job {job!r} already: choose another name with --job, or do again what is missing of "
            f"it with `flywheel analyze --again {job}`."
        )


class TextTooLongError(OperatorError):
    def __init__(self, *, number: int, size: int, limit: int) -> None:
        super().__init__(
            f"Text {number} has {size:,} bytes in UTF-8, and Comprehend takes {limit:,}: shorten it, or classify it in "
            "an analysis job."
        )


class NoEndpointError(OperatorError):
    """No endpoint answers; the message says why and since when."""

    def __init__(self, *, message: str, since: str | None) -> None:
        super().__init__(f"{message} Since {since}." if since else message)


class ApiDeniedError(OperatorError):
    def __init__(self, *, message: str) -> None:
        super().__init__(
            "These credentials may not call the API: attach the policy that is the output CallersPolicyArn of the "
            f"Serving stack (execute-api:Invoke), or use others with --profile. ({message})"
        )


class ApiFailedError(OperatorError):
    def __init__(self, *, status: int, code: str, message: str) -> None:
        what = f"{status} {code}".strip()
        super().__init__(f"The API answered {what}: {message}")
