"""Shares the published model with the accounts that TrustedAccounts names, and takes back what must not be imported.

It compares what is with what should be, so it may be killed anywhere and run again, and it may run for any reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from flywheel.decisions.history import decision_on, score_by
from flywheel.faults.errors import SharingRefused
from flywheel.records import promotions
from flywheel.records.announcements import ModelShared, ModelWithdrawn, shared_id, withdrawn_id
from flywheel.records.decisions import Metrics
from flywheel.records.model_arn import short_name
from flywheel.records.promotions import PromotionBeginning, PromotionRequest, begin_key
from flywheel.records.sharing import (
    LEASE_KEY,
    STATE_KEY,
    TRUSTED_KEY,
    SharedVersion,
    SharingState,
    Trusted,
    Withdrawal,
    shared_versions,
    version_key,
)
from flywheel.records.thresholds import thresholds_of
from flywheel.sharing.announce import announce
from flywheel.sharing.apply_policy import apply_policy
from flywheel.sharing.principals import accounts_of
from flywheel.store.lease import held
from flywheel.text.byte_limits import LONGEST_SENTENCE, within

if TYPE_CHECKING:
    from mypy_boto3_comprehend import ComprehendClient
    from mypy_boto3_events import EventBridgeClient

    from flywheel.pipeline import FlywheelPipeline
    from flywheel.store.bucket import IntakeBucket

LOOK_BACK = 100
"""Promotions among which the one is looked for that made a model active."""
_WORDS = 1024
"""Most bytes of who and why in an announcement."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run found, for people."""

    accounts: Sequence[str]
    problems: Sequence[str] = ()
    """Policies that are not as they should be: sentences."""
    undelivered: dict[str, str] = field(default_factory=dict)
    """By account."""
    notes: Sequence[str] = ()

    @property
    def sentence(self) -> str:
        shared = (
            [f"It is shared with {_counted(len(self.accounts), 'account')}."]
            if self.accounts and not self.problems
            else []
        )
        told = [f"{account} could not be told ({reason})." for account, reason in sorted(self.undelivered.items())]
        again = ["The schedule tries again."] if told or self.problems else []
        return within(" ".join([*shared, *self.problems, *self.notes, *told, *again]), LONGEST_SENTENCE)


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """What sharing works with."""

    pipeline: FlywheelPipeline
    comprehend: ComprehendClient
    events: EventBridgeClient
    flywheel_name: str
    model_type: str
    holder: str
    """Who runs, for whoever finds the lease taken."""
    lasts: timedelta
    """Longer than the run can take."""
    clock: Callable[[], datetime]

    @property
    def intake(self) -> IntakeBucket:
        return self.pipeline.intake

    def share_model(self) -> Outcome | None:
        """Apply the list of the last deployment. None if nobody is trusted, and nothing is left to take back.

        Raises ServiceBusy while another run works, and throttles and faults of services.
        """
        if not trusted_principals(self.intake) and not any(_is_open(each) for each in shared_versions(self.intake)):
            return None
        with self._alone():
            # Read again: a deployment may have changed it meanwhile.
            return self._share(trusted_principals(self.intake))

    def change_trusted(self, principals: tuple[str, ...]) -> Outcome:
        """Apply a list that a deployment brings, and keep it. Raises SharingRefused at the first policy that is
        refused, before the list counts; else as `share_model`.

        A list that is known is not refused again: when a deployment is rolled back to it, it has to be taken.
        """
        with self._alone():
            former = trusted_principals(self.intake)
            new = principals != former or not principals
            outcome = self._share(principals, every=True, until_refused=new)
            if outcome.problems and new:
                raise SharingRefused(outcome.problems[0])
            # Last: a run that comes after one that was killed here puts the former list back.
            if principals != former:
                self.intake.write(TRUSTED_KEY, Trusted(principals=principals, since=self.clock()))
            return outcome

    def _alone(self) -> AbstractContextManager[None]:
        return held(LEASE_KEY, holder=self.holder, intake=self.intake, now=self.clock(), lasts=self.lasts)

    def _share(self, principals: tuple[str, ...], *, every: bool = False, until_refused: bool = False) -> Outcome:
        """`every`: look at all policies, whatever the records say. `until_refused`: at none after one that is."""
        active, notes = None, []
        if principals:
            active = self.pipeline.published.active()
            if active:
                notes = self._follow(active)
        problems = []
        for version in shared_versions(self.intake):
            wanted = principals if version.wanted else ()
            due = (wanted or _is_open(version)) and (version.gone_at is None or version.model_arn == active)
            if not (every or due):
                continue
            applied = self._apply(version, wanted)
            if applied.problem:
                problems.append(applied.problem)
                if until_refused:
                    break
            if applied.by_others:
                others = _counted(applied.by_others, "statement")
                notes.append(
                    f"The policy of {short_name(applied.model_arn)} has {others} of somebody else, which stay."
                )
        # A list that is refused changes nothing, and nobody is told of it.
        told = active is not None and not (until_refused and problems)
        undelivered = self._announce(active, accounts_of(principals)) if active and told else {}
        return Outcome(
            accounts=accounts_of(principals) if active else (),
            problems=problems,
            undelivered=undelivered,
            notes=notes,
        )

    def _follow(self, active: str) -> list[str]:
        """Note what the published model means for what is shared: itself, and what was shared after it."""
        versions = {version.model_arn: version for version in shared_versions(self.intake)}
        version = versions.get(active)
        if version is None or not version.wanted:
            announcement = self._announcement(active)
            if announcement is None:
                return [f"{short_name(active)} does not exist any more: it cannot be shared."]
            self._write(SharedVersion(announcement=announcement, by_others=version.by_others if version else 0))
            return []
        withdrawn = [
            each
            for each in versions.values()
            if each.wanted and each.announcement.shared_at > version.announcement.shared_at
        ]
        if not withdrawn:
            return []
        request, promotion = _origin(active, self.intake)
        for each in withdrawn:
            withdrawal = Withdrawal(
                at=self.clock(),
                instead=active,
                promotion=promotion,
                by=within(request.by, _WORDS) if request else "somebody",
                reason=within(request.reason, _WORDS) if request else "The reason is not known.",
            )
            self._write(each.model_copy(update={"withdrawn": withdrawal, "principals": None}))
        return [f"{short_name(each.model_arn)} is withdrawn: it can be imported no more." for each in withdrawn]

    def _apply(self, version: SharedVersion, principals: tuple[str, ...]) -> SharedVersion:
        if version.principals != principals and version.principals is not None:
            # First, so that a run that is killed in between leaves a record that says so.
            self._write(version.model_copy(update={"principals": None}))
        applied = apply_policy(version, principals, comprehend=self.comprehend, now=self.clock())
        if applied.problem:
            applied = applied.model_copy(update={"principals": None})
        if applied != version or (version.principals is not None and version.principals != principals):
            self._write(applied)
        return applied

    def _announce(self, active: str, accounts: Sequence[str]) -> dict[str, str]:
        versions = shared_versions(self.intake)
        current = next((version for version in versions if version.model_arn == active), None)
        if current is None:
            return {}
        ready = current.problem is None and current.gone_at is None
        undelivered = announce(
            current.announcement if ready else None,
            # What is newer than the active model was taken back; a later promotion makes it old news.
            [
                _withdrawn(version, instead=active)
                for version in versions
                if version.withdrawn and version.announcement.shared_at > current.announcement.shared_at
            ],
            accounts=accounts,
            events=self.events,
        )
        state = SharingState(undelivered=undelivered)
        if state != (self.intake.read(STATE_KEY, SharingState) or SharingState()):
            self.intake.write(STATE_KEY, state)
        return undelivered

    def _announcement(self, model_arn: str) -> ModelShared | None:
        """None if the model does not exist."""
        service = self.pipeline.service
        model = service.models.describe(model_arn)
        if model is None:
            return None
        request, promotion = _origin(model_arn, self.intake)
        decision = decision_on(model_arn, intake=self.intake)
        scores = score_by(decision, service=service, model_arn=model_arn).metrics
        thresholds = thresholds_of(model_arn, intake=self.intake) if service.kind.has_thresholds else {}
        flywheel = service.describe() if model.flywheel_arn in (None, service.arn) else None
        return ModelShared(
            id=shared_id(promotion, model_arn),
            flywheel=self.flywheel_name,
            account=model_arn.split(":")[4],
            model=model_arn,
            model_type=self.model_type,
            mode=model.mode,
            language=model.language or (flywheel.language if flywheel else None),
            labels=flywheel.task.labels if flywheel else None,
            shared_at=self.clock(),
            promotion=promotion,
            turn=request.turn if request else None,
            iteration=request.iteration_id if request else None,
            by=within(request.by, _WORDS) if request else "somebody",
            reason=within(request.reason, _WORDS) if request else "The reason is not known.",
            scores=scores if scores != Metrics() else None,
            thresholds=dict(thresholds) or None,
            key_arn=model.key,
        )

    def _write(self, version: SharedVersion) -> None:
        self.intake.write(version_key(version.model_arn), version)


