"""An analysis job as a Step Functions Standard machine in JSONata: split, classify each part, join, tell."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.analysis.parameters import AnalysisParameters
from stacks.analysis.steps import AnalysisSteps
from stacks.constructs.distributed_map import permissions_for_children
from stacks.constructs.function_task import FunctionTasks
from stacks.constructs.poll import FAILURE, Poll
from stacks.constructs.retries import retry_unreadable_items
from stacks.constructs.role import Permission, ServiceRole
from stacks.constructs.stack_parameters import as_number
from stacks.constructs.state_machine import StateMachine, logs_and_traces, name_in_deployment, trust_of_own_machines
from stacks.flywheel.access import classification_jobs
from stacks.flywheel.encryption_key import EncryptionKey

PART_BUDGET = cdk.Duration.hours(24)
"""For one classification job. How long a million documents take is not documented."""
JOB_BUDGET = cdk.Duration.days(14)
"""For all parts: how many there are is known only when the input is."""
PARTS_AT_ONCE = 4
"""Comprehend runs ten classification jobs of an account at a time (reference 4.7); the hold-outs need some. Each part
ends with a function of minutes, and a new account runs ten functions at a time."""
RUN = {"job": "{% $job %}", "run": "{% $run %}"}
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
        machine_name: str,
        steps: AnalysisSteps,
        intake: s3.IBucket,
        parameters: AnalysisParameters,
        encryption: EncryptionKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._steps = steps
        self._intake = intake
        self._parameters = parameters
        self._tasks = FunctionTasks(self)
        role = ServiceRole(
            self,
            "Service",
            service="states.amazonaws.com",
            description="The analysis machine calls its functions and asks Comprehend how far its jobs are.",
            trust_condition=trust_of_own_machines(),
            permissions=[
                Permission(actions=["lambda:InvokeFunction"], resources=[function.arn for function in steps.all]),
                classification_jobs("DescribeDocumentClassificationJob"),
                Permission(
                    actions=["s3:GetObject"],
                    resources=[intake.arn_for_objects("analysis/jobs/*")],
                    wildcard_reason="The lists that a distributed map reads lie below the job's own prefix.",
                ),
                *permissions_for_children(machine_name=name_in_deployment(machine_name)),
                *encryption.permissions(through=["s3"]),
                logs_and_traces(),
            ],
        )
        self._failed = self._tasks.report_failure(
            steps.report_analysis, payload={**RUN, "outcome": "FAILED"}, ends_in="AnalysisFailed"
        )
        machine = StateMachine(
            self,
            "Machine",
            machine_name=machine_name,
            comment="Classify the files of a job with the active model and join the answers with the text.",
            start=self._definition(),
            role_arn=role.arn,
            waits=JOB_BUDGET,
            log_retention_days=parameters.log_retention_days,
            encryption=encryption,
        )
        self.arn = machine.arn

    def _definition(self) -> sfn.State:
        named = sfn.Pass.jsonata(self, "Job", assign={"job": "{% $states.input.job %}", "run": NO_RUN_YET})
        begin = self._tasks.task(
            "BeginAnalysis",
            self._steps.begin_analysis,
            payload={"job": "{% $job %}"},
            assign={
                "run": "{% $states.result.Payload.run %}",
                "units": "{% $states.result.Payload.units %}",
            },
            catch=self._failed,
        )
        split = self._map("SplitUnits", key="{% $units.key %}", at_once=as_number(self._parameters.map_concurrency))
        split.item_processor(
            self._tasks.task(
                "SplitUnit",
                self._steps.split_analysis,
                payload="{% $states.input %}",
                outputs={},
                catch=self._fail("UnitNotSplit"),
            )
        )
        plan = self._tasks.task(
            "PlanParts",
            self._steps.plan_analysis,
            payload=RUN,
            assign={"parts": "{% $states.result.Payload.parts %}"},
            catch=self._failed,
        )
        classify = self._map("ClassifyParts", key="{% $parts.key %}", at_once=PARTS_AT_ONCE)
        classify.item_processor(self._part())
        succeeded = sfn.Succeed.jsonata(self, "AnalysisSucceeded")
        superseded = sfn.Succeed.jsonata(
            self, "Superseded", comment="Files came since: the run of all of them gives the output."
        )
        join = self._tasks.task("JoinAnalysis", self._steps.join_analysis, payload=RUN)
        join.add_catch(superseded, errors=["Superseded"], outputs=FAILURE)
        join.add_catch(self._failed, errors=["States.ALL"], outputs=FAILURE)
        report = self._tasks.task(
            "ReportAnalysis", self._steps.report_analysis, payload={**RUN, "outcome": "SUCCEEDED"}, catch=self._failed
        )
        named.next(begin).next(split).next(plan).next(classify).next(join).next(report).next(succeeded)
        return named

    def _map(self, name: str, *, key: str, at_once: float) -> sfn.DistributedMap:
        """A child that fails is left to the step after it, which says what is missing and why: a classification job
        cannot be stopped, so what runs is collected. Children are STANDARD because an EXPRESS one ends after five
        minutes."""
        found = sfn.DistributedMap.jsonata(
            self,
            name,
            label=name,
            map_execution_type=sfn.StateMachineType.STANDARD,
            item_reader=sfn.S3JsonItemReader(bucket=self._intake, key=key),
            max_concurrency=at_once,
            tolerated_failure_percentage=100,
            outputs={},
        )
        retry_unreadable_items(found)
        found.add_catch(self._failed, errors=["States.ALL"], outputs=FAILURE)
        return found

    def _part(self) -> sfn.IChainable:
        """What becomes of the job is for CollectPart to find out."""
        failed = self._fail("PartNotClassified")
        ask = self._tasks.task(
            "ClassifyPart",
            self._steps.classify_part,
            payload="{% $states.input %}",
            assign={"item": "{% $states.input %}", "jobId": "{% $states.result.Payload.job_id %}"},
            catch=failed,
            # Comprehend may be busy with other jobs for a day.
            busy_attempts=100,
        )
        poll = Poll(
            self,
            "AwaitPart",
            action="describeDocumentClassificationJob",
            arguments={"JobId": "{% $jobId %}"},
            resource_arn="*",
            properties="DocumentClassificationJobProperties",
            status="JobStatus",
            successes=["COMPLETED", "FAILED", "STOPPED"],
            seconds=self._parameters.poll_seconds,
            budget=PART_BUDGET,
            failed=failed,
        )
        collect = self._tasks.task(
            "CollectPart", self._steps.collect_part, payload="{% $item %}", outputs={}, catch=failed
        )
        asked = sfn.Choice.jsonata(self, "PartAsked")
        asked.when(sfn.Condition.jsonata("{% $jobId != null %}"), poll.next(collect)).otherwise(collect)
        return ask.next(asked)

    def _fail(self, name: str) -> sfn.Fail:
        """Briefly: a map's results may have 256 KiB together, and each child's history has the whole cause."""
        cause = "{% $substring($states.input.Cause, 0, 200) %}"
        return sfn.Fail.jsonata(self, name, error="{% $states.input.Error %}", cause=cause)
