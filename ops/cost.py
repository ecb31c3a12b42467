"""What a flywheel costs a month and a turn: what is billed, or would be, times its price, with what that rests on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum

from flywheel.evaluation.sampling import MINIMUM_UNITS
from flywheel.records.decisions import Evidence
from flywheel.store.record import Record
from ops import prices
from ops.deployment import Deployment
from ops.endpoint import HOURS_A_MONTH
from ops.planned import find_planned
from ops.prices import Price
from ops.synthesised import SynthesisedFlywheel
from ops.usage import Billed, KeptHoldout, TrainingTimes, TrainingTimesOf, find_billed

_GIGABYTE = 2**30
_SMALLEST = Decimal("0.000001")
_ASKED_OF = 2
"""The candidate and the active model."""


class Per(StrEnum):
    MONTH = "month"
    TURN = "turn"
    """A turn whose iteration trains. One without anything new costs next to nothing."""


class Range(Record):
    """Equal ends where it is known exactly."""

    low: Decimal
    high: Decimal

    @classmethod
    def of(cls, low: Decimal | int, high: Decimal | int | None = None) -> Range:
        return cls(low=Decimal(low), high=Decimal(low if high is None else high))

    def rounded(self) -> Range:
        """To a millionth, where there is more behind it."""
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


def cost(deployment: Deployment) -> Costs:
    """Raises botocore's errors, flywheel.errors.InvalidRecord and UnreadableDeploymentError."""
    return costs_of(
        find_billed(deployment),
        name=deployment.name,
        region=deployment.region,
        models_to_keep=deployment.models_to_keep,
        evidence=deployment.evidence,
        holdout_documents=deployment.holdout_documents,
    )


def planned_cost(synthesised: SynthesisedFlywheel) -> Costs:
    """What the templates that are here would cost. Raises NotSynthesisedError."""
    tuned = synthesised.published.parameters
    return costs_of(
        find_planned(synthesised),
        name=synthesised.name,
        region=prices.REGION,
        models_to_keep=int(tuned["ModelsToKeep"]),
        evidence=Evidence(str(tuned["Evidence"])),
        holdout_documents=int(tuned["HoldoutDocuments"]),
    )


def costs_of(
    billed: Billed, *, name: str, region: str, models_to_keep: int, evidence: Evidence, holdout_documents: int
) -> Costs:
    lines = (
        *_monthly(billed, models_to_keep=models_to_keep),
        *_by_turn(billed, evidence=evidence, holdout_documents=holdout_documents),
    )
    return Costs(
        name=name,
        region=region,
        lines=lines,
        a_month=total(lines, Per.MONTH),
        a_turn=total(lines, Per.TURN),
        left_out=tuple(_left_out(billed, region=region)),
    )


def total(lines: Iterable[Line], per: Per) -> Range:
    counted = [line.dollars for line in lines if line.per is per]
    return Range.of(sum(each.low for each in counted), sum(each.high for each in counted))


def charge(what: str, *, per: Per, quantity: Range, price: Price, basis: str) -> Line:
    """The low end takes what is free for granted, the high end takes it as used up by others."""
    low = max(Decimal(0), quantity.low - price.free) * price.dollars
    dollars = Range.of(low, quantity.high * price.dollars)
    return Line(what=what, per=per, quantity=quantity.rounded(), price=price, dollars=dollars.rounded(), basis=basis)


def _monthly(billed: Billed, *, models_to_keep: int) -> Iterator[Line]:
    month = Per.MONTH
    now = billed.models + billed.older_models
    older = f", {billed.older_models} of older generations" if billed.older_models else ""
    yield charge(
        "Model versions",
        per=month,
        quantity=Range.of(now, max(billed.models, models_to_keep) + billed.older_models),
        price=prices.MODEL,
        basis=f"{now} trained now{older}; ModelsToKeep is {models_to_keep}, besides those in use",
    )
    yield from _endpoints(billed)
    yield charge(
        "Alarms", per=month, quantity=Range.of(billed.alarms), price=prices.ALARM, basis=_in_stacks(prices.ALARM)
    )
    yield charge(
        "Custom metrics",
        per=month,
        quantity=Range.of(0, billed.metrics),
        price=prices.METRIC,
        basis=f"{_metrics_words(billed)}; each is billed for the hours in which it has a number, at most all. "
        f"{_free(prices.METRIC)}",
    )
    yield charge(
        "Dashboard",
        per=month,
        quantity=Range.of(billed.dashboards),
        price=prices.DASHBOARD,
        basis=_in_stacks(prices.DASHBOARD),
    )
    if billed.keys:
        yield charge(
            "Customer managed key",
            per=month,
            quantity=Range.of(billed.keys),
            price=prices.KEY,
            basis="in the stacks; each of its first two yearly rotations adds as much. Requests are not counted",
        )
    more = [bucket.name for bucket in billed.buckets if bucket.more]
    at_least = f"; at least, because {', '.join(more)} holds more than was counted" if more else ""
    size = Decimal(sum(bucket.bytes for bucket in billed.buckets)) / _GIGABYTE
    yield charge(
        "S3 storage",
        per=month,
        quantity=Range.of(size),
        price=prices.STORAGE,
        basis=f"all versions in the buckets now ({len(billed.buckets)}); an approximation{at_least}"
        if billed.deployed
        else f"the buckets ({len(billed.buckets)}) begin empty",
    )


