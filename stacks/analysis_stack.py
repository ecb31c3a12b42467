"""The Analysis stack: batch jobs that classify whole files with the active model."""

from __future__ import annotations

import json

from aws_cdk import aws_ssm as ssm
from constructs import Construct

from stacks.analysis.alarms import AnalysisAlarms
from stacks.analysis.machine import AnalysisMachine
from stacks.analysis.parameters import AnalysisParameters
from stacks.analysis.role import analysis_role
from stacks.analysis.steps import AnalysisSteps
from stacks.analysis.triggers import AnalysisQueues, AnalysisTriggers
from stacks.constructs.project_stack import ProjectStack
from stacks.deployed_flywheel import deployed_flywheel
from stacks.names import ANALYSIS
from stacks.settings import FlywheelSettings


class AnalysisStack(ProjectStack):
    def __init__(self, scope: Construct, construct_id: str, *, settings: FlywheelSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            settings=settings,
            description="Batch predictions of the active model of an Amazon Comprehend flywheel",
        )
        parameters = AnalysisParameters(self, "Parameters", settings=settings)
        access = deployed_flywheel(self, "Flywheel", settings=settings)
        role = analysis_role(self, "DataAccess", access=access)
        queues = AnalysisQueues(self, "Queues", key=access.encryption.key)
        functions = access.functions(
            self,
            parameters=parameters,
            environment={
                "ANALYSIS_ROLE_ARN": role.arn,
                "ANALYSIS_MACHINE_ARN": access.names.analysis_machine_arn,
                "ANALYSIS_QUEUE_URL": queues.jobs.queue_url,
            },
        )
        steps = AnalysisSteps(
            self, "Steps", functions=functions, access=access, role=role, undelivered=queues.undelivered
        )
        machine = AnalysisMachine(self, "Analyze", steps=steps, access=access, parameters=parameters)
        triggers = AnalysisTriggers(
            self,
            "Triggers",
            queues=queues,
            functions=functions,
            access=access,
            machine_arn=machine.arn,
            report_analysis=steps.report_analysis,
        )
        AnalysisAlarms(
            self,
            "Alarms",
            topic=access.topic,
            queues=queues,
            machine_arn=machine.arn,
            start_analysis=triggers.start_analysis,
        )
        ssm.CfnParameter(
            self,
            "Published",
            name=access.names.parameter(ANALYSIS),
            type="String",
            value=json.dumps(
                {"machine_arn": machine.arn, "queue_url": queues.jobs.queue_url, "parameters": parameters.values}
            ),
            description="Where analysis jobs are done and how they are tuned, as JSON.",
        )
        self._publish(AnalysisMachineArn=machine.arn, AnalysisQueueUrl=queues.jobs.queue_url)
