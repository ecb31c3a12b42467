"""The alarms of the Analysis stack."""

from __future__ import annotations

from aws_cdk import aws_sns as sns
from constructs import Construct

from stacks.analysis.triggers import AnalysisQueues
from stacks.constructs.function import FlywheelFunction
from stacks.constructs.watch import alarms, dead_letters, errors, executions


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
        alarms(
            self,
            topic=topic,
            watches={
                "AnalysisDeadLetters": dead_letters(
                    queues.job_dead_letters, "start_analysis could not handle pokes: its log says why."
                ),
                "UndeliveredAnalysisEvents": dead_letters(
                    queues.undelivered,
                    "Events of analysis jobs reached neither the queue nor the function that reports.",
                ),
                "AnalysisFailed": executions(
                    "Failed", machine_arn, "An analysis job failed: its summary.json says why."
                ),
                "AnalysisTimedOut": executions("TimedOut", machine_arn, "An analysis job did not end in its time."),
                "AnalysisAborted": executions("Aborted", machine_arn, "An analysis job was stopped from outside."),
                "StartAnalysisErrors": errors(start_analysis, "start_analysis fails: no analysis job may start."),
            },
        )
