"""The promotion: the one door through which the active model changes, as a Step Functions Standard machine in JSONata.

Every state is one concern, so that what follows a promotion can be put before its report.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from flywheel.records.announcements import EVENT_SOURCE
from stacks.constructs.arn import arn_of
from stacks.constructs.function import FlywheelFunction
from stacks.constructs.retries import FAILURE, retry_service_faults
from stacks.constructs.role import Permission
from stacks.constructs.state_machine import (
    StateMachine,
    machine_role,
    permissions_to_run,
)
from stacks.constructs.states import CAUSE, ERROR, States
from stacks.flywheel.access import FlywheelAccess
from stacks.flywheel.flywheel import Flywheel
from stacks.flywheel.parameters import MOST_APPROVAL_HOURS
from stacks.names import SERVING_TARGET
from stacks.promotions.steps import PromotionSteps

PROMOTION = "{% $states.context.Execution.Name %}"
LONGEST_RUN = cdk.Duration.days(3)
"""Of the serve machine: all the changes that it may make, and what its tasks take. A test compares."""
RUNS_OF_SERVING = 2
"""With the new model, and with the former one if it is taken back."""
WAITS = cdk.Duration.hours(MOST_APPROVAL_HOURS).plus(cdk.Duration.days(RUNS_OF_SERVING * LONGEST_RUN.to_days()))
MODEL_PROMOTED = "Model Promoted"
NOT_LOOKED_AT = "{% {'reason': null, 'behind': false} %}"
"""An expression, because the CDK drops a null."""
OUTCOME = {
    "answered_by": "{% $answeredBy %}",
    "answer_reason": "{% $answerReason %}",
    "warning": "{% $warning %}",
    "serving": "{% $serving.reason %}",
    "serving_behind": "{% $serving.behind %}",
    "sharing": "{% $sharing.reason %}",
    "sharing_behind": "{% $sharing.behind %}",
}
"""What is told of a promotion that came as far as serving."""


class PromotionParameters(Protocol):
    """Of the stack."""

    @property
    def approval_hours(self) -> cdk.CfnParameter: ...
    @property
    def log_retention_days(self) -> cdk.CfnParameter: ...


class ModelImport(Protocol):
    """What a deployment that imports its models does besides."""

    @property
    def functions(self) -> Construct:
        """Those that the machine calls are below it."""

    @property
    def permissions(self) -> Sequence[Permission]:
        """Of the machine."""

    @property
    def waits(self) -> cdk.Duration:
        """The longest that is waited for."""

    def before_check(
        self, scope: Construct, states: States, *, refused: Mapping[str, sfn.IChainable], failed_test: sfn.IChainable
    ) -> sfn.Chain:
        """Has the model imported and tried."""

    def after_report(self, states: States) -> sfn.TaskStateBase:
        """Tidies up after a promotion."""


class PromoteMachine(Construct):
    """That a model is refused, declined, superseded or not approved in time are ends as good as any other: only what
    should have worked and did not fails the execution."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        steps: PromotionSteps,
        access: FlywheelAccess,
        flywheel: Flywheel | None,
        parameters: PromotionParameters,
        share_model: FlywheelFunction | None = None,
        imports: ModelImport | None = None,
    ) -> None:
        """`flywheel` and `share_model` are None where models are imported, and only then `imports` is given."""
        super().__init__(scope, construct_id)
        self._steps = steps
        self._imports = imports
        self._share_model = share_model
        self._names = access.names
        self._parameters = parameters
        # In the Serving stack, which comes later or never.
        serve_arn = access.names.serve_machine_arn
        self._serve_machine = sfn.StateMachine.from_state_machine_arn(self, "ServeMachine", serve_arn)
        self._states = States(
            self,
            names={"promotion": PROMOTION},
            report=steps.report_promotion,
            failure={"status": "FAILED"},
            ends_in="PromotionFailed",
        )
        role = machine_role(
            self,
            description="The promote machine calls its functions and tells the bus of a new active model.",
            functions=[steps, *([imports.functions] if imports else [])],
            permissions=[
                *([Permission(actions=["lambda:InvokeFunction"], resources=[share_model.arn])] if share_model else []),
                Permission(
                    actions=["events:PutEvents"],
                    resources=[arn_of("events", "event-bus/default")],
                    condition={"StringEquals": {"events:source": EVENT_SOURCE, "events:detail-type": MODEL_PROMOTED}},
                ),
                access.parameters(SERVING_TARGET, actions=("GetParameter",)),
                *permissions_to_run(serve_arn),
                *(imports.permissions if imports else []),
            ],
        )
        if flywheel is not None:
            role.resource.add_resource_dependency(flywheel.resource)
        self.arn = StateMachine(
            self,
            "Machine",
            machine_name=access.names.promote_machine,
            comment="One promotion: check the model, ask where a person has to agree, update, publish, report."
            if imports is None
            else "One promotion: import the model, try it, ask where a person has to agree, serve, publish, report.",
            definition=self._definition(),
            role=role,
            waits=WAITS.plus(imports.waits) if imports else WAITS,
            log_retention_days=parameters.log_retention_days,
            encryption=access.encryption,
        ).arn

    def _definition(self) -> sfn.Chain:
        steps, states = self._steps, self._states
        ended = sfn.Succeed.jsonata(self, "PromotionEnded")
        refused = {"PromotionRefused": self._report("ReportRefusal", "REFUSED").next(ended)}
        take_back = self._take_back(refused).next(ended)
        begin = states.call(
            steps.begin_promotion,
            assign={
                "approval": "{% $states.result.Payload.approval %}",
                "warning": "{% null %}",
                "answeredBy": "{% null %}",
                "answerReason": "{% null %}",
                "serving": NOT_LOOKED_AT,
                "sharing": NOT_LOOKED_AT,
            },
        )
        check = states.call(
            steps.check_model,
            catches={"SmokeTestFailed": take_back, **refused},
            assign={"warning": "{% $states.result.Payload.warning %}"},
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
            assign={"status": "{% $states.result.Payload.status %}"},
        )
        publish = states.call(steps.publish_model, catches={"SmokeTestFailed": take_back, **refused})
        found = begin.next(states.when("RequestFound", "{% $states.input.model_arn = null %}", ended))
        report: sfn.Chain | sfn.TaskStateBase = self._report("ReportPromotion", "{% $status %}", details=OUTCOME)
        if self._share_model is not None:
            report = self._share(self._share_model).next(report)
        if self._imports is not None:
            failed_test = self._report("ReportFailedTest", "SMOKE_TEST_FAILED").next(ended)
            found = found.next(self._imports.before_check(self, states, refused=refused, failed_test=failed_test))
            report = report.next(self._imports.after_report(states))
        return (
            found.next(check)
            .next(states.when("ApprovalWanted", "{% $approval %}", ask))
            .next(update)
            .next(self._serve(take_back=take_back, if_not_deployed=publish))
            .next(publish)
            .next(self._tell_the_bus())
            .next(report)
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
                ": 'somebody' %}",
                "answerReason": "{% $exists($states.result.reason) "
                "? $substring($string($states.result.reason), 0, 1000) : null %}",
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
            parameters={"Name": self._names.parameter(SERVING_TARGET)},
            iam_resources=[],
            outputs="{% $parse($states.result.Parameter.Value) %}",
        )
        retry_service_faults(find, "Ssm")
        # The SDK for Java, after which Step Functions names errors, adds "Exception" to the name.
        find.add_catch(if_not_deployed, errors=["Ssm.ParameterNotFoundException", "Ssm.ParameterNotFound"])
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
            assign={
                "putBack": "{% $states.result.Payload.put_back %}",
                "whyNone": "{% $states.result.Payload.why_none %}",
            },
        )
        serve = self._bring_endpoint("ServeFormerModel")
        behind = self._behind("FormerModelIsBehind", serve)
        return put_back.next(sfn.Chain.custom(serve, [serve, behind], behind)).next(
            self._report(
                "ReportSmokeTest",
                "SMOKE_TEST_FAILED",
                details={**OUTCOME, "put_back": "{% $putBack %}", "cause": "{% $whyNone %}"},
            )
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

    def _share(self, share_model: FlywheelFunction) -> sfn.Chain:
        """That sharing fails undoes no promotion: the schedule tries again."""
        behind = sfn.Pass.jsonata(self, "SharingIsBehind", assign={"sharing": {"reason": CAUSE, "behind": True}})
        share = self._states.call(
            share_model,
            outputs={},
            assign={"sharing": {"reason": "{% $states.result.Payload.reason %}", "behind": False}},
            failed=behind,
        )
        return sfn.Chain.custom(share, [share, behind], share)

    def _report(self, state: str, status: str, *, details: Mapping[str, str] | None = None) -> sfn.TaskStateBase:
        """With the error that brought it about, unless `details` say more."""
        return self._states.call(
            self._steps.report_promotion,
            state,
            payload={"status": status, **(details or {"error": ERROR, "cause": CAUSE})},
        )