def trusted_principals(intake: IntakeBucket) -> tuple[str, ...]:
    trusted = intake.read(TRUSTED_KEY, Trusted)
    return trusted.principals if trusted else ()


def _is_open(version: SharedVersion) -> bool:
    """Whether its policy may hold a statement of the pipeline."""
    return version.principals != () and version.gone_at is None


def _origin(model_arn: str, intake: IntakeBucket) -> tuple[PromotionRequest | None, str]:
    """The request that made the model active, and the promotion: the newest that worked on it."""
    current = promotions.current_number(intake)
    for number in range(current, max(0, current - LOOK_BACK), -1):
        beginning = intake.read(begin_key(promotions.name_of(number)), PromotionBeginning)
        if beginning is not None and beginning.request is not None and beginning.request.model_arn == model_arn:
            return beginning.request, beginning.promotion
    return None, promotions.name_of(0)


def _withdrawn(version: SharedVersion, *, instead: str) -> ModelWithdrawn:
    announcement, withdrawal = version.announcement, version.withdrawn
    if withdrawal is None:
        raise ValueError(f"{version.model_arn} is not withdrawn.")
    return ModelWithdrawn(
        id=withdrawn_id(withdrawal.promotion, version.model_arn),
        flywheel=announcement.flywheel,
        account=announcement.account,
        model=version.model_arn,
        model_type=announcement.model_type,
        withdrawn_at=withdrawal.at,
        instead=instead,
        promotion=withdrawal.promotion,
        by=withdrawal.by,
        reason=withdrawal.reason,
    )


def _counted(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
