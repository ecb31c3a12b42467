"""The alarms about serving."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.monitoring.watch import OWN_NAMESPACE, Watch, alarm, dead_letters, executions


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
        flywheel = ("Flywheel", flywheel_name)
        machine = ("StateMachineArn", machine_arn)
        watches = {
            "ServingBehind": Watch(
                description="The endpoint is not what is wanted: `flywheel endpoint` says why.",
                namespace=OWN_NAMESPACE,
                metric="ServingBehind",
                dimension=flywheel,
                missing="ignore",
            ),
            "SmokeTestFailed": Watch(
                description="A model failed its smoke test. The former one is put back; without one the endpoint is"
                " deleted. `flywheel endpoint` says more.",
                namespace=OWN_NAMESPACE,
                metric="SmokeTestFailed",
                dimension=flywheel,
                missing="ignore",
            ),
            "ServingFailed": executions(
                "ExecutionsFailed", machine, "A run of the serve machine failed: `flywheel endpoint` says why."
            ),
            "ServingTimedOut": executions(
                "ExecutionsTimedOut", machine, "A run of the serve machine did not end in its time."
            ),
            "UndeliveredEvents": dead_letters(undelivered, "Events did not reach the serve machine."),
        }
        for construct_id, watch in watches.items():
            alarm(self, construct_id, watch, topic_arn=topic.topic_arn)
