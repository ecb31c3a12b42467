"""The alarms of the Analysis stack."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.analysis.triggers import AnalysisQueues
from stacks.constructs.function import FlywheelFunction
from stacks.monitoring import watch


class AnalysisAlarms(Construct):
    """Each watches one metric and tells the topic."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        topic: sns.ITopic,
        queues: AnalysisQueues,
        machine_arn: str,
        start_analysis: FlywheelFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        machine = ("StateMachineArn", machine_arn)
        watches = {
            "AnalysisDeadLetters": watch.dead_letters(
                queues.job_dead_letters, "start_analysis could not handle pokes: its log says why."
            ),
            "UndeliveredAnalysisEvents": watch.dead_letters(
                queues.undelivered, "Events of analysis jobs reached neither the queue nor the function that reports."
            ),
            "AnalysisFailed": watch.executions(
                "ExecutionsFailed", machine, "An analysis job failed: its summary.json says why."
            ),
            "AnalysisTimedOut": watch.executions(
                "ExecutionsTimedOut", machine, "An analysis job did not end in its time."
            ),
            "AnalysisAborted": watch.executions(
                "ExecutionsAborted", machine, "An analysis job was stopped from outside."
            ),
            "StartAnalysisErrors": watch.errors(start_analysis, "start_analysis fails: no analysis job may start."),
        }
        for construct_id_, found in watches.items():
            watch.alarm(self, construct_id_, found, topic_arn=topic.topic_arn)
