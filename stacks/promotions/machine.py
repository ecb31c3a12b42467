"""The promotion: the one door through which the active model changes, as a Step Functions Standard machine in JSONata.

Every state is one concern, so that what follows a promotion can be put before its report.
"""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.retries import FAILURE, retry_service_faults
from stacks.constructs.role import Permission, ServiceRole
from stacks.constructs.state_machine import StateMachine, logs_and_traces, permissions_to_run, trust_of_own_machines
from stacks.constructs.states import CAUSE, ERROR, States
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
OUTCOME = {
    "answered_by": "{% $answeredBy %}",
    "warning": "{% $warning %}",
    "serving": "{% $serving.reason %}",
    "serving_behind": "{% $serving.behind %}",
}
"""What is told of a promotion that came as far as serving."""


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
        self._states = States(
            self,
            names={"promotion": PROMOTION},
            report=steps.report_promotion,
            failure={"status": "FAILED"},
            ends_in="PromotionFailed",
        )
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
            definition=self._definition(),
            role_arn=self.role.arn,
            waits=WAITS,
            log_retention_days=parameters.log_retention_days,
            encryption=encryption,
        )
        self.arn = machine.arn

    def _definition(self) -> sfn.Chain:
        steps, states = self._steps, self._states
        ended = sfn.Succeed.jsonata(self, "PromotionEnded")
        refused = {"PromotionRefused": self._report("ReportRefusal", "REFUSED").next(ended)}
        take_back = self._take_back(refused).next(ended)
        begin = states.call(steps.begin_promotion, assign={"approval": "{% $states.result.Payload.approval %}"})
        check = states.call(
            steps.check_model,
            catches=refused,
            assign={"warning": "{% $states.result.Payload.warning %}", "answeredBy": "{% null %}"},
        )
        ask = self._ask_for_approval(
            {
                "Declined": self._report("ReportDeclined", "DECLINED").next(ended),
                "Superseded": self._report("ReportSuperseded", "SUPERSEDED").next(ended),
                "States.Timeout": self._report("ReportTimeout", "NOT_ANSWERED").next(ended),
                **refused,
            }
        )
        update = states.call(
            steps.update_active_model,
            catches=refused,
            assign={"status": "{% $states.result.Payload.status %}", "serving": NOT_LOOKED_AT},
        )
        publish = states.call(steps.publish_model, catches={"SmokeTestFailed": take_back, **refused})
        return (
            begin.next(states.when("RequestFound", "{% $states.input.model_arn = null %}", ended))
            .next(check)
            .next(states.when("ApprovalWanted", "{% $approval %}", ask))
            .next(update)
            .next(self._serve(take_back=take_back, if_not_deployed=publish))
            .next(publish)
            .next(self._tell_the_bus())
            .next(self._report("ReportPromotion", "{% $status %}", details=OUTCOME))
            .next(ended)
        )

    def _ask_for_approval(self, catches: Mapping[str, sfn.IChainable]) -> sfn.TaskStateBase:
        hours = self._parameters.approval_hours.value_as_string
        return self._states.call(
            self._steps.ask_for_approval,
            payload={"task_token": "{% $states.context.Task.Token %}"},
            outputs={},
            # Whoever answers may write 256 KiB, which is all that the state of the report may have.
            assign={
                "answeredBy": "{% $exists($states.result.by) ? $substring($string($states.result.by), 0, 1000) "
                ": 'somebody' %}"
            },
            catches=catches,
            answered_within=f"{{% $max([1, $ceil({hours} * 3600)]) %}}",
        )

    def _serve(self, *, take_back: sfn.IChainable, if_not_deployed: sfn.IChainable) -> sfn.Chain:
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
        retry_service_faults(find, "Ssm")
        # The SDK for Java, after which Step Functions names errors, adds "Exception" to the name.
        for name in ("Ssm.ParameterNotFoundException", "Ssm.ParameterNotFound"):
            find.add_catch(if_not_deployed, errors=[name])
        serve = self._bring_endpoint("ServeModel")
        behind = self._behind("ServingIsBehind", find, serve)
        wanted = self._states.when(
            "ServingWanted",
            "{% $number($states.input.inference_units) > 0 %}",
            serve.next(self._states.when("ModelServesWell", "{% $states.input.smoke_test_failed %}", take_back)),
        )
        return sfn.Chain.custom(find, [*find.next(wanted).end_states, behind], behind)

    def _take_back(self, refused: Mapping[str, sfn.IChainable]) -> sfn.Chain:
        """The model answers wrongly: the former one becomes the active one again, and is waited for."""
        put_back = self._states.call(
            self._steps.update_active_model,
            "PutBackFormerModel",
            payload={"put_back": True},
            catches=refused,
            assign={"putBack": "{% $states.result.Payload.put_back %}"},
        )
        serve = self._bring_endpoint("ServeFormerModel")
        behind = self._behind("FormerModelIsBehind", serve)
        return put_back.next(sfn.Chain.custom(serve, [serve, behind], behind)).next(
            self._report("ReportSmokeTest", "SMOKE_TEST_FAILED", details={**OUTCOME, "put_back": "{% $putBack %}"})
        )

    def _bring_endpoint(self, state: str) -> sfn.TaskStateBase:
        """Run the serve machine to its end. Redriven, another run finds what is left to do."""
        task = tasks.StepFunctionsStartExecution.jsonata(
            self,
            state,
            state_machine=self._serve_machine,
            integration_pattern=sfn.IntegrationPattern.RUN_JOB,
            input=sfn.TaskInput.from_object({"started_by": PROMOTION}),
            outputs="{% $states.result.Output %}",
            assign={"serving": {"reason": "{% $states.result.Output.reason %}", "behind": False}},
        )
        retry_service_faults(task, "StepFunctions")
        return task

    def _behind(self, state: str, *served_by: sfn.TaskStateBase) -> sfn.Pass:
        """Where these states go that fail."""
        behind = sfn.Pass.jsonata(self, state, assign={"serving": {"reason": CAUSE, "behind": True}})
        for task in served_by:
            task.add_catch(behind, errors=["States.ALL"], outputs=FAILURE)
        return behind

    def _tell_the_bus(self) -> sfn.TaskStateBase:
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
        # FailedEntry: an entry that EventBridge did not take.
        retry_service_faults(tell, "EventBridge", "Events", also=["EventBridge.FailedEntry"])
        tell.add_catch(self._states.failed, errors=["States.ALL"], outputs=FAILURE)
        return tell

    def _report(self, state: str, status: str, *, details: Mapping[str, str] | None = None) -> sfn.TaskStateBase:
        """With the error that brought it about, unless `details` say more."""
        return self._states.call(
            self._steps.report_promotion,
            state,
            payload={"status": status, **(details or {"error": ERROR, "cause": CAUSE})},
        )
