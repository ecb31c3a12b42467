"""What starts an analysis job: the files dropped into its folder, and an hourly look for drops nobody was told of."""

from __future__ import annotations

import functools
import json

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from constructs import Construct

from stacks.constructs.function import FlywheelFunction, Functions
from stacks.constructs.pokes import objects_created, permission_to_read_queue, read_queue, rule, rule_on_stops
from stacks.constructs.role import Permission
from stacks.flywheel.access import READ, WRITE, FlywheelAccess
from stacks.flywheel.queues import dead_letters, let_rules_send, pokes

START_TIMEOUT = cdk.Duration.minutes(5)
"""A look lists all files of a job, a thousand at a time."""
EVERY = "rate(1 hour)"


class AnalysisQueues(Construct):
    """`jobs`: messages that say which job to look at. `undelivered`: events that reached neither it nor a function."""

    def __init__(self, scope: Construct, construct_id: str, *, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.job_dead_letters = dead_letters(self, "JobDeadLetters", key=key)
        self.undelivered = dead_letters(self, "Undelivered", key=key)
        self.jobs = pokes(self, "Jobs", key=key, dead_letters=self.job_dead_letters, timeout=START_TIMEOUT)


class AnalysisTriggers(Construct):
    """start_analysis with its queue, and the rules of EventBridge."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        queues: AnalysisQueues,
        functions: Functions,
        access: FlywheelAccess,
        machine_arn: str,
        report_analysis: FlywheelFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self.start_analysis = self._start_analysis(queues, functions, access=access, machine_arn=machine_arn)
        read_queue(self, "Pokes", function=self.start_analysis, queue=queues.jobs)
        poke_on = functools.partial(rule, self, target_arn=queues.jobs.queue_arn, undelivered=queues.undelivered)
        files = poke_on(
            "Files",
            description="A file of an analysis job arrived in the intake bucket.",
            event_pattern=objects_created(access.intake, "analysis/input/"),
        )
        schedule = poke_on(
            "Schedule",
            description="It is time to look for analysis jobs that nobody was told of.",
            schedule_expression=EVERY,
            message=json.dumps({"poke": "schedule"}),
        )
        stopped = rule_on_stops(
            self, word="Analysis", machine_arn=machine_arn, report=report_analysis, undelivered=queues.undelivered
        )
        let_rules_send(queues.jobs, rules=[files, schedule])
        let_rules_send(queues.undelivered, rules=[files, schedule, stopped])
        let_rules_send(queues.job_dead_letters, rules=[])

    def _start_analysis(
        self, queues: AnalysisQueues, functions: Functions, *, access: FlywheelAccess, machine_arn: str
    ) -> FlywheelFunction:
        return FlywheelFunction(
            self,
            "start_analysis",
            wing="analysis",
            functions=functions,
            description="Starts the analysis jobs whose drop is complete.",
            timeout=START_TIMEOUT,
            memory_mib=1024,
            encrypted=["s3", "sns", "sqs"],
            environment=[
                *access.identity,
                "ANALYSIS_MACHINE_ARN",
                "ANALYSIS_QUEUE_URL",
                "TOPIC_ARN",
                "QUIET_PERIOD_MINUTES",
                "LOW_CONFIDENCE",
            ],
            permissions=[
                Permission(actions=["states:StartExecution"], resources=[machine_arn]),
                # It reports the end of a run whose event got lost.
                access.objects("analysis/begun/*", "analysis/jobs/*", actions=READ),
                access.objects("analysis/output/*", actions=WRITE),
                access.list_intake(versions=True),
                access.publish(),
                permission_to_read_queue(queues.jobs, "sqs:SendMessage"),
            ],
        )
