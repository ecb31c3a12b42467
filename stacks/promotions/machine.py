"""The promotion: the one door through which the active model changes, as a Step Functions Standard machine in JSONata.

Every state is one concern, so that what follows a promotion can be put before its report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.function import FlywheelFunction
from stacks.constructs.function_task import FunctionTasks
from stacks.constructs.poll import FAILURE
from stacks.constructs.retries import retry_event_faults, retry_execution_faults, retry_parameter_faults
from stacks.constructs.role import Permission, ServiceRole
from stacks.constructs.state_machine import StateMachine, logs_and_traces, permissions_to_run, trust_of_own_machines
from stacks.flywheel.encryption_key import EncryptionKey
from stacks.flywheel.flywheel import Flywheel
from stacks.promotions.steps import PromotionSteps
from stacks.serving.machine import LONGEST_RUN
from stacks.turn.parameters import MOST_APPROVAL_HOURS, TurnParameters

PROMOTION = "{% $states.context.Execution.Name %}"
RUNS_OF_SERVING = 2
"""With the new model, and with the former one if it is taken back."""
WAITS = cdk.Duration.hours(MOST_APPROVAL_HOURS).plus(cdk.Duration.days(RUNS_OF_SERVING * LONGEST_RUN.to_days()))
EVENT_SOURCE = "comprehend.flywheel"
MODEL_PROMOTED = "Model Promoted"
NOT_LOOKED_AT = "{% {'reason': null, 'behind': false} %}"
"""An expression, because the CDK drops a null."""


class PromoteMachine(Construct):
    """`machine_name` is fixed, so that the role of start_promotion can name it.

    That a model is refused, declined, superseded or not approved in time are ends as good as any other: only what
    should have worked and did not fails the execution.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        machine_name: str,
        steps: PromotionSteps,
        flywheel: Flywheel,
        parameters: TurnParameters,
        encryption: EncryptionKey,
        serving_parameter: str,
        serve_machine_arn: str,
    ) -> None:
        """`serving_parameter` is the name of the parameter with the wish; it and the serve machine are in the Serving
        stack, which comes later or never."""
        super().__init__(scope, construct_id)
        self._serving_parameter = serving_parameter
        self._serve_machine = sfn.StateMachine.from_state_machine_arn(self, "ServeMachine", serve_machine_arn)
        self._steps = steps
        self._parameters = parameters
        self._tasks = FunctionTasks(self)
        bus = f"arn:{cdk.Aws.PARTITION}:events:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:event-bus/default"
        functions = [
            steps.begin_promotion,
            steps.check_model,
            steps.ask_for_approval,
            steps.update_active_model,
            steps.publish_model,
            steps.report_promotion,
        ]
        self.role = ServiceRole(
            self,
            "Service",
            service="states.amazonaws.com",
            description="The promote machine calls its functions and tells the bus of a new active model.",
            trust_condition=trust_of_own_machines(),
            permissions=[
                Permission(actions=["lambda:InvokeFunction"], resources=[function.arn for function in functions]),
                Permission(
                    actions=["events:PutEvents"],
                    resources=[bus],
                    condition={
                        "StringEquals": {"events:source": EVENT_SOURCE, "events:detail-type": MODEL_PROMOTED},
                    },
                ),
                Permission(
                    actions=["ssm:GetParameter"],
                    resources=[
                        cdk.Arn.format(
                            cdk.ArnComponents(
                                service="ssm", resource="parameter", resource_name=serving_parameter.lstrip("/")
                            ),
                            cdk.Stack.of(self),
                        )
                    ],
                ),
                *permissions_to_run(serve_machine_arn),
                logs_and_traces(),
            ],
        )
        self.role.resource.add_resource_dependency(flywheel.resource)
        machine = StateMachine(
            self,
            "Machine",
            machine_name=machine_name,
            comment="One promotion: check the model, ask where a person has to agree, update, publish, report.",
            start=self._definition(),
            role_arn=self.role.arn,
            waits=WAITS,
            log_retention_days=parameters.log_retention_days,
            encryption=encryption,
        )
        self.arn = machine.arn

    def _definition(self) -> sfn.State:
        done = sfn.Succeed.jsonata(self, "PromotionEnded")
        failed = self._tasks.report_failure(
            self._steps.report_promotion,
            payload={"promotion": PROMOTION, "status": "FAILED"},
            ends_in="PromotionFailed",
        )
        refused = self._report("ReportRefusal", status="REFUSED", failed=failed).next(done)
        taken_back = self._take_back(failed=failed, refused=refused, done=done)
        publish = self._step(
            "PublishModel", self._steps.publish_model, failed=failed, refused=refused, taken_back=taken_back
        )
        published = (
            publish.next(self._tell_the_bus(failed))
            .next(
                self._report(
                    "ReportPromotion",
                    status="{% $status %}",
                    failed=failed,
                    more={
                        "answered_by": "{% $answeredBy %}",
                        "warning": "{% $warning %}",
                        "serving": "{% $serving.reason %}",
                        "serving_behind": "{% $serving.behind %}",
                    },
                )
            )
            .next(done)
        )
        serve = self._serve(then=published, taken_back=taken_back)
        update = self._step(
            "UpdateActiveModel",
            self._steps.update_active_model,
            failed=failed,
            refused=refused,
            assign={"status": "{% $states.result.Payload.status %}", "serving": NOT_LOOKED_AT},
        )
        update.next(serve)
        asked = self._ask(then=update, done=done, refused=refused, failed=failed)
        wanted = sfn.Choice.jsonata(self, "ApprovalWanted")
        wanted.when(sfn.Condition.jsonata("{% $approval %}"), asked).otherwise(update)
        check = self._step(
            "CheckModel",
            self._steps.check_model,
            failed=failed,
            refused=refused,
            assign={"warning": "{% $states.result.Payload.warning %}", "answeredBy": "{% null %}"},
        )
        check.next(wanted)
        begin = self._step(
            "BeginPromotion",
            self._steps.begin_promotion,
            failed=failed,
            assign={"approval": "{% $states.result.Payload.approval %}"},
        )
        found = sfn.Choice.jsonata(self, "RequestFound")
        found.when(sfn.Condition.jsonata("{% $states.input.model_arn = null %}"), done).otherwise(check)
        begin.next(found)
        return begin

    def _ask(
        self, *, then: sfn.IChainable, done: sfn.IChainable, refused: sfn.IChainable, failed: sfn.IChainable
    ) -> sfn.IChainable:
        hours = self._parameters.approval_hours.value_as_string
        ask = self._tasks.task(
            "AskForApproval",
            self._steps.ask_for_approval,
            payload={"promotion": PROMOTION, "task_token": "{% $states.context.Task.Token %}"},
            outputs={},
            # Whoever answers may write 256 KiB, which is all that the state of the report may have.
            assign={
                "answeredBy": "{% $exists($states.result.by) ? $substring($string($states.result.by), 0, 1000) "
                ": 'somebody' %}"
            },
            answered_within=f"{{% $max([1, $ceil({hours} * 3600)]) %}}",
        )
        ends = {"Declined": "DECLINED", "Superseded": "SUPERSEDED", "States.Timeout": "NOT_ANSWERED"}
        for error, status in ends.items():
            report = self._report(f"Report{error.removeprefix('States.')}", status=status, failed=failed)
            ask.add_catch(report.next(done), errors=[error], outputs=FAILURE)
        ask.add_catch(refused, errors=["PromotionRefused"], outputs=FAILURE)
        ask.add_catch(failed, errors=["States.ALL"], outputs=FAILURE)
        return ask.next(then)

    def _serve(self, *, then: sfn.IChainable, taken_back: sfn.IChainable) -> sfn.IChainable:
        """Wait until the endpoint answers with the model, where one is wanted, and take the model back if it does so
        wrongly. That serving is behind holds up no promotion: the serve machine's schedule mends it."""
        find = tasks.CallAwsService.jsonata(
            self,
            "FindServing",
            service="ssm",
            action="getParameter",
            parameters={"Name": self._serving_parameter},
            iam_resources=[],
            outputs="{% $parse($states.result.Parameter.Value) %}",
        )
        retry_parameter_faults(find)
        # No Serving stack. The SDK for Java, after which Step Functions names errors, adds "Exception" to the name.
        for name in ("Ssm.ParameterNotFoundException", "Ssm.ParameterNotFound"):
            find.add_catch(then, errors=[name])
        behind = sfn.Pass.jsonata(
            self, "ServingIsBehind", assign={"serving": {"reason": "{% $states.input.Cause %}", "behind": True}}
        )
        behind.next(then)
        find.add_catch(behind, errors=["States.ALL"], outputs=FAILURE)
        wanted = sfn.Choice.jsonata(self, "ServingWanted")
        serve = self._bring_endpoint(
            "ServeModel", assign={"serving": {"reason": "{% $states.result.Output.reason %}", "behind": False}}
        )
        serve.add_catch(behind, errors=["States.ALL"], outputs=FAILURE)
        tested = sfn.Choice.jsonata(self, "ModelServesWell")
        tested.when(sfn.Condition.jsonata("{% $states.input.smoke_test_failed %}"), taken_back).otherwise(then)
        serve.next(tested)
        wanted.when(sfn.Condition.jsonata("{% $number($states.input.inference_units) > 0 %}"), serve).otherwise(then)
        return find.next(wanted)

    def _take_back(self, *, failed: sfn.IChainable, refused: sfn.IChainable, done: sfn.IChainable) -> sfn.IChainable:
        """The model answers wrongly: the former one becomes the active one again, and is waited for."""
        put_back = self._tasks.task(
            "PutBackFormerModel",
            self._steps.update_active_model,
            payload={"promotion": PROMOTION, "put_back": True},
            assign={"putBack": "{% $states.result.Payload.put_back %}"},
        )
        put_back.add_catch(refused, errors=["PromotionRefused"], outputs=FAILURE)
        put_back.add_catch(failed, errors=["States.ALL"], outputs=FAILURE)
        report = self._report(
            "ReportSmokeTest",
            status="SMOKE_TEST_FAILED",
            failed=failed,
            more={
                "answered_by": "{% $answeredBy %}",
                "warning": "{% $warning %}",
                "serving": "{% $serving.reason %}",
                "serving_behind": "{% $serving.behind %}",
                "put_back": "{% $putBack %}",
            },
        )
        report.next(done)
        again = self._bring_endpoint(
            "ServeFormerModel", assign={"serving": {"reason": "{% $states.result.Output.reason %}", "behind": False}}
        )
        still_behind = sfn.Pass.jsonata(
            self, "FormerModelIsBehind", assign={"serving": {"reason": "{% $states.input.Cause %}", "behind": True}}
        )
        again.add_catch(still_behind, errors=["States.ALL"], outputs=FAILURE)
        still_behind.next(report)
        put_back.next(again)
        again.next(report)
        return put_back

    def _bring_endpoint(self, state: str, *, assign: Mapping[str, Any]) -> tasks.StepFunctionsStartExecution:
        """Run the serve machine to its end. Redriven, another run finds what is left to do."""
        task = tasks.StepFunctionsStartExecution.jsonata(
            self,
            state,
            state_machine=self._serve_machine,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            input=sfn.TaskInput.from_object({"started_by": PROMOTION}),
            outputs="{% $states.result.Output %}",
            assign=dict(assign),
        )
        retry_execution_faults(task)
        return task

    def _tell_the_bus(self, failed: sfn.IChainable) -> sfn.TaskStateBase:
        """Repeated if the execution is redriven: who listens knows a promotion by its name."""
        tell = tasks.EventBridgePutEvents.jsonata(
            self,
            "TellTheBus",
            entries=[
                tasks.EventBridgePutEventsEntry(
                    source=EVENT_SOURCE,
                    detail_type=MODEL_PROMOTED,
                    detail=sfn.TaskInput.from_text("{% $states.input.event %}"),
                    event_bus=events.EventBus.from_event_bus_name(self, "Bus", "default"),
                )
            ],
            outputs={},
        )
        retry_event_faults(tell)
        tell.add_catch(failed, errors=["States.ALL"], outputs=FAILURE)
        return tell

    def _step(
        self,
        state: str,
        step: FlywheelFunction,
        *,
        failed: sfn.IChainable,
        refused: sfn.IChainable | None = None,
        taken_back: sfn.IChainable | None = None,
        assign: Mapping[str, Any] | None = None,
    ) -> tasks.LambdaInvoke:
        task = self._tasks.task(state, step, payload={"promotion": PROMOTION}, assign=assign)
        if taken_back is not None:
            task.add_catch(taken_back, errors=["SmokeTestFailed"], outputs=FAILURE)
        if refused is not None:
            task.add_catch(refused, errors=["PromotionRefused"], outputs=FAILURE)
        task.add_catch(failed, errors=["States.ALL"], outputs=FAILURE)
        return task

    def _report(
        self, state: str, *, status: str, failed: sfn.IChainable, more: Mapping[str, Any] | None = None
    ) -> tasks.LambdaInvoke:
        details = more or {"error": "{% $states.input.Error %}", "cause": "{% $states.input.Cause %}"}
        return self._tasks.task(
            state,
            self._steps.report_promotion,
            payload={"promotion": PROMOTION, "status": status, **details},
            catch=failed,
        )
