"""A wait for Comprehend, which sends no events: ask, look, wait, ask again, within a budget of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

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
        resource_arn: str,
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
        begin = sfn.Pass.jsonata(self, f"{construct_id}Begin", assign={waited: 0})
        describe = tasks.CallAwsService.jsonata(
            self,
            f"{construct_id}Ask",
            service="comprehend",
            action=action,
            parameters=dict(arguments),
            iam_resources=[resource_arn],
            outputs={
                "Status": f"{{% {_status(properties, status, unless)} %}}",
                "Message": f"{{% $exists($states.result.{properties}.Message) "
                f"? $states.result.{properties}.Message : 'Comprehend gave no reason.' %}}",
            },
        )
        retry_comprehend_faults(describe)
        if done_if_gone:
            gone = sfn.Pass.jsonata(self, f"{construct_id}Gone", outputs={"Status": "GONE"})
            describe.add_catch(gone, errors=["Comprehend.ResourceNotFoundException"], outputs=FAILURE)
        else:
            retry_until_found(describe)
        describe.add_catch(failed, errors=["States.ALL"], outputs=FAILURE)
        wait = sfn.Wait.jsonata(
            self,
            f"{construct_id}Pause",
            time=sfn.WaitTime.seconds(f"{{% {pause} %}}"),
            assign={waited: f"{{% ${waited} + {pause} %}}"},
        )
        self._done = sfn.Pass.jsonata(self, f"{construct_id}Done")
        if done_if_gone:
            gone.next(self._done)
        timed_out = sfn.Pass.jsonata(
            self,
            f"{construct_id}TimedOut",
            outputs={
                "Error": "WaitTimedOut",
                "Cause": f"{{% 'The status is still ' & $states.input.Status "
                f"& ' after {budget.to_human_string()}.' %}}",
            },
        )
        look = sfn.Choice.jsonata(self, f"{construct_id}Look")
        look.when(sfn.Condition.jsonata(f"{{% $states.input.Status in {_strings(successes)} %}}"), self._done)
        if failures:
            refused = sfn.Pass.jsonata(
                self, f"{construct_id}Failed", outputs={"Error": error, "Cause": "{% $states.input.Message %}"}
            )
            condition = sfn.Condition.jsonata(f"{{% $states.input.Status in {_strings(failures)} %}}")
            look.when(condition, refused.next(failed))
        look.when(sfn.Condition.jsonata(f"{{% ${waited} >= {budget.to_seconds()} %}}"), timed_out.next(failed))
        look.otherwise(wait.next(describe))
        self._begin = begin
        begin.next(describe)
        describe.next(look)

    @property
    def start_state(self) -> sfn.State:
        return self._begin

    @property
    def end_states(self) -> list[sfn.INextable]:
        return [self._done]


def _strings(values: Sequence[str]) -> str:
    return f"[{', '.join(f'{value!r}' for value in values)}]"


def _status(properties: str, status: str, unless: tuple[str, str] | None) -> str:
    found = f"$states.result.{properties}"
    if unless is None:
        return f"$exists({found}.{status}) ? {found}.{status} : 'UNKNOWN'"
    condition, instead = unless
    return f"($found := {found}; {condition} ? {instead!r} : $exists($found.{status}) ? $found.{status} : 'UNKNOWN')"
