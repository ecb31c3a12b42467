"""Errors of analysis jobs. A class's name is the error's name in Step Functions."""

from __future__ import annotations

from flywheel.faults.errors import FlywheelError


class AnalysisError(FlywheelError):
    """The job failed. The message says what to do."""


class NoInput(AnalysisError):
    def __init__(self, folder: str) -> None:
        super().__init__(
            f"There is no file below {folder}: upload files with documents there, then job.json (or start again)."
        )


class InvalidOptions(AnalysisError):
    def __init__(self, key: str, problem: str) -> None:
        super().__init__(
            f"{key} cannot be read ({problem}): it has to be JSON such as "
            '{"format": "ONE_DOC_PER_LINE"} or {"format": "ONE_DOC_PER_FILE"}. Upload it again.'
        )


class NoActiveModel(AnalysisError):
    """No model has been promoted yet, or the published one does not exist."""


class InputGone(AnalysisError):
    def __init__(self, key: str) -> None:
        super().__init__(f"The version of {key} that the job began with was deleted for good: upload it again.")


class UnitFailed(AnalysisError):
    """A unit of the input could not be split."""


class PartFailed(AnalysisError):
    """Comprehend did not classify a part; another execution of the job tries again."""


class Superseded(AnalysisError):
    """Files came after the run began, so another run, of all files, gives the output."""

    def __init__(self, job: str) -> None:
        super().__init__(
            f"Files were added to analysis job {job} after this run began: the run of all of them gives the output."
        )
