"""Errors of the pipeline. A class's name is the error's name in Step Functions (docs/interfaces.md)."""

from __future__ import annotations

from flywheel.text.byte_limits import LONGEST_SENTENCE, within


class FlywheelError(Exception):
    """An error that the pipeline itself raises. The message says what to do.

    The message is shortened, because it may contain long labels or keys, and it becomes part of a state's output, for
    which Step Functions allows 256 KiB.
    """

    def __str__(self) -> str:
        return within(super().__str__(), LONGEST_SENTENCE)


class NotCurrent(FlywheelError):
    """An execution that is not the current one of its series tried to change something."""

    advice: str

    def __init__(self, *, name: str, current: str | None) -> None:
        super().__init__(f"{name} is not the current one ({current or 'none began yet'}): {self.advice}")


class NotCurrentTurn(NotCurrent):
    advice = (
        "executions are started by start_turn. "
        "Use `flywheel turn --now` instead of starting or redriving an older execution by hand."
    )


class FlywheelReplaced(FlywheelError):
    """A new generation was deployed while a turn was under way: its datasets are of the former flywheel."""

    def __init__(self, *, turn: str, former: str, current: str) -> None:
        super().__init__(
            f"{turn} works on {former}, which {current} has replaced since: the next turn seeds that one with what was "
            "accepted so far."
        )


class NotCurrentPromotion(NotCurrent):
    advice = (
        "executions are started by start_promotion. "
        "Use `flywheel rollback --to` instead of starting or redriving an older execution by hand."
    )


class PromotionRefused(FlywheelError):
    """The model must not become the active one. The message says why; the former model stays active."""


class ImportFailed(FlywheelError):
    """The model was not imported. It can be tried again; the message is Comprehend's."""


class FlywheelRefused(FlywheelError):
    """There can be no such flywheel. The message says what to change."""


class SharingRefused(FlywheelError):
    """Models cannot be shared so. The message says what to change in TrustedAccounts."""


class SmokeTestFailed(FlywheelError):
    """The endpoint answers wrongly with the model of this promotion. The former model has to be put back."""


class ServiceBusy(FlywheelError):
    """Comprehend cannot do it now. The state machine tries again later, a limited number of times."""


class ServiceFault(FlywheelError):
    """A service throttles or has a fault, even after the SDK's retries. The state machines try again."""


class IncompleteAnswer(FlywheelError):
    """Comprehend's answer lacks a member that the pipeline needs."""

    def __init__(self, *, member: str, of: str) -> None:
        super().__init__(f"Comprehend's answer about {of} has no {member}: ask again, and look at it in the console.")
        self.member = member


class ModelNotUsable(FlywheelError):
    """Comprehend does not have the model, or the model is not in a state in which it can predict."""

    def __init__(self, model_arn: str, message: str) -> None:
        super().__init__(f"Comprehend cannot use {model_arn}: {message}")
        self.message = message


class PredictionFailed(FlywheelError):
    """A model has no answers to the hold-out. The next turn tries again."""


class UnknownRecord(FlywheelError):
    """A record that an earlier step writes is not in the intake bucket."""

    def __init__(self, key: str) -> None:
        super().__init__(
            f"{key} is not in the intake bucket although an earlier step writes it: was it deleted by hand?"
        )


class InvalidRecord(FlywheelError):
    """A record in the intake bucket cannot be read."""

    def __init__(self, key: str, problem: str) -> None:
        super().__init__(f"{key} in the intake bucket is not a record of this pipeline: {problem}")
