"""What the alarms watch of promotions."""

from __future__ import annotations

from stacks.constructs.watch import Watch, executions, own


def of_promotions(machine_arn: str, *, flywheel_name: str) -> dict[str, Watch]:
    """By the construct ids of the alarms."""
    return {
        "PromotionFailed": executions(
            "Failed", machine_arn, "A promotion failed: `flywheel show` of its turn says why."
        ),
        "PromotionTimedOut": executions("TimedOut", machine_arn, "A promotion did not end in its time."),
        "PromotionAborted": executions("Aborted", machine_arn, "A promotion was stopped from outside."),
        "ApprovalWaiting": own(
            "PromotionsWaiting",
            flywheel_name,
            "A better model waits for approval: `flywheel approve` or `flywheel decline` answers.",
        ),
    }
