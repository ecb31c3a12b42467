"""Runs the steps of a promotion in the order of the promote machine, in this process; see turn_driver."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from flywheel.faults.errors import FlywheelError, PromotionRefused, SmokeTestFailed
from flywheel.promotions import ask_for_approval, report_promotion
from flywheel.promotions.begin_promotion import begin_promotion
from flywheel.promotions.check_model import check_model
from flywheel.promotions.publish_model import publish_model
from flywheel.promotions.update_active_model import put_back, update_active_model
from flywheel.records import promotions
from flywheel.records.promotions import Promotion, PromotionBeginning, PromotionStatus
from flywheel.records.serving import smoke_test_of
from tests.pipeline.serving_driver import ServingRun

if TYPE_CHECKING:
    from tests.pipeline.deployment import PromotingDeployment

APPROVAL_TIME = timedelta(hours=72)


class PromotionRun:
    """One execution. `run` goes on where it stopped: after a kill it does what a redrive does."""

    def __init__(self, deployment: PromotingDeployment, name: str) -> None:
        self.name = name
        self.waits = False
        self.ended = False
        self.steps: list[Callable[[], None]] = [self._begin]
        self._at = deployment
        self._status = PromotionStatus.PROMOTED
        self._warning: str | None = None
        self._answered_by: str | None = None
        self._serving: str | None = None
        self._sharing: str | None = None
        self._put_back: str | None = None
        self._updated = False

    def run(self) -> None:
        """To its end, or until it waits for a person. What kills this process goes through."""
        try:
            while self.steps and not self.waits:
                self._at.with_retries(self.steps[0])
                self.steps = self.steps[1:]
        except SmokeTestFailed:
            if self._at.before_check(self.name) and not self._updated:
                # Of a job, before anything served the model.
                self._report_smoke_test()
                return
            self.steps = self._taking_back()
            self.run()
        except PromotionRefused as error:
            self._end(PromotionStatus.REFUSED, str(error))
        except (FlywheelError, ClientError) as error:
            self._end(PromotionStatus.FAILED, str(error), error=type(error).__name__)

    def approve(self, *, by: str = "a person") -> None:
        self._answer()
        self._answered_by = by
        self.run()

    def decline(self, *, reason: str = "not now") -> None:
        self._answer()
        self._end(PromotionStatus.DECLINED, reason)

    def time_out(self) -> None:
        self._answer()
        self._end(PromotionStatus.NOT_ANSWERED, None)

    def supersede(self, *, because: str) -> None:
        self._answer()
        self._end(PromotionStatus.SUPERSEDED, because)

    def stop(self) -> tuple[Promotion, ...]:
        """What the status event of an execution that a person stopped brings about."""
        return self._end(PromotionStatus.STOPPED, None)

    def fail(self) -> tuple[Promotion, ...]:
        """What the status event of an execution that failed without a report brings about."""
        return self._end(PromotionStatus.FAILED, "killed", error="States.Runtime")

    @property
    def beginning(self) -> PromotionBeginning:
        return self._at.bucket.require(promotions.begin_key(self.name), PromotionBeginning)

    def _answer(self) -> None:
        assert self.waits, f"{self.name} does not wait for anybody"
        self.waits = False

    def _begin(self) -> None:
        at = self._at
        with at.acting_as("begin_promotion"):
            beginning = begin_promotion(pipeline=at.pipeline, promotion=self.name, mode=at.promotion_mode, now=at.now())
        if beginning.request is None:
            self.ended = True
            return
        asked = [self._ask] if beginning.approval else []
        serve = [self._update, self._serve, self._publish, self._share]
        self.steps[1:] = [*at.before_check(self.name), self._check, *asked, *serve, self._report]

    def _check(self) -> None:
        with self._at.acting_as("check_model"):
            self._warning = check_model(
                promotion=self.name, intake=self._at.intake, service=self._at.service, now=self._at.now()
            )

    def _ask(self) -> None:
        with self._at.acting_as("ask_for_approval"):
            ask_for_approval.ask_for_approval(
                promotion=self.name,
                task_token=f"token of {self.name}",
                patience=APPROVAL_TIME,
                intake=self._at.intake,
                now=self._at.now(),
            )
        self.waits = True

    def _update(self) -> None:
        with self._at.acting_as("update_active_model"):
            self._status = update_active_model(promotion=self.name, intake=self._at.intake, service=self._at.service)
        self._updated = True

    def _serve(self) -> None:
        """That serving is behind holds nothing up."""
        target = self._at.endpoint_target
        if target is None or not target.inference_units:
            return
        run = ServingRun(at=self._at)
        try:
            self._serving = run.run(target).reason
        except (FlywheelError, ClientError) as error:
            self._serving = str(error)
        if run.smoke_test_failed:
            self.steps[1:] = self._taking_back()

    def _taking_back(self) -> list[Callable[[], None]]:
        def serve_former() -> None:
            self._serve()
            self.steps[1:] = [self._report_smoke_test]

        return [self._put_former_back, serve_former, self._report_smoke_test]

    def _put_former_back(self) -> None:
        with self._at.acting_as("update_active_model"):
            self._put_back = put_back(promotion=self.name, intake=self._at.intake, service=self._at.service)

    def _report_smoke_test(self) -> None:
        request = self.beginning.request
        tested = smoke_test_of(request.model_arn, intake=self._at.bucket) if request else None
        assert tested
        reason = report_promotion.reason_of_smoke_test_failure(
            tested, put_back=self._put_back, former=self.beginning.former_model_arn
        )
        self._end(PromotionStatus.SMOKE_TEST_FAILED, reason)

    def _publish(self) -> None:
        at = self._at
        with at.acting_as("publish_model"):
            publish_model(pipeline=at.pipeline, promotion=self.name)

    def _share(self) -> None:
        self._sharing = self._at.share(self.name)

    def _report(self) -> None:
        self._end(self._status, None)
        self.steps = [self._report, *self._at.after_report(self.name)]

    def _end(self, status: PromotionStatus, cause: str | None, *, error: str | None = None) -> tuple[Promotion, ...]:
        with self._at.acting_as("report_promotion"):
            ended = report_promotion.report_promotion(
                promotion=self.name,
                status=status,
                reason=" ".join(
                    filter(None, [report_promotion.reason_of(status, error=error, cause=cause), self._sharing])
                ),
                intake=self._at.intake,
                service=self._at.service,
                now=self._at.now(),
                answered_by=self._answered_by,
                warning=self._warning,
                serving=self._serving,
            )
        self.ended = True
        self.steps = []
        return ended
