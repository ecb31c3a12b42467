"""What a deployment costs a month and a turn: usage times price, with what each figure rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum

from flywheel.evaluation.sampling import MINIMUM_UNITS
from flywheel.records.decisions import Evidence
from flywheel.store.record import Record
from ops.deployment.published import AnyDeployment, ImportParameters, Parameters, PromotionParameters
from ops.deployment.synthesised import SynthesisedFlywheel
from ops.verbs import prices
from ops.verbs.endpoint import HOURS_A_MONTH, hours_a_month
from ops.verbs.prices import Price
from ops.verbs.usage import LastHoldout, TrainingTimes, TrainingTimesOf, Usage, find_usage, planned_usage

_GIGABYTE = 2**30
_SMALLEST = Decimal("0.000001")
_ASKED_OF = 2
"""The candidate and the active model."""
_OF_TRAINING = {
    TrainingTimesOf.MODELS: "billed training time of this flywheel's models that there are ({}), shortest to longest",
    TrainingTimesOf.ITERATIONS: "this flywheel's iterations that trained ({}), shortest to longest, evaluation "
    "included",
    TrainingTimesOf.PUBLISHED: "no iteration has trained yet: what AWS's published samples took, yours depends on your "
    "documents",
}


class Per(StrEnum):
    MONTH = "month"
    TURN = "turn"
    """A turn whose iteration trains. One without anything new costs next to nothing."""


class Range(Record):
    """Both ends are equal where the value is known exactly."""

    low: Decimal
    high: Decimal

    @classmethod
    def of(cls, low: Decimal | int, high: Decimal | int | None = None) -> Range:
        return cls(low=Decimal(low), high=Decimal(low if high is None else high))

    def rounded(self) -> Range:
        """To a millionth."""
        return Range.of(_rounded(self.low), _rounded(self.high))


def _rounded(number: Decimal) -> Decimal:
    rounded = number.quantize(_SMALLEST)
    return number if number == rounded else rounded


class Line(Record):
    what: str
    per: Per
    quantity: Range
    price: Price
    dollars: Range
    basis: str
    """What was counted or assumed, in words."""


class Costs(Record):
    """List prices, without taxes, discounts and free trials. Dollars are decimal numbers, strings in JSON."""

    name: str
    region: str
    prices_of: str = prices.REGION
    lines: tuple[Line, ...]
    a_month: Range
    """The sum of what is known, turns not included."""
    a_turn: Range
    left_out: tuple[str, ...]
    """What is not in the lines, and why: sentences."""


def cost(deployment: AnyDeployment) -> Costs:
    """Raises botocore's errors, flywheel.faults.errors.InvalidRecord and UnreadableDeploymentError."""
    usage = find_usage(deployment)
    return costs_of(usage, name=deployment.name, region=deployment.region, parameters=deployment.parameters)


def planned_cost(synthesised: SynthesisedFlywheel) -> Costs:
    """What the templates in this folder would cost. Raises NotSynthesisedError."""
    kind = ImportParameters if synthesised.imports else Parameters
    parameters = kind.model_validate(synthesised.published.parameters)
    return costs_of(planned_usage(synthesised), name=synthesised.name, region=prices.REGION, parameters=parameters)


def costs_of(usage: Usage, *, name: str, region: str, parameters: PromotionParameters) -> Costs:
    lines = (
        _models(usage, models_to_keep=parameters.models_to_keep),
        *_endpoints(usage),
        *_in_stacks(usage),
        *(_by_turn(usage, usage.training, parameters) if usage.training and isinstance(parameters, Parameters) else ()),
    )
    return Costs(
        name=name,
        region=region,
        lines=lines,
        a_month=total(lines, Per.MONTH),
        a_turn=total(lines, Per.TURN),
        left_out=tuple(_left_out(usage, region=region)),
    )


def total(lines: Iterable[Line], per: Per) -> Range:
    counted = [line.dollars for line in lines if line.per is per]
    return Range.of(sum(each.low for each in counted), sum(each.high for each in counted))


def charge(what: str, *, per: Per = Per.MONTH, quantity: Range, price: Price, basis: str) -> Line:
    """What is free in an account counts at the low end; at the high end others have used it up."""
    low = max(Decimal(0), quantity.low - price.free) * price.dollars
    dollars = Range.of(low, quantity.high * price.dollars)
    return Line(what=what, per=per, quantity=quantity.rounded(), price=price, dollars=dollars.rounded(), basis=basis)


def _models(usage: Usage, *, models_to_keep: int) -> Line:
    now = usage.models + usage.older_models
    made = "trained" if usage.training else "imported"
    older = f", {usage.older_models} of older generations" if usage.older_models else ""
    return charge(
        "Model versions",
        quantity=Range.of(now, max(usage.models, models_to_keep) + usage.older_models),
        price=prices.MODEL,
        basis=f"{now} {made} now{older}; ModelsToKeep is {models_to_keep}, besides those in use",
    )


