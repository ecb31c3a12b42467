"""Takes what the account that trains tells: that it shares a version, or that it went back to another one.

Announcements are repeated, lost and late. A request for a version has the announcement's id and is written once. Its
age is the time at which the source shared the version, so that the newest version counts, whatever comes when.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.faults.errors import FlywheelError
from flywheel.promotions import requests
from flywheel.records.announcements import ModelShared, ModelWithdrawn
from flywheel.records.imports import origin_key, withdrawal_key
from flywheel.records.model_arn import ModelArn
from flywheel.records.promotions import (
    PromotionMode,
    PromotionRequest,
    PromotionSource,
    PromotionStatus,
    end_key,
    request_key,
)
from flywheel.records.thresholds import ModelThresholds, thresholds_key

if TYPE_CHECKING:
    from flywheel.comprehend.imported_models import ImportedModels
    from flywheel.store.bucket import IntakeBucket
    from flywheel.store.parameters import PublishedModels


class AnnouncementRefused(FlywheelError):
    """The announcement is not one of the source's, or not about a model that can be imported. The message says why."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """The deployment whose models are imported."""

    account: str
    flywheel: str
    """Its name."""


@dataclass(frozen=True, kw_only=True)
class Receiver:
    source: Source
    intake: IntakeBucket
    service: ImportedModels
    published: PublishedModels
    follow_withdrawals: bool
    mode: PromotionMode

    def shared(self, announced: ModelShared, *, now: datetime) -> bool:
        """Request that the version is imported and promoted. True: there may be a promotion to start.

        With PromotionMode NEVER the request ends at once: people import what they want. Raises AnnouncementRefused.
        """
        arn = self._version_arn(announced)
        withdrawn = self.intake.read(withdrawal_key(arn), ModelWithdrawn)
        if withdrawn is not None and withdrawn.withdrawn_at >= announced.shared_at:
            return False
        if self.intake.exists(request_key(announced.id)):
            # The message to start_promotion may have been lost.
            return True
        known = self.intake.read(origin_key(arn), ModelShared)
        if known is None or known.shared_at <= announced.shared_at:
            self.intake.write(origin_key(arn), announced)
        if announced.thresholds:
            # Written before the request, like those of a trained model before the decision on it.
            self.intake.write(
                thresholds_key(arn), ModelThresholds(model_arn=arn, holdout_id=None, thresholds=announced.thresholds)
            )
        if self._has_newer(announced):
            return False
        request = PromotionRequest(
            id=announced.id,
            source=PromotionSource.ANNOUNCEMENT,
            model_arn=arn,
            source_model_arn=announced.model,
            requested_at=announced.shared_at,
            by=f"{announced.flywheel} in account {announced.account}",
            reason=announced.reason,
        )
        if self.mode is PromotionMode.NEVER:
            left = requests.as_promotion(
                request,
                status=PromotionStatus.LEFT_TO_PEOPLE,
                reason=f"PromotionMode is NEVER: `flywheel import {announced.model}` imports it and makes it active.",
                at=now,
            )
            # The end comes first: a request without an end would be promoted.
            self.intake.write_once(end_key(request.id), left)
        self.intake.write_once(request_key(request.id), request)
        return self.mode is not PromotionMode.NEVER

    def withdrawn(self, announced: ModelWithdrawn, *, tell: Callable[[str], None], now: datetime) -> bool:
        """End the open request for the version. If it serves, request the source's active one, if that is wanted.

        `tell` tells people, once. True: there may be a promotion to start, or one that waits to be ended. Raises
        AnnouncementRefused.
        """
        arn = self._version_arn(announced)
        known = self.intake.read(withdrawal_key(arn), ModelWithdrawn)
        if known is not None and known.withdrawn_at >= announced.withdrawn_at:
            return True
        if (shared := self.intake.read(origin_key(arn), ModelShared)) and shared.shared_at > announced.withdrawn_at:
            # It has been promoted again since, and this comes late.
            return False
        ended = self._end_request(arn, announced, now=now)
        served = arn in {self.published.active(), self.service.find_active_model()}
        if served and self.follow_withdrawals:
            self._request_instead(announced)
            then = f"{announced.instead} takes its place, as FollowWithdrawals wants."
        elif served:
            then = "It serves on here: `flywheel rollback` goes back to another one."
        elif ended:
            then = "It will not be promoted here."
        else:
            then = "It does not serve here."
        who = f"{announced.flywheel} in account {announced.account}"
        tell(f"{who} has withdrawn {announced.model}: {announced.reason} {then}")
        # Last: an invocation that is killed before is repeated whole, and people are told twice rather than never.
        self.intake.write(withdrawal_key(arn), announced)
        return True

    def _has_newer(self, announced: ModelShared) -> bool:
        """Whether a version that the source shared later serves, or is on its way. This announcement came late, or is
        of the version that the source went back to: that alone must not change what serves here."""
        active = self.service.find_active_model()
        origin = self.intake.read(origin_key(active), ModelShared) if active else None
        if origin is not None and origin.shared_at > announced.shared_at:
            return True
        return any(
            request.source is PromotionSource.ANNOUNCEMENT and request.requested_at > announced.shared_at
            for request in requests.open_requests(self.intake)
        )

    def _version_arn(self, announced: ModelShared | ModelWithdrawn) -> str:
        """ARN that the version has, or will have, in this account. Raises AnnouncementRefused."""
        if (announced.account, announced.flywheel) != (self.source.account, self.source.flywheel):
            raise AnnouncementRefused(
                f"{announced.flywheel} in account {announced.account} announced {announced.model}, but models are "
                f"imported from {self.source.flywheel} in account {self.source.account}."
            )
        arns = [announced.model, *([announced.instead] if isinstance(announced, ModelWithdrawn) else [])]
        for arn in arns:
            require_importable(arn, account=self.source.account, service=self.service)
        return self.service.version_arn(announced.model)

    def _end_request(self, arn: str, announced: ModelWithdrawn, *, now: datetime) -> bool:
        """Whether there was one."""
        waiting = [request for request in requests.open_requests(self.intake) if request.model_arn == arn]
        waiting = [request for request in waiting if request.source is PromotionSource.ANNOUNCEMENT]
        for request in waiting:
            reason = f"The source has withdrawn it: {announced.reason}"
            end = requests.as_promotion(request, status=PromotionStatus.REFUSED, reason=reason, at=now)
            self.intake.write_once(end_key(request.id), end)
        return bool(waiting)

    def _request_instead(self, announced: ModelWithdrawn) -> None:
        request = PromotionRequest(
            id=announced.id,
            source=PromotionSource.ANNOUNCEMENT,
            model_arn=self.service.version_arn(announced.instead),
            source_model_arn=announced.instead,
            requested_at=announced.withdrawn_at,
            by=f"{announced.flywheel} in account {announced.account}",
            reason=f"It takes the place of {announced.model}, which the source has withdrawn: {announced.reason}",
        )
        self.intake.write_once(request_key(request.id), request)


def require_importable(model_arn: str, *, account: str, service: ImportedModels) -> None:
    """Raise AnnouncementRefused unless the ARN is that of a version of the kind in the account and this Region."""
    found = ModelArn.parse(model_arn)
    # arn:<partition>:comprehend:<Region>:<account>
    region = service.place.rpartition(":")[0]
    if found is None or found.resource != service.kind.arn_resource:
        raise AnnouncementRefused(f"{model_arn!r} is not the ARN of a {service.kind.words}.")
    if found.place.rpartition(":")[0] != region:
        raise AnnouncementRefused(
            f"{model_arn} is in another Region than this deployment ({region}): Comprehend copies a model within one "
            "Region only."
        )
    if found.place.rpartition(":")[2] != account:
        raise AnnouncementRefused(f"{model_arn} is not a model of account {account}, the source of this deployment.")
