"""The turn: from the uploads that wait to a decided iteration, as a Step Functions Standard machine in JSONata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.function import FlywheelFunction
from stacks.constructs.function_task import FunctionTasks
from stacks.constructs.poll import FAILURE, Poll
from stacks.constructs.retries import retry_unreadable_items
from stacks.constructs.stack_parameters import as_number
from stacks.constructs.state_machine import StateMachine
from stacks.flywheel.encryption_key import EncryptionKey
from stacks.flywheel.flywheel import Flywheel
from stacks.turn.parameters import TurnParameters
from stacks.turn.role import TurnMachineRole
from stacks.turn.steps import TurnSteps

TURN = "{% $states.context.Execution.Name %}"
DATASET_BUDGET = cdk.Duration.hours(8)
ITERATION_BUDGET = cdk.Duration.hours(36)
"""As long as CloudFormation's own handler waits for the training of a classifier."""
PREDICTION_BUDGET = cdk.Duration.hours(3)
"""A job over a few thousand documents takes minutes."""
WAITS = DATASET_BUDGET.plus(ITERATION_BUDGET).plus(PREDICTION_BUDGET)


class TurnMachine(Construct):
    """`machine_name` is fixed, so that the role of the machine and of start_turn can name it.

    Data go from state to state as names only; lists lie in S3. A failure of any state ends in ReportFailure.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine_name: str,
        steps: TurnSteps,
        intake: s3.IBucket,
        flywheel: Flywheel,
        parameters: TurnParameters,
        encryption: EncryptionKey,
    ) -> None:
        super().__init__(scope, construct_id)
        self._steps = steps
        self._intake = intake
        self._flywheel_arn = flywheel.arn
        self._seconds = parameters.poll_seconds
        self._map_concurrency = as_number(parameters.map_concurrency)
        self._tasks = FunctionTasks(self)
        self._evidence = parameters.evidence
        self.role = TurnMachineRole(
            self,
            "Role",
            machine_name=machine_name,
            functions=[
                steps.begin_turn,
                steps.prepare_upload,
                steps.compose_datasets,
                steps.register_dataset,
                steps.accept_dataset,
                steps.run_iteration,
                steps.prepare_holdout,
                steps.predict_holdout,
                steps.compare_metrics,
                steps.request_promotion,
                steps.delete_old_models,
                steps.report_turn,
            ],
            intake=intake,
            flywheel=flywheel,
            encryption=encryption,
        )
        self._failed = self._tasks.report_failure(
            steps.report_turn, payload={"turn": TURN, "outcome": "FAILED"}, ends_in="TurnFailed"
        )
        machine = StateMachine(
            self,
            "Machine",
            machine_name=machine_name,
            comment="One turn of the flywheel: uploads to datasets to an iteration to a decision.",
            start=self._definition().start_state,
            role_arn=self.role.arn,
            waits=WAITS,
            log_retention_days=parameters.log_retention_days,
            encryption=encryption,
        )
        self.arn = machine.arn

    def _definition(self) -> sfn.IChainable:
        report = self._report_success()
        await_iteration = self._await_iteration(report=report)

        run_iteration = self._invoke(
            "RunIteration",
            self._steps.run_iteration,
            payload={"turn": TURN},
            assign={"iterationId": "{% $states.result.Payload.iteration_id %}"},
        )
        started = sfn.Choice.jsonata(self, "IterationStarted")
        started.when(sfn.Condition.jsonata("{% $iterationId = null %}"), report).otherwise(await_iteration)
        datasets = (
            self._invoke("ComposeDatasets", self._steps.compose_datasets, payload={"turn": TURN})
            .next(self._register_datasets())
            .next(run_iteration)
            .next(started)
        )
        collect_train = self._collect(split="train", then=datasets)
        collect_test = self._collect(split="test", then=collect_train)

        begin = self._invoke(
            "BeginTurn",
            self._steps.begin_turn,
            payload={"turn": TURN},
            assign={
                "iterationId": "{% $states.result.Payload.unfinished_iteration %}",
                "testBatches": "{% $states.result.Payload.test_batches %}",
                "trainBatches": "{% $states.result.Payload.train_batches %}",
            },
        )
        unfinished = sfn.Choice.jsonata(
            self, "UnfinishedIteration", comment="What an earlier turn left is decided before anything new."
        )
        unfinished.when(sfn.Condition.jsonata("{% $iterationId != null %}"), await_iteration).otherwise(collect_test)
        return begin.next(unfinished)

    def _collect(self, *, split: str, then: sfn.IChainable) -> sfn.Choice:
        """Prepares the uploads of one split, if there are any, and goes on to `then`.

        A child that fails is left to the report: its uploads stay where they are, and the next turn collects them
        again. Children are STANDARD because an EXPRESS one ends after five minutes and an upload may take fifteen.
        """
        title = split.title()
        prepare = self._invoke(
            f"Prepare{title}Upload",
            self._steps.prepare_upload,
            payload="{% $states.input %}",
            catch=sfn.Fail.jsonata(
                self,
                f"{title}UploadNotPrepared",
                error="{% $states.input.Error %}",
                cause="The uploads of this batch wait for the next turn; the function's log says more.",
            ),
        )
        uploads = sfn.DistributedMap.jsonata(
            self,
            f"Prepare{title}Uploads",
            label=f"Prepare{title}Uploads",
            map_execution_type=sfn.StateMachineType.STANDARD,
            item_reader=sfn.S3JsonItemReader(bucket=self._intake, key=f"{{% ${split}Batches.key %}}"),
            item_selector={
                "turn": TURN,
                "split": split,
                "uploads": "{% $states.context.Map.Item.Value.uploads %}",
            },
            max_concurrency=self._map_concurrency,
            tolerated_failure_percentage=100,
            outputs={},
        )
        uploads.item_processor(prepare)
        retry_unreadable_items(uploads)
        uploads.add_catch(self._failed, errors=["States.ALL"], outputs=FAILURE)
        choice = sfn.Choice.jsonata(self, f"{title}UploadsWaiting")
        return choice.when(sfn.Condition.jsonata(f"{{% ${split}Batches.count > 0 %}}"), uploads.next(then)).otherwise(
            then
        )

    def _register_datasets(self) -> sfn.Map:
        failed = sfn.Fail.jsonata(
            self, "DatasetNotAccepted", error="{% $states.input.Error %}", cause="{% $states.input.Cause %}"
        )
        dataset = {"turn": TURN, "name": "{% $name %}", "split": "{% $split %}"}
        register = self._invoke(
            "RegisterDataset",
            self._steps.register_dataset,
            payload={
                "turn": TURN,
                "name": "{% $states.input.name %}",
                "split": "{% $states.input.split %}",
            },
            assign={
                "name": "{% $states.input.name %}",
                "split": "{% $states.input.split %}",
                "datasetArn": "{% $states.result.Payload.dataset_arn %}",
            },
            catch=failed,
        )
        poll = Poll(
            self,
            "AwaitDataset",
            action="describeDataset",
            arguments={"DatasetArn": "{% $datasetArn %}"},
            resource_arn=f"{self._flywheel_arn}/dataset/*",
            properties="DatasetProperties",
            successes=["COMPLETED"],
            failures=["FAILED"],
            error="DatasetFailed",
            seconds=self._seconds,
            budget=DATASET_BUDGET,
            failed=failed,
        )
        accept = self._invoke("AcceptDataset", self._steps.accept_dataset, payload=dataset, catch=failed)
        datasets = sfn.Map.jsonata(
            self,
            "RegisterDatasets",
            items=sfn.ProvideItems.jsonata("{% $states.input.datasets %}"),
            max_concurrency=2,
            outputs={},
        )
        datasets.item_processor(register.next(poll).next(accept))
        datasets.add_catch(self._failed, errors=["States.ALL"], outputs=FAILURE)
        return datasets

    def _await_iteration(self, *, report: sfn.IChainable) -> sfn.IChainable:
        poll = Poll(
            self,
            "AwaitIteration",
            action="describeFlywheelIteration",
            arguments={"FlywheelArn": self._flywheel_arn, "FlywheelIterationId": "{% $iterationId %}"},
            resource_arn=self._flywheel_arn,
            properties="FlywheelIterationProperties",
            successes=["COMPLETED"],
            # STOP_REQUESTED is on its way to STOPPED.
            failures=["FAILED", "STOPPED"],
            error="IterationFailed",
            seconds=self._seconds,
            budget=ITERATION_BUDGET,
            failed=self._failed,
        )
        compare = self._invoke(
            "CompareMetrics",
            self._steps.compare_metrics,
            payload={"turn": TURN, "iteration_id": "{% $iterationId %}"},
        )
        request = self._invoke(
            "RequestPromotion",
            self._steps.request_promotion,
            payload={"turn": TURN, "iteration_id": "{% $iterationId %}"},
        )
        delete = self._invoke("DeleteOldModels", self._steps.delete_old_models, payload={"turn": TURN})
        delete.next(report)
        decided = sfn.Choice.jsonata(self, "Promote")
        decided.when(sfn.Condition.jsonata("{% $states.input.decision = 'promote' %}"), request.next(delete))
        decided.otherwise(delete)
        compare.next(decided)
        return poll.next(self._ask_models(then=compare))

    def _ask_models(self, *, then: sfn.IChainable) -> sfn.Choice:
        """Has the models that are compared answer the hold-out, if a hold-out is what decides, and goes on to `then`.

        What became of a job is for `then` to find out: one that failed need not end the turn.
        """
        not_asked = sfn.Fail.jsonata(
            self, "ModelNotAsked", error="{% $states.input.Error %}", cause="{% $states.input.Cause %}"
        )
        predict = self._invoke(
            "PredictHoldout",
            self._steps.predict_holdout,
            payload={
                "turn": TURN,
                "iteration_id": "{% $iterationId %}",
                "model_arn": "{% $states.input.model_arn %}",
            },
            assign={"jobId": "{% $states.result.Payload.job_id %}"},
            catch=not_asked,
        )
        poll = Poll(
            self,
            "AwaitPrediction",
            action="describeDocumentClassificationJob",
            arguments={"JobId": "{% $jobId %}"},
            resource_arn="*",
            properties="DocumentClassificationJobProperties",
            status="JobStatus",
            successes=["COMPLETED", "FAILED", "STOPPED"],
            seconds=self._seconds,
            budget=PREDICTION_BUDGET,
            failed=not_asked,
        )
        started = sfn.Choice.jsonata(self, "PredictionStarted")
        started.when(sfn.Condition.jsonata("{% $jobId != null %}"), poll)
        started.otherwise(sfn.Pass.jsonata(self, "NoPredictionNeeded"))
        models = sfn.Map.jsonata(
            self,
            "PredictHoldouts",
            items=sfn.ProvideItems.jsonata("{% $states.input.models %}"),
            max_concurrency=2,
            outputs={},
        )
        models.item_processor(predict.next(started))
        models.add_catch(self._failed, errors=["States.ALL"], outputs=FAILURE)
        prepare = self._invoke(
            "PrepareHoldout",
            self._steps.prepare_holdout,
            payload={"turn": TURN, "iteration_id": "{% $iterationId %}"},
        )
        evidence = sfn.Choice.jsonata(self, "EvidenceIsHoldout")
        condition = sfn.Condition.jsonata(f"{{% '{self._evidence.value_as_string}' = 'HOLDOUT' %}}")
        return evidence.when(condition, prepare.next(models).next(then)).otherwise(then)

    def _report_success(self) -> sfn.IChainable:
        report = self._invoke("ReportTurn", self._steps.report_turn, payload={"turn": TURN, "outcome": "SUCCEEDED"})
        return report.next(sfn.Succeed.jsonata(self, "TurnSucceeded"))

    def _invoke(
        self,
        state: str,
        step: FlywheelFunction,
        *,
        payload: Mapping[str, Any] | str,
        assign: Mapping[str, Any] | None = None,
        catch: sfn.IChainable | None = None,
    ) -> tasks.LambdaInvoke:
        """Calls a step; its result is the state's output. `catch` is the turn's failure report unless given."""
        return self._tasks.task(state, step, payload=payload, assign=assign, catch=catch or self._failed)