def _endpoints(usage: Usage) -> Iterator[Line]:
    wanted, others = usage.wanted, usage.inference_units
    if wanted is not None:
        units, most, hours = wanted.inference_units, wanted.most_units, hours_a_month(wanted)
        at_most = f", at most {most} by auto scaling (MaximumInferenceUnits)" if wanted.scales else ""
        yield charge(
            "Endpoint",
            quantity=Range.of(units * hours, most * hours),
            price=prices.INFERENCE_UNIT,
            basis=f"InferenceUnits is {units}{at_most}; it is there {hours:.0f} hours a month",
        )
    if others is None or (wanted is not None and not others):
        return
    which = "all others" if wanted is not None else "all endpoints"
    basis = f"{which} of this flywheel and its models, {HOURS_A_MONTH} hours a month"
    yield charge(
        "Other endpoints" if wanted is not None else "Endpoints",
        quantity=Range.of(others * HOURS_A_MONTH),
        price=prices.INFERENCE_UNIT,
        basis=basis if others else "there is none: nothing here is billed by the hour",
    )


def _in_stacks(usage: Usage) -> Iterator[Line]:
    metrics, buckets = usage.metrics, len(usage.buckets)
    if usage.deployed:
        more = ", ".join(bucket.name for bucket in usage.buckets if bucket.more)
        at_least = f"; at least, because {more} holds more than was counted" if more else ""
        of_metrics = f"{metrics} had a number in the last two weeks"
        of_buckets = f"all versions in the buckets now ({buckets}); an approximation{at_least}"
    else:
        of_metrics = f"about {metrics}, of which some belong to labels"
        of_buckets = f"the buckets ({buckets}) begin empty"
    of_metrics += "; each is billed for the hours in which it has a number, at most all"
    of_keys = "in the stacks; each of its first two yearly rotations adds as much. Requests are not counted"
    size = Decimal(sum(bucket.bytes for bucket in usage.buckets)) / _GIGABYTE
    yield _partly_free("Alarms", quantity=Range.of(usage.alarms), price=prices.ALARM, basis="in the stacks")
    yield _partly_free("Custom metrics", quantity=Range.of(0, metrics), price=prices.METRIC, basis=of_metrics)
    yield _partly_free("Dashboard", quantity=Range.of(usage.dashboards), price=prices.DASHBOARD, basis="in the stacks")
    if usage.keys:
        yield charge("Customer managed key", quantity=Range.of(usage.keys), price=prices.KEY, basis=of_keys)
    yield charge("S3 storage", quantity=Range.of(size), price=prices.STORAGE, basis=of_buckets)


def _partly_free(what: str, *, quantity: Range, price: Price, basis: str) -> Line:
    return charge(what, quantity=quantity, price=price, basis=f"{basis}. An account's first {price.free} are free")


def _by_turn(usage: Usage, training: TrainingTimes, parameters: Parameters) -> Iterator[Line]:
    seconds = training.seconds
    hours = Range.of(min(seconds) / 3600, max(seconds) / 3600)
    of_training = _OF_TRAINING[training.of].format(len(seconds))
    yield charge("Training", per=Per.TURN, quantity=hours, price=prices.TRAINING, basis=of_training)
    if parameters.evidence is Evidence.HOLDOUT:
        units, basis = _holdout_units(
            usage.holdout, active=usage.active_model_arn, at_most=parameters.holdout_documents
        )
    else:
        units, basis = Range.of(0), "Evidence is ITERATION: the iteration's own metrics decide"
    yield charge("Hold-out", per=Per.TURN, quantity=units, price=prices.PREDICTION, basis=basis)
    if usage.transitions is not None:
        yield charge(
            "Turn machine",
            per=Per.TURN,
            quantity=Range.of(usage.transitions.count),
            price=prices.TRANSITION,
            basis=f"states entered in {usage.transitions.turn}, without retries and the executions of its distributed "
            "maps",
        )


def _holdout_units(last: LastHoldout | None, *, active: str | None, at_most: int) -> tuple[Range, str]:
    """Units of 100 characters that the next decision pays for, and why so many."""
    most = f"up to {at_most:,} documents (HoldoutDocuments) and {_ASKED_OF} models"
    if last is None:
        units = at_most * _ASKED_OF * MINIMUM_UNITS
        characters = MINIMUM_UNITS * 100
        return Range.of(0, units), f"no hold-out yet: {most}; documents of over {characters} characters cost more"
    asked = 1 if active is None or active in last.answered else _ASKED_OF
    whose = "only the candidate is asked" if asked == 1 else "both models are asked"
    # The next hold-out's documents are taken to be as long as those of the last one.
    units_of_most = (Decimal(last.units) * at_most * _ASKED_OF / last.documents).to_integral_value()
    low = last.units * asked
    answered = ", and so are the answers to it" if last.answered else ""
    basis = (
        f"the hold-out of {last.documents:,} documents is kept{answered}: {whose} while the test data stay the same; "
        f"else {most}"
    )
    return Range.of(low, max(Decimal(low), units_of_most)), basis


def _left_out(usage: Usage, *, region: str) -> Iterator[str]:
    if not usage.deployed:
        yield "Worked out from the templates in cdk.out: nothing that is deployed was looked at."
    if region != prices.REGION:
        yield f"The prices are those of {prices.REGION}: in {region} they may differ."
    if usage.inference_units is None:
        yield "Endpoints: this Comprehend service does not know ListEndpoints, so they are not counted."
    if usage.transitions is None and usage.deployed and usage.training:
        yield "The turn machine: the execution of a turn that trained is not there, so its transitions are unknown."
    if not usage.training:
        yield "The smoke test of an import is not counted: a job that answers the documents of SmokeTestKey."
    yield "Functions, queues, requests, logs, notifications and promotions are not counted."
