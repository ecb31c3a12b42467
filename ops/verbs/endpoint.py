"""The flywheel's endpoint: what is wanted, what there is, which model answers, and what it costs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_pascal

from flywheel.comprehend.answers import required
from flywheel.comprehend.endpoint import EndpointStatus
from flywheel.comprehend.scaling import EndpointScaling
from flywheel.records.serving import STATE_KEY, ServingState, SmokeTest, smoke_test_of
from flywheel.serving.target import EndpointTarget, read_target
from flywheel.store.record import Record
from ops.deployment.published import AnyDeployment
from ops.verbs import prices

HOURS_A_MONTH = 730
_WEEK = timedelta(days=7)
_STEP = timedelta(minutes=15)
_MONDAY = datetime(2026, 11, 23, tzinfo=UTC)


class EndpointThere(Record):
    """As Comprehend describes it."""

    model_config = ConfigDict(alias_generator=to_pascal, populate_by_name=True)

    arn: str = Field("", alias="EndpointArn")
    status: EndpointStatus
    message: str | None = None
    model_arn: str | None = None
    desired_model_arn: str | None = None
    """Differs from `model_arn` while the endpoint moves to another model."""
    flywheel_arn: str | None = None
    """None: it is pinned to a model and follows no promotion."""
    desired_units: int | None = Field(None, alias="DesiredInferenceUnits")
    current_units: int | None = Field(None, alias="CurrentInferenceUnits")
    """None until it is in service."""
    created_at: datetime | None = Field(None, alias="CreationTime")
    changed_at: datetime | None = Field(None, alias="LastModifiedTime")

    @classmethod
    def of(cls, found: Any) -> EndpointThere:
        """Of a member of DescribeEndpoint's or ListEndpoints' answer."""
        required(found, "Status", of="an endpoint")
        return cls.model_validate(found)

    @property
    def billed_units(self) -> int:
        """One that is being created is billed from its start; a failed one has no units."""
        if self.status is EndpointStatus.FAILED:
            return 0
        return self.current_units if self.current_units is not None else self.desired_units or 0


class Scaling(Record):
    """Auto scaling as it is registered."""

    least: int
    most: int


class Dollars(Record):
    """Of inference units alone, as a list price of `ops.verbs.prices.REGION`."""

    an_hour: Decimal
    a_month: Decimal
    """In which it is there at the serving hours only, if there are any."""


class EndpointReport(Record):
    name: str
    region: str
    imports: bool = False
    """Promotions bind the endpoint to an imported model; there is no flywheel that it could be bound to."""
    wanted: EndpointTarget | None = None
    """None: no Serving stack is deployed."""
    in_hours: bool = True
    state: ServingState | None = None
    """What the serve machine noted last; None before it ever looked."""
    endpoint: EndpointThere | None = None
    scaling: Scaling | None = None
    """None: it does not scale."""
    active_model_arn: str | None = None
    smoke_test: SmokeTest | None = None
    costs_so_far: Decimal | None = None
    """Dollars since the endpoint was created, as if it always had the units that it has; None without one."""
    costs_now: Dollars
    """Of the units that there are."""
    costs_wanted: Dollars
    """Of the units that are wanted."""
    costs_at_most: Dollars
    """Of those that auto scaling may add."""

    @property
    def serves_active_model(self) -> bool:
        return self.endpoint is not None and self.endpoint.model_arn == self.active_model_arn


def endpoint(deployment: AnyDeployment, *, now: datetime | None = None) -> EndpointReport:
    """Raises botocore's errors, flywheel.faults.errors.InvalidRecord and InvalidServingTarget."""
    wanted = wanted_endpoint(deployment)
    state = serving_state(deployment)
    arn = endpoint_arn(deployment, state)
    there = _described(deployment, arn) if arn else None
    hours = hours_a_month(wanted)
    now_units = there.billed_units if there else 0
    return EndpointReport(
        name=deployment.name,
        region=deployment.region,
        imports=deployment.service.arn is None,
        wanted=wanted,
        in_hours=wanted is None or wanted.in_hours(now or datetime.now(UTC)),
        state=state,
        endpoint=there,
        scaling=_scaling(deployment, there.arn) if there else None,
        active_model_arn=deployment.service.describe().active_model_arn,
        smoke_test=_smoke_test(deployment, there, state),
        costs_so_far=costs_so_far(there, now=now or datetime.now(UTC)),
        costs_now=_dollars(now_units, hours=hours),
        costs_wanted=_dollars(wanted.inference_units if wanted else 0, hours=hours),
        costs_at_most=_dollars(most_wanted(wanted), hours=hours),
    )


def _smoke_test(deployment: AnyDeployment, there: EndpointThere | None, state: ServingState | None) -> SmokeTest | None:
    """The last one of the model that answers, or that was to."""
    model_arn = there.model_arn if there else state.model_arn if state else None
    return smoke_test_of(model_arn, intake=deployment.intake) if model_arn else None


def wanted_endpoint(deployment: AnyDeployment) -> EndpointTarget | None:
    return read_target(ssm=deployment.clients.ssm, prefix=deployment.prefix)


def serving_state(deployment: AnyDeployment) -> ServingState | None:
    return deployment.intake.read(STATE_KEY, ServingState)


def endpoint_arn(deployment: AnyDeployment, state: ServingState | None) -> str | None:
    """Published once it answers, noted from its creation on."""
    return deployment.models.endpoint() or (state.endpoint_arn if state else None)


def most_wanted(wanted: EndpointTarget | None) -> int:
    """The most units; 0 if none are wanted, also where auto scaling could add some."""
    return wanted.most_units if wanted and wanted.inference_units else 0


def hours_a_month(wanted: EndpointTarget | None) -> Decimal:
    """How long the endpoint is there: from before its hours begin, so that it answers when they do."""
    steps = int(_WEEK / _STEP)
    if wanted is None:
        return Decimal(HOURS_A_MONTH)
    open_steps = sum(wanted.in_hours(_MONDAY + number * _STEP) for number in range(steps))
    return HOURS_A_MONTH * Decimal(open_steps) / steps


def _dollars(units: int, *, hours: Decimal) -> Dollars:
    an_hour = units * prices.INFERENCE_UNIT.dollars
    return Dollars(an_hour=an_hour, a_month=(an_hour * hours).quantize(Decimal("0.01")))


def costs_so_far(there: EndpointThere | None, *, now: datetime) -> Decimal | None:
    """See `EndpointReport.costs_so_far`."""
    if there is None or there.created_at is None:
        return None
    seconds = Decimal(max(0, int((now - there.created_at).total_seconds())))
    return (there.billed_units * prices.INFERENCE_UNIT.dollars * seconds / 3600).quantize(Decimal("0.01"))


def _described(deployment: AnyDeployment, arn: str) -> EndpointThere | None:
    comprehend = deployment.clients.comprehend
    try:
        answer = comprehend.describe_endpoint(EndpointArn=arn)
    except comprehend.exceptions.ResourceNotFoundException:
        return None
    return EndpointThere.of({"EndpointArn": arn, **required(answer, "EndpointProperties", of=f"endpoint {arn}")})


def _scaling(deployment: AnyDeployment, arn: str) -> Scaling | None:
    limits = EndpointScaling(
        scaling=deployment.clients.scaling, kind=deployment.service.kind, endpoint_arn=arn
    ).limits()
    return Scaling(least=limits[0], most=limits[1]) if limits else None
