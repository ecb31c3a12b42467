"""Bringing the endpoint to what is wanted, as a Step Functions Standard machine in JSONata.

Anybody may start it, at any time, with any input, also twice: it looks at what is wanted and at what there is.
"""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.poll import Poll
from stacks.constructs.role import Permission
from stacks.constructs.state_machine import StateMachine, machine_role
from stacks.constructs.states import States
from stacks.flywheel.access import FlywheelAccess
from stacks.serving.parameters import ServingParameters
from stacks.serving.steps import ServingSteps

CHANGE_BUDGET = cdk.Duration.minutes(45)
"""For one change of the endpoint; creation takes minutes, commonly said to be 5 to 15 (reference 2.8, unverified). Less
than the hour after which CloudFormation gives up the removal without a reason."""
MOST_CHANGES = 20
"""In one run: people who change their minds all the time would keep it going."""
ANSWER = "{% $exists($states.context.Execution.Input.answer) ? $states.context.Execution.Input.answer : null %}"


class ServeMachine(Construct):
    """Its output: `{"status", "reason", "smoke_test_failed"}`. It fails if it could not bring about what is wanted."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        steps: ServingSteps,
        access: FlywheelAccess,
        parameters: ServingParameters,
    ) -> None:
        super().__init__(scope, construct_id)
        self._steps = steps
        self._endpoint_arn = access.names.endpoint_arn
        self._parameters = parameters
        self._states = States(
            self, report=steps.report_serving, failure={"status": "BEHIND", "answer": ANSWER}, ends_in="ServingBehind"
        )
        role = machine_role(
            self,
            description="The serve machine calls its functions and asks Comprehend how far the endpoint is.",
            functions=steps,
            permissions=[Permission(actions=["comprehend:DescribeEndpoint"], resources=[self._endpoint_arn])],
        )
        machine = StateMachine(
            self,
            "Machine",
            machine_name=access.names.serve_machine,
            # The Flywheel stack knows this machine by its name alone.
            names_executions=False,
            comment="Bring the endpoint to what is wanted, change by change, and try the model that came into service.",
            definition=self._definition(),
            role=role,
            waits=cdk.Duration.minutes(MOST_CHANGES * CHANGE_BUDGET.to_minutes()),
            log_retention_days=parameters.log_retention_days,
            encryption=access.encryption,
        )
        self.resource = machine.resource
        self.arn = machine.arn

    def _definition(self) -> sfn.Chain:
        steps, states = self._steps, self._states
        bring = states.call(
            steps.bring_endpoint,
            payload={"execution": "{% $states.context.Execution.Name %}", "replaced": "{% $replaced %}"},
            assign={
                "found": "{% $states.result.Payload %}",
                "replaced": "{% $replaced or $states.result.Payload.replaced %}",
                "trial": "{% $states.result.Payload.trial %}",
                "changes": "{% $changes + 1 %}",
                "target": "{% $states.result.Payload.status = 'DELETING' ? null : $states.result.Payload.model_arn %}",
            },
        )
        report = states.call(
            steps.report_serving,
            payload={
                "status": "{% $found.status %}",
                "reason": "{% $found.reason %}",
                "model_arn": "{% $found.model_arn %}",
                "trial": "{% $trial %}",
                "answer": ANSWER,
            },
        ).next(sfn.Succeed.jsonata(self, "Settled"))
        smoke_test = states.call(
            steps.smoke_test,
            payload={"model_arn": "{% $found.model_arn %}"},
            outputs={},
            assign={"trial": "{% $states.result.Payload.trial %}"},
        ).next(report)
        give_up = sfn.Pass.jsonata(
            self,
            "NeverSettles",
            outputs={"Error": "NeverSettles", "Cause": "{% 'The endpoint is not settled: ' & $found.reason %}"},
        ).next(states.failed)
        return (
            sfn.Pass.jsonata(self, "Begin", assign={"replaced": False, "changes": 0})
            .next(bring)
            .next(
                sfn.Choice.jsonata(self, "IsSettled")
                .when(sfn.Condition.jsonata("{% $found.settled and $trial = 'DUE' %}"), smoke_test)
                .when(sfn.Condition.jsonata("{% $found.settled %}"), report)
                .when(sfn.Condition.jsonata(f"{{% $changes >= {MOST_CHANGES} %}}"), give_up)
                .otherwise(self._await_change().next(bring))
            )
        )

    def _await_change(self) -> sfn.Chain:
        begins = sfn.Wait.jsonata(
            self,
            "ChangeBegins",
            # Right after the call Comprehend may still show what was before.
            time=sfn.WaitTime.seconds(f"{{% {self._parameters.poll_seconds.value_as_string} %}}"),
        )
        changed = Poll(
            self,
            "EndpointChange",
            action="describeEndpoint",
            arguments={"EndpointArn": self._endpoint_arn},
            properties="EndpointProperties",
            # A promotion may have changed the flywheel's model before the endpoint shows that it follows.
            unless=(
                "$found.Status = 'IN_SERVICE' and $target != null and $found.ModelArn != $target",
                "FOLLOWING",
            ),
            successes=["IN_SERVICE", "FAILED"],
            done_if_gone=True,
            seconds=self._parameters.poll_seconds,
            budget=CHANGE_BUDGET,
            failed=self._states.failed,
        )
        return begins.next(changed)
