"""An analysis job as a Step Functions Standard machine in JSONata: split, classify each part, join, tell."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.analysis.parameters import AnalysisParameters
from stacks.analysis.steps import AnalysisSteps
from stacks.constructs.poll import job_poll
from stacks.constructs.role import Permission
from stacks.constructs.stack_parameters import as_number
from stacks.constructs.state_machine import (
    StateMachine,
    machine_role,
    permissions_for_children,
)
from stacks.constructs.states import AS_IT_CAME, States
from stacks.flywheel.access import FlywheelAccess

PART_BUDGET = cdk.Duration.hours(24)
"""For one classification job. How long a million documents take is not documented."""
JOB_BUDGET = cdk.Duration.days(14)
"""For all parts: how many there are is known only when the input is."""
PARTS_AT_ONCE = 4
"""Comprehend runs ten classification jobs of an account at a time (reference 4.7); the hold-outs need some. Each part
ends with a function of minutes, and a new account runs ten functions at a time."""
RUN = {"run": "{% $run %}"}
NO_RUN_YET = "{% null %}"
"""An expression, because the CDK drops a null, and the report of a failure reads the variable."""


class AnalysisMachine(Construct):
    """Its input is `{"job": <name>}`. Anybody may start it, also twice: what is done already is not done again.

    Data go from state to state as names only; lists lie in S3. A failure of any state ends in ReportFailure.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        steps: AnalysisSteps,
        access: FlywheelAccess,
        parameters: AnalysisParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._steps = steps
        self._intake = access.intake
        self._kind = access.kind
        self._parameters = parameters
        self._states = States(
            self,
            names={"job": "{% $job %}"},
            report=steps.report_analysis,
            failure={**RUN, "outcome": "FAILED"},
            ends_in="AnalysisFailed",
        )
        role = machine_role(
            self,
            description="The analysis machine calls its functions and asks Comprehend how far its jobs are.",
            functions=steps,
            permissions=[
                access.jobs(access.kind.describe_job),
                Permission(
                    actions=["s3:GetObject"],
                    resources=[access.intake.arn_for_objects("analysis/jobs/*")],
                    wildcard_reason="The lists that a distributed map reads lie below the job's own prefix.",
                ),
                *permissions_for_children(access.names.analysis_machine_arn),
                *access.encryption.permissions(through=["s3"]),
            ],
        )
        self.arn = StateMachine(
            self,
            "Machine",
            machine_name=access.names.analysis_machine,
            comment="Classify the files of a job with the active model and join the answers with the text.",
            definition=self._definition(),
            role=role,
            waits=JOB_BUDGET,
            log_retention_days=parameters.log_retention_days,
            encryption=access.encryption,
        ).arn

    def _definition(self) -> sfn.Chain:
        steps, states = self._steps, self._states
        begin = states.call(
            steps.begin_analysis,
            assign={"run": "{% $states.result.Payload.run %}", "units": "{% $states.result.Payload.units %}"},
        )
        split = states.call(steps.split_analysis, payload=AS_IT_CAME, outputs={}, failed=self._fail("UnitNotSplit"))
        plan = states.call(steps.plan_analysis, payload=RUN, assign={"parts": "{% $states.result.Payload.parts %}"})
        superseded = sfn.Succeed.jsonata(
            self, "Superseded", comment="Files came since: the run of all of them gives the output."
        )
        join = states.call(steps.join_analysis, payload=RUN, catches={"Superseded": superseded})
        at_once = as_number(self._parameters.map_concurrency)
        return (
            sfn.Pass.jsonata(self, "Job", assign={"job": "{% $states.input.job %}", "run": NO_RUN_YET})
            .next(begin)
            .next(self._each("SplitUnits", key="{% $units.key %}", at_once=at_once, do=split))
            .next(plan)
            .next(self._each("ClassifyParts", key="{% $parts.key %}", at_once=PARTS_AT_ONCE, do=self._classify_part()))
            .next(join)
            .next(states.call(steps.report_analysis, payload={**RUN, "outcome": "SUCCEEDED"}))
            .next(sfn.Succeed.jsonata(self, "AnalysisSucceeded"))
        )

    def _each(self, name: str, *, key: str, at_once: float, do: sfn.IChainable) -> sfn.DistributedMap:
        """What fails is for the step after it, which says what is missing and why: a classification job cannot be
        stopped, so what runs is collected."""
        return self._states.each_in_s3(name, bucket=self._intake, key=key, at_once=at_once, do=do)

    def _classify_part(self) -> sfn.Chain:
        """What becomes of the job is for CollectPart to find out."""
        failed = self._fail("PartNotClassified")
        classify = self._states.call(
            self._steps.classify_part,
            payload=AS_IT_CAME,
            assign={"item": AS_IT_CAME, "jobId": "{% $states.result.Payload.job_id %}"},
            failed=failed,
        )
        classified = job_poll(
            self,
            "AwaitPart",
            kind=self._kind,
            seconds=self._parameters.poll_seconds,
            budget=PART_BUDGET,
            failed=failed,
        )
        collect = self._states.call(self._steps.collect_part, payload="{% $item %}", outputs={}, failed=failed)
        return classify.next(self._states.when("PartAsked", "{% $jobId != null %}", classified)).next(collect)

    def _fail(self, name: str) -> sfn.Fail:
        """Briefly: a map's results may have 256 KiB together, and each child's history has the whole cause."""
        return self._states.fail(name, cause="{% $substring($states.input.Cause, 0, 200) %}")
