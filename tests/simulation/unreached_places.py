"""Places that schedules need not reach, with the reason."""

from __future__ import annotations

from collections.abc import Mapping

OFTEN = 5
"""A place that is reached so many times as often as it must be needs no reason."""

_NEVER_BACK = "What the local Comprehend once said it does not take back."
UNREACHED: Mapping[str, str] = {
    # ServiceBusy where nobody else is at it.
    "AnalyzeMachine*/Report*/retry 2": (
        "Four others would have to write the summary of the same job, each between a read and a write."
    ),
    "AnalyzeMachine*/JoinAnalysis/retry 2": "Four others would have to write the output of the same job so.",
    "TurnMachine*/AcceptDataset/retry 2": f"The machine has waited until the dataset was COMPLETED. {_NEVER_BACK}",
    "PromoteMachine*/CheckModel/retry 2": (
        "A candidate that does not show yet. The local Comprehend shows a model as soon as its training begins."
    ),
    # What a person would have to do between two steps that follow at once.
    "PromoteMachine*/AskForApproval/catch 3": "The account that trains withdraws the model.",
    "PromoteMachine*/PublishModel/catch 1": "Somebody makes another model active in the console.",
    "PromoteMachine*/PublishModel/retry 2": "Somebody makes the former one active again, less than five minutes later.",
    "PromoteMachine*/PutBackFormerModel/catch 0": "Somebody stops the execution, which is reported, and redrives it.",
    "PromoteMachine*/JudgeModel/catch 1": "The same.",
    "PromoteMachine*/TryModel/catch 0": "Somebody deletes the model that was imported a moment ago.",
    # What is at work for some minutes of a few schedules.
    "CreationCreateMachine*": (
        "It makes a flywheel that begins with a model. In tests/pipeline/creation it is killed everywhere."
    ),
    # What nobody has the patience for.
    "AnalyzeMachine*/AwaitPartLook/choice 1": (
        "A job of more than a day: three turns would wait for one of a hold-out in vain, and then for a person."
    ),
    "AnalyzeMachine*/AwaitPartTimedOut/entered": "The same.",
    "ServeMachine*/IsSettled/choice 2": "Somebody changes the endpoint for hours, twenty times before it has settled.",
    "ServeMachine*/NeverSettles/entered": "The same.",
}
"""By a pattern of places as `coverage.places` has them."""
