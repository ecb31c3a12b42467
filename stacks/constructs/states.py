"""The states of one machine: calls of functions, ways that part and join again, and the report of a failure.

A machine's definition joins them with `.next()`, in the order in which they run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.function import FlywheelFunction
from stacks.constructs.retries import FAILURE, retry_function_faults, retry_unreadable_items

AS_IT_CAME = "{% $states.input %}"
ERROR, CAUSE = "{% $states.input.Error %}", "{% $states.input.Cause %}"


class States:
    """`failed` is where a state goes that failed, with `{"Error", "Cause"}`: it has the failure reported and ends the
    execution with it. Each function is imported into the machine once."""

    def __init__(
        self,
        scope: Construct,
        *,
        report: FlywheelFunction,
        failure: Mapping[str, str],
        ends_in: str,
        names: Mapping[str, str] | None = None,
    ) -> None:
        """`names` are told to every function; `report`, where the execution failed, also `failure`, the error and its
        cause. `ends_in` is the state that ends such an execution."""
        self._scope = scope
        self._names = names or {}
        self._functions: dict[str, lambda_.IFunction] = {}
        self.failed: sfn.IChainable = self.fail(ends_in)
        # Not with the error of the report itself: the status event brings the report about again.
        self.failed = self.call(
            report,
            "ReportFailure",
            payload={**failure, "error": ERROR, "cause": CAUSE},
            outputs=AS_IT_CAME,
            caught=AS_IT_CAME,
        ).next(self.failed)

    def call(
        self,
        step: FlywheelFunction,
        state: str | None = None,
        *,
        payload: Mapping[str, Any] | str | None = None,
        outputs: Mapping[str, Any] | str = "{% $states.result.Payload %}",
        assign: Mapping[str, Any] | None = None,
        catches: Mapping[str, sfn.IChainable] | None = None,
        failed: sfn.IChainable | None = None,
        caught: Mapping[str, Any] | str = FAILURE,
        answered_within: str | None = None,
    ) -> tasks.LambdaInvoke:
        """The state is named after the step, unless `state` is given. `payload` is what the step is told besides the
        names, or a JSONata expression of all that it is told.

        An error in `catches` goes where that says, any other to `failed`, each as `caught`. `answered_within` makes the
        state wait for its task token: a JSONata expression of seconds.
        """
        if step.name not in self._functions:
            self._functions[step.name] = lambda_.Function.from_function_arn(self._scope, step.name, step.arn)
        # Longer than the function may run: only an invocation that got lost comes to this.
        of_invocation = sfn.Timeout.duration(step.timeout.plus(cdk.Duration.minutes(1)))
        task = tasks.LambdaInvoke.jsonata(
            self._scope,
            state or step.state,
            lambda_function=self._functions[step.name],
            payload=sfn.TaskInput.from_text(payload)
            if isinstance(payload, str)
            else sfn.TaskInput.from_object({**self._names, **(payload or {})}),
            outputs=outputs,
            assign=dict(assign) if assign else None,
            retry_on_service_exceptions=False,
            task_timeout=sfn.Timeout.at(answered_within) if answered_within else of_invocation,
            integration_pattern=sfn.IntegrationPattern.WAIT_FOR_TASK_TOKEN
            if answered_within
            else sfn.IntegrationPattern.REQUEST_RESPONSE,
        )
        retry_function_faults(task, busy_attempts=step.busy_attempts)
        for error, handler in {**(catches or {}), "States.ALL": failed or self.failed}.items():
            task.add_catch(handler, errors=[error], outputs=caught)
        return task

    def when(self, name: str, condition: str, then: sfn.IChainable, *, comment: str | None = None) -> sfn.Chain:
        """By way of `then` if the condition is true. What comes next comes in either case, unless `then` ends the
        execution."""
        choice = sfn.Choice.jsonata(self._scope, name, comment=comment)
        otherwise = choice.afterwards(include_otherwise=True).end_states
        choice.when(sfn.Condition.jsonata(condition), then)
        return sfn.Chain.custom(choice, [*then.end_states, *otherwise], choice)

    def each(self, name: str, *, items: str, do: sfn.IChainable) -> sfn.Map:
        """`do` for every item of a short list, two at once. If it fails for one, the execution fails."""
        found = sfn.Map.jsonata(self._scope, name, items=sfn.ProvideItems.jsonata(items), max_concurrency=2, outputs={})
        found.item_processor(do)
        found.add_catch(self.failed, errors=["States.ALL"], outputs=FAILURE)
        return found

    def each_in_s3(
        self,
        name: str,
        *,
        bucket: s3.IBucket,
        key: str,
        item: Mapping[str, Any] | None = None,
        at_once: float,
        do: sfn.IChainable,
    ) -> sfn.DistributedMap:
        """`do` for every item of a list in S3, each in an execution of its own. Where it fails, the execution goes on.

        Children are STANDARD because an EXPRESS one ends after five minutes, and a function may take fifteen.
        """
        found = sfn.DistributedMap.jsonata(
            self._scope,
            name,
            label=name,
            map_execution_type=sfn.StateMachineType.STANDARD,
            item_reader=sfn.S3JsonItemReader(bucket=bucket, key=key),
            item_selector=item,
            max_concurrency=at_once,
            tolerated_failure_percentage=100,
            outputs={},
        )
        found.item_processor(do)
        retry_unreadable_items(found)
        found.add_catch(self.failed, errors=["States.ALL"], outputs=FAILURE)
        return found

    def fail(self, name: str, *, cause: str = CAUSE) -> sfn.Fail:
        """Ends the execution, or the item of a map, with the error that was caught."""
        return sfn.Fail.jsonata(self._scope, name, error=ERROR, cause=cause)
