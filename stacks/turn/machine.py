"""The turn: from the uploads that wait to a decided iteration, as a Step Functions Standard machine in JSONata."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.poll import Poll, job_poll
from stacks.constructs.role import Permission
from stacks.constructs.stack_parameters import as_number
from stacks.constructs.state_machine import (
    StateMachine,
    machine_role,
    permissions_for_children,
)
from stacks.constructs.states import AS_IT_CAME, States
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.flywheel import Flywheel
from stacks.flywheel.parameters import FlywheelParameters
from stacks.turn.steps import TurnSteps

TURN = "{% $states.context.Execution.Name %}"
DATASET_BUDGET = cdk.Duration.hours(8)
ITERATION_BUDGET = cdk.Duration.hours(36)
"""As long as CloudFormation's own handler waits for the training of a classifier."""
PREDICTION_BUDGET = cdk.Duration.hours(3)
"""A job over a few thousand documents takes minutes."""
UNFINISHED = "What an earlier turn left is decided before anything new."
WAITS = DATASET_BUDGET.plus(ITERATION_BUDGET).plus(PREDICTION_BUDGET)


class TurnMachine(Construct):
    """Data go from state to state as names only; lists lie in S3. A failure of any state ends in ReportFailure."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        steps: TurnSteps,
        access: FlywheelAccess,
        flywheel: Flywheel,
        parameters: FlywheelParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._steps = steps
        self._intake = access.intake
        self._kind = access.kind
        self._flywheel_arn = flywheel.arn
        self._parameters = parameters
        self._states = States(
            self, names={"turn": TURN}, report=steps.report_turn, failure={"outcome": "FAILED"}, ends_in="TurnFailed"
        )
        role = machine_role(
            Construct(self, "Role"),
            description="The turn machine calls its functions and asks Comprehend how far things are.",
            functions=steps,
            permissions=[
                access.datasets("DescribeDataset"),
                access.flywheel("DescribeFlywheelIteration"),
                access.jobs(access.kind.describe_job),
                Permission(
                    actions=["s3:GetObject"],
                    resources=[access.intake.arn_for_objects("turns/*")],
                    wildcard_reason="The batches that a distributed map reads lie below the turn's own prefix.",
                ),
                *permissions_for_children(access.names.turn_machine_arn),
                *access.encryption.permissions(through=["s3"]),
            ],
        )
        # It names the flywheel by its computed ARN, as the functions' roles do.
        role.resource.add_resource_dependency(flywheel.resource)
        self.arn = StateMachine(
            self,
            "Machine",
            machine_name=access.names.turn_machine,
            comment="One turn of the flywheel: uploads to datasets to an iteration to a decision.",
            definition=self._definition(),
            role=role,
            waits=WAITS,
            log_retention_days=parameters.log_retention_days,
            encryption=access.encryption,
        ).arn

    def _definition(self) -> sfn.Chain:
        steps, states = self._steps, self._states
        iteration = {"iteration_id": "{% $iterationId %}"}
        begin = states.call(
            steps.begin_turn,
            assign={
                "iterationId": "{% $states.result.Payload.unfinished_iteration %}",
                "testBatches": "{% $states.result.Payload.test_batches %}",
                "trainBatches": "{% $states.result.Payload.train_batches %}",
            },
        )
        run = states.call(steps.run_iteration, assign={"iterationId": "{% $states.result.Payload.iteration_id %}"})
        request = states.call(steps.request_promotion, payload=iteration)
        report = states.call(steps.report_turn, payload={"outcome": "SUCCEEDED"}).next(
            sfn.Succeed.jsonata(self, "TurnSucceeded")
        )
        decide = (
            self._await_iteration()
            .next(self._predict_holdouts())
            .next(states.call(steps.compare_metrics, payload=iteration))
            .next(states.when("Promote", "{% $states.input.decision = 'promote' %}", request))
            .next(states.call(steps.delete_old_models))
            .next(report)
        )
        return (
            begin.next(states.when("UnfinishedIteration", "{% $iterationId != null %}", decide, comment=UNFINISHED))
            .next(self._prepare_uploads("test"))
            .next(self._prepare_uploads("train"))
            .next(states.call(steps.compose_datasets))
            .next(self._register_datasets())
            .next(run)
            .next(states.when("IterationStarted", "{% $iterationId = null %}", report))
            .next(decide)
        )

    def _prepare_uploads(self, split: str) -> sfn.Chain:
        """If a batch fails, its uploads stay where they are, and the next turn collects them again."""
        title = split.title()
        not_prepared = self._states.fail(
            f"{title}UploadNotPrepared",
            cause="The uploads of this batch wait for the next turn; the function's log says more.",
        )
        uploads = self._states.each_in_s3(
            f"Prepare{title}Uploads",
            bucket=self._intake,
            key=f"{{% ${split}Batches.key %}}",
            item={"turn": TURN, "split": split, "uploads": "{% $states.context.Map.Item.Value.uploads %}"},
            at_once=as_number(self._parameters.map_concurrency),
            do=self._states.call(
                self._steps.prepare_upload, f"Prepare{title}Upload", payload=AS_IT_CAME, failed=not_prepared
            ),
        )
        return self._states.when(f"{title}UploadsWaiting", f"{{% ${split}Batches.count > 0 %}}", uploads)

    def _register_datasets(self) -> sfn.Map:
        not_accepted = self._states.fail("DatasetNotAccepted")
        dataset = {"name": "{% $states.input.name %}", "split": "{% $states.input.split %}"}
        register = self._states.call(
            self._steps.register_dataset,
            payload=dataset,
            assign={**dataset, "datasetArn": "{% $states.result.Payload.dataset_arn %}"},
            failed=not_accepted,
        )
        completed = Poll(
            self,
            "AwaitDataset",
            action="describeDataset",
            arguments={"DatasetArn": "{% $datasetArn %}"},
            properties="DatasetProperties",
            successes=["COMPLETED"],
            failures=["FAILED"],
            error="DatasetFailed",
            seconds=self._parameters.poll_seconds,
            budget=DATASET_BUDGET,
            failed=not_accepted,
        )
        accept = self._states.call(
            self._steps.accept_dataset, payload={"name": "{% $name %}", "split": "{% $split %}"}, failed=not_accepted
        )
        return self._states.each(
            "RegisterDatasets", items="{% $states.input.datasets %}", do=register.next(completed).next(accept)
        )

    def _await_iteration(self) -> Poll:
        return Poll(
            self,
            "AwaitIteration",
            action="describeFlywheelIteration",
            arguments={"FlywheelArn": self._flywheel_arn, "FlywheelIterationId": "{% $iterationId %}"},
            properties="FlywheelIterationProperties",
            successes=["COMPLETED"],
            # STOP_REQUESTED is on its way to STOPPED.
            failures=["FAILED", "STOPPED"],
            error="IterationFailed",
            seconds=self._parameters.poll_seconds,
            budget=ITERATION_BUDGET,
            failed=self._states.failed,
        )

    def _predict_holdouts(self) -> sfn.Chain:
        """Has the models that are compared answer the hold-out, if a hold-out is what decides.

        CompareMetrics finds out what became of a job: one that failed need not end the turn.
        """
        not_asked = self._states.fail("ModelNotAsked")
        predict = self._states.call(
            self._steps.predict_holdout,
            payload={"iteration_id": "{% $iterationId %}", "model_arn": "{% $states.input.model_arn %}"},
            assign={"jobId": "{% $states.result.Payload.job_id %}"},
            failed=not_asked,
        )
        predicted = job_poll(
            self,
            "AwaitPrediction",
            kind=self._kind,
            seconds=self._parameters.poll_seconds,
            budget=PREDICTION_BUDGET,
            failed=not_asked,
        )
        started = (
            sfn.Choice.jsonata(self, "PredictionStarted")
            .when(sfn.Condition.jsonata("{% $jobId != null %}"), predicted)
            .otherwise(sfn.Pass.jsonata(self, "NoPredictionNeeded"))
        )
        prepare = self._states.call(self._steps.prepare_holdout, payload={"iteration_id": "{% $iterationId %}"})
        predict_all = self._states.each(
            "PredictHoldouts",
            items="{% $states.input.models %}",
            do=predict.next(started),
        )
        evidence = self._parameters.evidence.value_as_string
        return self._states.when("EvidenceIsHoldout", f"{{% '{evidence}' = 'HOLDOUT' %}}", prepare.next(predict_all))
