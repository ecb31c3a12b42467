"""A state of a machine that calls one of the flywheel's functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.function import FlywheelFunction
from stacks.constructs.poll import FAILURE
from stacks.constructs.retries import BUSY_ATTEMPTS, retry_function_faults


class FunctionTasks:
    """Makes the states of one machine; each function is imported into it once."""

    def __init__(self, scope: Construct) -> None:
        self._scope = scope
        self._functions: dict[str, lambda_.IFunction] = {}

    def task(
        self,
        state: str,
        step: FlywheelFunction,
        *,
        payload: Mapping[str, Any] | str,
        outputs: Mapping[str, Any] | str = "{% $states.result.Payload %}",
        assign: Mapping[str, Any] | None = None,
        catch: sfn.IChainable | None = None,
        answered_within: str | None = None,
        busy_attempts: int = BUSY_ATTEMPTS,
    ) -> tasks.LambdaInvoke:
        """`catch` takes every error, as `{"Error", "Cause"}`.

        `answered_within` makes the state wait for its task token: a JSONata expression of seconds.
        """
        if step.name not in self._functions:
            self._functions[step.name] = lambda_.Function.from_function_arn(self._scope, step.name, step.arn)
        # Longer than the function may run: only an invocation that got lost comes to this.
        of_invocation = sfn.Timeout.duration(step.timeout.plus(cdk.Duration.minutes(1)))
        task = tasks.LambdaInvoke.jsonata(
            self._scope,
            state,
            lambda_function=self._functions[step.name],
            payload=sfn.TaskInput.from_text(payload)
            if isinstance(payload, str)
            else sfn.TaskInput.from_object(dict(payload)),
            outputs=outputs,
            assign=dict(assign) if assign else None,
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.at(answered_within) if answered_within else of_invocation,
            integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN
            if answered_within
            else sfn.IntegrationPattern.REQUEST_RESPONSE,
        )
        retry_function_faults(task, busy_attempts=busy_attempts)
        if catch is not None:
            task.add_catch(catch, errors=["States.ALL"], outputs=FAILURE)
        return task

    def report_failure(self, report: FlywheelFunction, *, payload: Mapping[str, str], ends_in: str) -> sfn.IChainable:
        """Takes `{"Error", "Cause"}`, reports it, and fails the execution with it in the state `ends_in`.

        Not with the error of the report itself: the status event brings the report about again.
        """
        error = {"error": "{% $states.input.Error %}", "cause": "{% $states.input.Cause %}"}
        ended = sfn.Fail.jsonata(self._scope, ends_in, error=error["error"], cause=error["cause"])
        state = self.task("ReportFailure", report, payload={**payload, **error}, outputs="{% $states.input %}")
        state.add_catch(ended, errors=["States.ALL"], outputs="{% $states.input %}")
        return state.next(ended)
