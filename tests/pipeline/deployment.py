"""What promotions and serving need of a deployment, whether it has a flywheel or imports models; see turn_driver."""

from __future__ import annotations

import copy
import itertools
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Self, TypeVar

from botocore.exceptions import ClientError

from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.faults.errors import ServiceBusy
from flywheel.faults.service_faults import error_code, passes
from flywheel.pipeline import Pipeline
from flywheel.promotions import start_promotion
from flywheel.records import promotions
from flywheel.records.one_at_a_time import Current
from flywheel.records.promotions import PromotionMode
from flywheel.store.bucket import IntakeBucket
from flywheel.store.parameters import RUN_TIME_NAMES, PublishedModels
from tests.pipeline import step_roles
from tests.pipeline.in_process_cloud import Functions, InProcessCloud, in_process_cloud
from tests.pipeline.promotion_driver import PromotionRun

if TYPE_CHECKING:
    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.comprehend.model_kind import ModelKind
    from flywheel.serving.target import EndpointTarget
    from tests.pipeline.step_roles import Names, Role

_WAIT_SECONDS = 300.0
_RETRIES = 50
_MOST_PROMOTIONS = 8
T = TypeVar("T")
_numbers = itertools.count(1)


@dataclass(kw_only=True)
class PromotingDeployment(ABC):
    """What one app deploys, and a person's hands on it."""

    cloud: InProcessCloud = field(default_factory=in_process_cloud)
    kind: ModelKind = DOCUMENT_CLASSIFICATION
    promotion_mode: PromotionMode = PromotionMode.AUTOMATIC
    endpoint_target: EndpointTarget | None = None
    """What the parameter `serving` holds; None: there is no Serving stack."""
    models_to_keep: int = 1000
    variant: str = "default"
    """The synthesis whose roles the functions have (tests/infrastructure/conftest.py)."""

    def __post_init__(self) -> None:
        self.name = f"news-{next(_numbers)}"
        self.promotion: PromotionRun | None = None
        self.kills = self.cloud.kills
        self.kills.reset()
        self.cloud.clock.reset()
        self.functions = self.cloud.functions
        self._clients = self.functions.clients
        self._roles: dict[tuple[str, str, str, str], Role] = {}
        self.s3 = self.cloud.clients["s3"]
        self.comprehend = self.cloud.clients["comprehend"]
        self.s3.create_bucket(Bucket=self.name)
        self.s3.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    @property
    @abstractmethod
    def service(self) -> ActiveModelService: ...

    @property
    def pipeline(self) -> Pipeline:
        return Pipeline(intake=self.intake, service=self.service, published=self.published)

    @abstractmethod
    def names(self, *, smoke_test_key: str) -> Names:
        """In place of the template's, for the roles of the functions."""

    def before_check(self, promotion: str) -> list[Callable[[], None]]:  # noqa: ARG002 - only imports have some
        """The steps of the promote machine before check_model."""
        return []

    def share(self, promotion: str) -> str | None:  # noqa: ARG002 - imported models are not shared
        """What share_model says in the promotion."""
        return None

    def after_report(self, promotion: str) -> list[Callable[[], None]]:  # noqa: ARG002 - only imports have some
        """Those after report_promotion."""
        return []

    @cached_property
    def intake(self) -> IntakeBucket:
        """What the functions use: it can be killed."""
        return IntakeBucket(s3=self._clients["s3"], bucket=self.name)

    @cached_property
    def bucket(self) -> IntakeBucket:
        """What the test looks with: it cannot be killed."""
        return IntakeBucket(s3=self.s3, bucket=self.name)

    @property
    def published(self) -> PublishedModels:
        return PublishedModels(ssm=self._clients["ssm"], prefix=f"/comprehend-flywheel/{self.name}")

    @contextmanager
    def acting_as(self, function: str | None, *, smoke_test_key: str = "") -> Iterator[None]:
        """With the role that the template gives this function; None: as somebody who may do anything.

        `smoke_test_key` is the parameter of the Serving stack, unless `endpoint_target` has it.
        """
        with self.functions.acting_as(self._role(function, smoke_test_key) if function else None):
            yield

    def _role(self, function: str, smoke_test_key: str) -> Role | None:
        roles = step_roles.roles(self.variant)
        if roles is None:
            return None
        if self.endpoint_target is not None:
            smoke_test_key = self.endpoint_target.smoke_test_key
        names = self.names(smoke_test_key=smoke_test_key)
        key = (self.variant, function, names.flywheel, smoke_test_key)
        if key not in self._roles:
            self._roles[key] = roles.of(function, names)
        return self._roles[key]

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.cloud.clock.now(), tz=UTC)

    def upload(self, key: str, content: bytes) -> str:
        """Returns the version's id."""
        version: str = self.s3.put_object(Bucket=self.name, Key=key, Body=content)["VersionId"]
        return version

    def beside(self, functions: Functions) -> Self:
        """The same deployment through other clients: as a function sees it that goes on beside the pipeline."""
        other = copy.copy(self)
        other.functions, other._clients = functions, functions.clients
        other.__dict__.pop("intake", None)
        return other

    def poked_promotion(self, *pokes: start_promotion.Poke) -> start_promotion.PromotionStart:
        """What start_promotion thinks of these pokes; without any, of all that there are."""
        with self.acting_as("start_promotion"):
            verdict = start_promotion.decide(
                pipeline=self.pipeline, pokes=frozenset(pokes or start_promotion.Poke), now=self.now()
            )
            for end in verdict.refused:
                self.intake.write_once(promotions.end_key(end.request_id), end)
        return verdict

    def promote_all(self) -> None:
        """Promotions as long as pokes start one, or until one waits for a person. A killed one goes on as redriven."""
        if self.promotion is not None and not self.promotion.ended and not self.promotion.waits:
            self.promotion.run()
        pokes: tuple[start_promotion.Poke, ...] = ()
        for _ in range(_MOST_PROMOTIONS):
            verdict = self.poked_promotion(*pokes)
            pokes = (start_promotion.Poke.ENDED,)
            if verdict.supersede is not None:
                assert self.promotion
                self.promotion.supersede(because=verdict.because)
            elif verdict.start and not verdict.waiting:
                self.start_promotion().run()
            else:
                return
        raise AssertionError(f"{_MOST_PROMOTIONS} promotions and still not at rest: {verdict.reason}")

    def start_promotion(self) -> PromotionRun:
        """The next one, whatever became of the one before."""
        number = promotions.current_number(self.bucket) + 1
        self.bucket.write(promotions.PROMOTIONS.current_key, Current(number=number))
        self.promotion = PromotionRun(self, promotions.name_of(number))
        return self.promotion

    def end_killed_promotion(self) -> None:
        """The execution of a killed promotion fails for good, and its status event comes."""
        if self.promotion is not None and not self.promotion.ended:
            self.promotion.fail()

    def with_retries(self, take: Callable[[], T]) -> T:
        return with_retries(take)

    def keys(self, prefix: str) -> list[str]:
        return list(self.bucket.keys(prefix))

    def parameters(self) -> dict[str, str]:
        ssm = self.cloud.clients["ssm"]
        prefix = f"/comprehend-flywheel/{self.name}/"
        found = ssm.get_parameters(Names=[f"{prefix}{name}" for name in RUN_TIME_NAMES])["Parameters"]
        return {item["Name"].removeprefix(prefix): item["Value"] for item in found}


def with_retries(take: Callable[[], T]) -> T:
    """As the machine retries a step: a bounded number of times, when Comprehend cannot do it now or throttles."""
    for _ in range(_RETRIES):
        try:
            return take()
        except ServiceBusy:
            _pause()
        except ClientError as error:
            if not passes(error):
                raise
    return take()


def settled(look: Callable[[], T | None], done: Callable[[T], bool]) -> T:
    """What is there once it is done. Raises TimeoutError."""
    deadline = datetime.now(UTC) + timedelta(seconds=_WAIT_SECONDS)
    while datetime.now(UTC) < deadline:
        found = with_retries(lambda: _found(look))
        if found is not None and done(found):
            return found
        _pause()
    raise TimeoutError("Comprehend is still at it.")


def _found(look: Callable[[], T | None]) -> T | None:
    """As the machine's wait: what was created a moment ago may not be found yet."""
    try:
        return look()
    except ClientError as error:
        if error_code(error) not in {"ResourceNotFoundException", "JobNotFoundException"}:
            raise
        return None


def _pause() -> None:
    threading.Event().wait(0.01)
