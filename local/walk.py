"""A walk of a flywheel in the local cloud: files in, turns out, as an operator would do it with `flywheel`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flywheel.promotions.requests import promotion_of, waiting_promotion
from flywheel.records.decisions import ModelScore
from flywheel.records.promotions import Promotion, PromotionStatus
from flywheel.records.turns import TurnRecord
from flywheel.records.uploads import Split
from local.cloud import LocalCloud, LocalCloudError
from ops.deployment.clients import Clients
from ops.deployment.given_parameters import check_parameters
from ops.deployment.published import Deployment, find_deployment
from ops.verbs.approve import Answered, approve, decline
from ops.verbs.pause import pause, resume
from ops.verbs.promotions import wait_for_promotion
from ops.verbs.rollback import rollback
from ops.verbs.turns import TurnProgress, current_turn, request_turn, wait_for_turn
from ops.verbs.upload import upload

_LOOK_AGAIN_SECONDS = 0.25
_TURN_TIMEOUT_SECONDS = 900.0
_PROMOTION_TIMEOUT_SECONDS = 120.0
WALK_PARAMETERS = {"QuietPeriodMinutes": "0", "PollSeconds": "30"}
"""Files are uploaded while the pipeline is paused, so that they are one turn's; nothing needs to rest."""

OnStep = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Walk:
    deployment: Deployment

    @classmethod
    def deploy(cls, cloud: LocalCloud, *, name: str, parameters: Mapping[str, str], context: Mapping[str, str]) -> Walk:
        """Deploy the app and find it again as any operator would: by Parameter Store, through the environment."""
        stack = f"{name}-flywheel"
        given = {f"{stack}:{key}": value for key, value in (WALK_PARAMETERS | dict(parameters)).items()}
        account = cloud.account()
        assembly = account.synthesise(context=context)
        check_parameters([f"{key}={value}" for key, value in given.items()], assembly=assembly)
        account.deploy(assembly, parameters={**given, f"{name}-analysis:PollSeconds": "30"})
        os.environ.update(account.environment())
        return cls(deployment=find_deployment(Clients.connect(), name=name))

    def turn(
        self, *, train: Sequence[Path] = (), test: Sequence[Path] = (), on_step: OnStep | None = None
    ) -> TurnRecord:
        """Upload the files and wait for the turn that takes them."""

        def upload_all() -> None:
            upload(self.deployment, test, Split.TEST)
            upload(self.deployment, train, Split.TRAIN)

        return self.turn_after(upload_all, reason="all files of a turn are uploaded first", on_step=on_step)

    def turn_after(self, work: Callable[[], None], *, reason: str, on_step: OnStep | None = None) -> TurnRecord:
        """Do the work while the pipeline is paused, and wait for the turn that takes what it uploaded."""
        pause(self.deployment, reason=reason)
        work()
        after = current_turn(self.deployment)
        resume(self.deployment)
        return self._wait(after, on_step)

    def turn_now(self, *, on_step: OnStep | None = None) -> TurnRecord:
        """Ask for a turn although nothing is new."""
        return self._wait(request_turn(self.deployment).after, on_step)

    def after_promotion(self, record: TurnRecord) -> TurnRecord:
        """The record with what became of the promotion the turn asked for: its end, or that it waits for a person."""
        deadline = time.monotonic() + _PROMOTION_TIMEOUT_SECONDS
        while record.iteration_id is not None and time.monotonic() < deadline:
            promotion = promotion_of(record.iteration_id, intake=self.deployment.intake)
            if promotion is None or promotion.status is not PromotionStatus.REQUESTED:
                return record.model_copy(update={"promotion": promotion})
            time.sleep(_LOOK_AGAIN_SECONDS)
        return record

    def approve(self, record: TurnRecord) -> TurnRecord:
        """Approve what the turn wants to promote; the record with the end of it."""
        self._await_question(record)
        return self._answered(approve(self.deployment, record.turn), record)

    def decline(self, record: TurnRecord, *, reason: str) -> TurnRecord:
        """As `approve`; the active model stays."""
        self._await_question(record)
        return self._answered(decline(self.deployment, record.turn, reason=reason), record)

    def rollback(self, *, to: str | None = None) -> Promotion:
        """Bring the former model back, or the one that `to` names (a turn, say); how that ended."""
        asked = rollback(self.deployment, to=to, reason="the demo's operator liked it better")
        if asked.request is None:
            raise LocalCloudError(f"{asked.model_arn} is active already: there is nothing to roll back to.")
        return self._promotion_ended(asked.request.id)

    def active_model_arn(self) -> str | None:
        """What the flywheel itself says, None before the first promotion."""
        answer = self.deployment.clients.comprehend.describe_flywheel(FlywheelArn=self.deployment.flywheel_arn)
        return answer["FlywheelProperties"].get("ActiveModelArn")

    def _await_question(self, record: TurnRecord) -> None:
        """The turn does not wait for its promotion, which begins a moment later."""
        deadline = time.monotonic() + _PROMOTION_TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            waiting = waiting_promotion(self.deployment.intake)
            if waiting is not None and waiting.beginning.request and waiting.beginning.request.turn == record.turn:
                return
            time.sleep(_LOOK_AGAIN_SECONDS)
        raise LocalCloudError(f"Nobody was asked to approve the model of {record.turn}: `flywheel status` says why.")

    def _answered(self, answered: Answered, record: TurnRecord) -> TurnRecord:
        ended = self._promotion_ended(answered.promotion.request_id)
        return record.model_copy(update={"promotion": ended})

    def _promotion_ended(self, request_id: str) -> Promotion:
        return wait_for_promotion(
            self.deployment, request_id, timeout_seconds=_PROMOTION_TIMEOUT_SECONDS, poll_seconds=_LOOK_AGAIN_SECONDS
        )

    def _wait(self, after: int, on_step: OnStep | None) -> TurnRecord:
        def tell(progress: TurnProgress | None) -> None:
            if on_step is not None:
                on_step((progress.step if progress else None) or "waiting for the turn to start")

        return wait_for_turn(
            self.deployment,
            after=after,
            timeout_seconds=_TURN_TIMEOUT_SECONDS,
            poll_seconds=_LOOK_AGAIN_SECONDS,
            on_progress=tell,
        )


def as_json(record: TurnRecord) -> dict[str, Any]:
    """A turn as `--json` writes it."""
    return {
        "turn": record.turn,
        "outcome": record.outcome.value,
        "cause": record.cause or record.error,
        "uploads": record.counts.uploads,
        "documents": sum(dataset.documents for dataset in record.datasets),
        "active": _model(record.active),
        "candidate": _model(record.candidate),
        "decision": record.decision.value,
        "reasons": list(record.reasons),
    }


def _model(model: ModelScore | None) -> dict[str, Any] | None:
    return None if model is None else {"arn": model.arn, "metrics": model.metrics.model_dump(exclude_none=True)}
