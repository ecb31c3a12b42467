"""What can be wrong with a test of models. A class's name is the error's name in Step Functions."""

from __future__ import annotations

from flywheel.faults.errors import FlywheelError


class EvaluationError(FlywheelError):
    """Models cannot be scored or compared on what was given."""


class NothingToScore(EvaluationError):
    """No documents at all: a score of nothing would be a made-up number."""

    def __init__(self) -> None:
        super().__init__("There is no document to score a model on: upload test data and wait for their dataset.")


class UnusableLabels(EvaluationError):
    """A document's true labels do not fit the flywheel."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            f"A hold-out document cannot be scored: {problem}. Take only documents whose labels are the flywheel's."
        )


class SampleTooSmall(EvaluationError):
    """Fewer documents are allowed than labels have to be represented."""

    def __init__(self, *, at_most: int, needed: int) -> None:
        super().__init__(
            f"A hold-out of {at_most} documents cannot hold one of each label: "
            f"set HoldoutDocuments to {needed} or more."
        )


class InvalidPredictions(EvaluationError):
    """The output of a classification job is not what Comprehend describes, or not that of this hold-out."""


class MissingPredictions(InvalidPredictions):
    """Lines of the hold-out have no prediction."""

    def __init__(self, *, missing: int, documents: int, first: int) -> None:
        super().__init__(
            f"The classification job's output lacks {missing} of {documents} lines (the first is line {first}): "
            "run the job again; scores over a part of the hold-out would not be comparable."
        )


class DoubledPrediction(InvalidPredictions):
    """A line of the hold-out has two predictions."""

    def __init__(self, line: int) -> None:
        super().__init__(
            f"The classification job's output answers line {line} twice: "
            "run the job again into an empty folder of its own."
        )
