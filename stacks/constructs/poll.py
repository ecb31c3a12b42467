"""A wait for Comprehend, which sends no events: ask, look, wait, ask again, within a budget of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from stacks.constructs.model_kind import ModelKind
from stacks.constructs.retries import FAILURE, retry_comprehend_faults, retry_until_found


class Poll(sfn.StateMachineFragment):
    """Describes a resource until its `Status` is final; any status it does not know means "still at it".

    The pause is `seconds`, or a hundredth of the time already waited if that is more: a day of waiting takes some 500
    rounds, far from the 25,000 events an execution may have. The time waited is counted, not read off a clock, so an
    execution that was stopped and redriven has not used up its budget meanwhile.

    `failed` receives `{"Error", "Cause"}`: `error` with the service's message for a status in `failures`,
    "WaitTimedOut" after `budget`, or what the describing itself failed with. For some minutes that Comprehend does not
    know the resource means "not yet": it may have been created a moment ago.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        action: str,
        arguments: Mapping[str, str],
        properties: str,
        status: str = "Status",
        successes: Sequence[str],
        failures: Sequence[str] = (),
        error: str = "",
        seconds: cdk.CfnParameter,
        budget: cdk.Duration,
        failed: sfn.IChainable,
        unless: tuple[str, str] | None = None,
        done_if_gone: bool = False,
    ) -> None:
        """`properties` is the member of the answer that holds `status` and Message. Without `failures`, whoever comes
        after this finds out what a final status in `successes` means.

        `unless` is a condition on `$found`, those properties, and the status that counts instead where it is true.
        `done_if_gone` makes it an end, too, that Comprehend does not know the resource any more.
        """
        super().__init__(scope, construct_id)
        # Named after the wait: Step Functions refuses a variable that a surrounding scope has too.
        waited = f"{construct_id[0].lower()}{construct_id[1:]}Seconds"
        pause = f"$max([{seconds.value_as_string}, $floor(${waited} / 100)])"
        self._begin = sfn.Pass.jsonata(self, f"{construct_id}Begin", assign={waited: 0})
        self._done = sfn.Pass.jsonata(self, f"{construct_id}Done")
        message = f"$states.result.{properties}.Message"
        ask = tasks.CallAwsService.jsonata(
            self,
            f"{construct_id}Ask",
            service="comprehend",
            action=action,
            parameters=dict(arguments),
            # Of a policy that the CDK would make: the machines' roles are written out.
            iam_resources=[],
            outputs={
                "Status": f"{{% {_status(properties, status, unless)} %}}",
                "Message": f"{{% $exists({message}) ? {message} : 'Comprehend gave no reason.' %}}",
            },
        )
        retry_comprehend_faults(ask)
        if done_if_gone:
            gone = sfn.Pass.jsonata(self, f"{construct_id}Gone", outputs={"Status": "GONE"})
            ask.add_catch(gone, errors=["Comprehend.ResourceNotFoundException"], outputs=FAILURE)
            gone.next(self._done)
        else:
            retry_until_found(ask)
        ask.add_catch(failed, errors=["States.ALL"], outputs=FAILURE)
        too_late = f"{{% 'The status is still ' & $states.input.Status & ' after {budget.to_human_string()}.' %}}"
        wait = sfn.Wait.jsonata(
            self,
            f"{construct_id}Pause",
            time=sfn.WaitTime.seconds(f"{{% {pause} %}}"),
            assign={waited: f"{{% ${waited} + {pause} %}}"},
        )
        look = sfn.Choice.jsonata(self, f"{construct_id}Look").when(_status_in(successes), self._done)
        if failures:
            look.when(_status_in(failures), self._failure("Failed", error, "{% $states.input.Message %}").next(failed))
        look.when(
            sfn.Condition.jsonata(f"{{% ${waited} >= {budget.to_seconds()} %}}"),
            self._failure("TimedOut", "WaitTimedOut", too_late).next(failed),
        ).otherwise(wait.next(ask))
        self._begin.next(ask).next(look)

    def _failure(self, name: str, error: str, cause: str) -> sfn.Pass:
        return sfn.Pass.jsonata(self, f"{self.node.id}{name}", outputs={"Error": error, "Cause": cause})

    @property
    def start_state(self) -> sfn.State:
        return self._begin

    @property
    def end_states(self) -> list[sfn.INextable]:
        return [self._done]


def job_poll(
    scope: Construct,
    construct_id: str,
    *,
    kind: ModelKind,
    seconds: cdk.CfnParameter,
    budget: cdk.Duration,
    failed: sfn.IChainable,
) -> Poll:
    """For the job `$jobId`, in which a model answers documents. What became of it is for the state after it to find
    out."""
    return Poll(
        scope,
        construct_id,
        action=f"{kind.describe_job[0].lower()}{kind.describe_job[1:]}",
        arguments={"JobId": "{% $jobId %}"},
        properties=kind.job_properties,
        status="JobStatus",
        successes=["COMPLETED", "FAILED", "STOPPED"],
        seconds=seconds,
        budget=budget,
        failed=failed,
    )


def _status_in(values: Sequence[str]) -> sfn.Condition:
    return sfn.Condition.jsonata(f"{{% $states.input.Status in [{', '.join(map(repr, values))}] %}}")


def _status(properties: str, status: str, unless: tuple[str, str] | None) -> str:
    found = f"$states.result.{properties}"
    if unless is None:
        return f"$exists({found}.{status}) ? {found}.{status} : 'UNKNOWN'"
    condition, instead = unless
    return f"($found := {found}; {condition} ? {instead!r} : $exists($found.{status}) ? $found.{status} : 'UNKNOWN')"
