"""What the promote machine does besides where models are imported: imports the model and tries it before the check, and
deletes old versions after the report."""

from __future__ import annotations

from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.poll import Poll, job_poll
from stacks.constructs.role import Permission
from stacks.constructs.states import States
from stacks.flywheel.access import FlywheelAccess
from stacks.imports.parameters import ImportParameters
from stacks.imports.steps import ImportSteps

IMPORT_BUDGET = cdk.Duration.hours(12)
"""How long Comprehend takes is not documented; a training takes hours at most."""
TRIAL_BUDGET = cdk.Duration.hours(3)


class ImportStates:
    def __init__(self, *, steps: ImportSteps, access: FlywheelAccess, parameters: ImportParameters) -> None:
        self._steps = steps
        self._kind = access.kind
        self._access = access
        self._parameters = parameters
        self.functions: Construct = steps
        self.waits = IMPORT_BUDGET.plus(TRIAL_BUDGET)

    @property
    def permissions(self) -> list[Permission]:
        """Of the machine."""
        return [self._access.models(self._kind.describe_model), self._access.jobs(self._kind.describe_job)]

    def before_check(
        self, scope: Construct, states: States, *, refused: Mapping[str, sfn.IChainable], failed_test: sfn.IChainable
    ) -> sfn.Chain:
        steps = self._steps
        import_model = states.call(
            steps.import_model, catches=refused, assign={"modelArn": "{% $states.result.Payload.model_arn %}"}
        )
        what = self._kind.describe_model.removeprefix("Describe")
        imported = Poll(
            scope,
            "AwaitImport",
            action=f"describe{what}",
            arguments={f"{what}Arn": "{% $modelArn %}"},
            properties=f"{what}Properties",
            successes=["TRAINED", "TRAINED_WITH_WARNING"],
            failures=["IN_ERROR", "STOPPED"],
            error="ImportFailed",
            seconds=self._parameters.poll_seconds,
            budget=IMPORT_BUDGET,
            failed=states.failed,
        )
        try_model = states.call(
            steps.try_model,
            catches=refused,
            assign={
                "jobId": "{% $states.result.Payload.job_id %}",
                "trialWanted": "{% $states.result.Payload.wanted %}",
            },
        )
        answered = job_poll(
            scope,
            "AwaitTrial",
            kind=self._kind,
            seconds=self._parameters.poll_seconds,
            budget=TRIAL_BUDGET,
            failed=states.failed,
        )
        judge = states.call(steps.judge_model, catches={"SmokeTestFailed": failed_test, **refused})
        return (
            import_model.next(states.when("ImportStarted", "{% $states.input.awaited %}", imported))
            .next(try_model)
            .next(states.when("TrialStarted", "{% $jobId != null %}", answered))
            .next(states.when("TrialWanted", "{% $trialWanted %}", judge))
        )

    def after_report(self, states: States) -> sfn.TaskStateBase:
        return states.call(self._steps.delete_old_imports)