def _metrics_words(billed: Billed) -> str:
    if billed.deployed:
        return f"{billed.metrics} had a number in the last two weeks"
    return f"about {billed.metrics}, of which some belong to labels"


def _endpoints(billed: Billed) -> Iterator[Line]:
    wanted = billed.wanted
    if wanted is not None:
        most = f", at most {wanted.most} by auto scaling (MaximumInferenceUnits)" if wanted.most > wanted.least else ""
        yield charge(
            "Endpoint",
            per=Per.MONTH,
            quantity=Range.of(wanted.least * wanted.hours_a_month, wanted.most * wanted.hours_a_month),
            price=prices.INFERENCE_UNIT,
            basis=f"InferenceUnits is {wanted.least}{most}; it is there {wanted.hours_a_month:.0f} hours a month",
        )
    if billed.inference_units is None or (wanted is not None and not billed.inference_units):
        return
    others = "all others" if wanted is not None else "all endpoints"
    basis = f"{others} of this flywheel and its models, {HOURS_A_MONTH} hours a month"
    yield charge(
        "Other endpoints" if wanted is not None else "Endpoints",
        per=Per.MONTH,
        quantity=Range.of(billed.inference_units * HOURS_A_MONTH),
        price=prices.INFERENCE_UNIT,
        basis=basis if billed.inference_units else "there is none: nothing here is billed by the hour",
    )


def _by_turn(billed: Billed, *, evidence: Evidence, holdout_documents: int) -> Iterator[Line]:
    yield charge(
        "Training",
        per=Per.TURN,
        quantity=_hours(billed.training),
        price=prices.TRAINING,
        basis=_training_basis(billed.training),
    )
    if evidence is Evidence.HOLDOUT:
        quantity, basis = _holdout_units(billed.holdout, active=billed.active_model_arn, at_most=holdout_documents)
    else:
        quantity, basis = Range.of(0), "Evidence is ITERATION: the iteration's own metrics decide"
    yield charge("Hold-out", per=Per.TURN, quantity=quantity, price=prices.PREDICTION, basis=basis)
    if billed.transitions is not None:
        counted = billed.transitions
        yield charge(
            "Turn machine",
            per=Per.TURN,
            quantity=Range.of(counted.count),
            price=prices.TRANSITION,
            basis=f"states entered in {counted.turn}, without retries and the executions of its distributed maps",
        )


def _hours(training: TrainingTimes) -> Range:
    return Range.of(min(training.seconds) / 3600, max(training.seconds) / 3600)


def _training_basis(training: TrainingTimes) -> str:
    number = len(training.seconds)
    match training.of:
        case TrainingTimesOf.MODELS:
            return f"billed training time of this flywheel's models that there are ({number}), shortest to longest"
        case TrainingTimesOf.ITERATIONS:
            return f"this flywheel's iterations that trained ({number}), shortest to longest, evaluation included"
        case TrainingTimesOf.PUBLISHED:
            return "no iteration has trained yet: what AWS's published samples took, yours depends on your documents"


def _holdout_units(kept: KeptHoldout | None, *, active: str | None, at_most: int) -> tuple[Range, str]:
    """Units of 100 characters that the next decision pays for, and why so many."""
    most = f"up to {at_most:,} documents (HoldoutDocuments) and {_ASKED_OF} models"
    if kept is None:
        units = at_most * _ASKED_OF * MINIMUM_UNITS
        characters = MINIMUM_UNITS * 100
        return Range.of(0, units), f"no hold-out yet: {most}; documents of over {characters} characters cost more"
    asked = 1 if active is None or active in kept.answered else _ASKED_OF
    whose = "only the candidate is asked" if asked == 1 else "both models are asked"
    # The next hold-out's documents are taken to be as long as those of the one that is kept.
    units_of_most = (Decimal(kept.units) * at_most * _ASKED_OF / kept.documents).to_integral_value()
    low = kept.units * asked
    answered = ", and so are the answers to it" if kept.answered else ""
    basis = (
        f"the hold-out of {kept.documents:,} documents is kept{answered}: {whose} while the test data stay the same; "
        f"else {most}"
    )
    return Range.of(low, max(Decimal(low), units_of_most)), basis


def _in_stacks(price: Price) -> str:
    return f"in the stacks. {_free(price)}"


def _free(price: Price) -> str:
    return f"An account's first {price.free} are free"


def _left_out(billed: Billed, *, region: str) -> Iterator[str]:
    if not billed.deployed:
        yield "Worked out from the templates in cdk.out: nothing that is deployed was looked at."
    if region != prices.REGION:
        yield f"The prices are those of {prices.REGION}: in {region} they may differ."
    if billed.inference_units is None:
        yield "Endpoints: this Comprehend service does not know ListEndpoints, so they are not counted."
    if billed.transitions is None and billed.deployed:
        yield "The turn machine: the execution of a turn that trained is not there, so its transitions are unknown."
    yield "Functions, queues, requests, logs, notifications and promotions are not counted."
