"""The alarms about serving."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.constructs.watch import alarms, dead_letters, executions, own


class ServingAlarms(Construct):
    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        undelivered: sqs.IQueue,
        machine_arn: str,
        flywheel_name: str,
    ) -> None:
        super().__init__(scope, construct_id)
        alarms(
            self,
            topic=topic,
            watches={
                "ServingBehind": own(
                    "ServingBehind", flywheel_name, "The endpoint is not what is wanted: `flywheel endpoint` says why."
                ),
                "SmokeTestFailed": own(
                    "SmokeTestFailed",
                    flywheel_name,
                    "A model failed its smoke test. The former one is put back; without one the endpoint is deleted. "
                    "`flywheel endpoint` says more.",
                ),
                "ServingFailed": executions(
                    "Failed", machine_arn, "A run of the serve machine failed: `flywheel endpoint` says why."
                ),
                "ServingTimedOut": executions(
                    "TimedOut", machine_arn, "A run of the serve machine did not end in its time."
                ),
                "UndeliveredEvents": dead_letters(undelivered, "Events did not reach the serve machine."),
            },
        )
