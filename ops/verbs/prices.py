"""The prices of what a flywheel uses: list prices of us-east-1 in dollars, each with its date and where it is from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from flywheel.evaluation.sampling import MINIMUM_UNITS, UNIT_CHARACTERS, UNIT_PRICE_DOLLARS
from flywheel.store.record import Record

REGION = "us-east-1"
_COMPREHEND = "aws.amazon.com/comprehend/pricing"


class Price(Record):
    dollars: Decimal
    unit: str
    """What one costs that: `hour of training`."""
    free: int = 0
    """So many a month cost nothing, counted over the whole account: others may have used them up."""
    source: str
    as_of: date
    """When the price was published or, unless it is `verified`, when it was written down."""
    verified: bool
    """Read on the page at that date. Otherwise it is recalled: check it there."""


def _read(dollars: Decimal, unit: str) -> Price:
    """From Comprehend's price page."""
    return Price(dollars=dollars, unit=unit, source=_COMPREHEND, as_of=date(2026, 9, 20), verified=True)


def _recalled(dollars: str, unit: str, *, service: str, free: int = 0) -> Price:
    return Price(
        dollars=Decimal(dollars),
        unit=unit,
        free=free,
        source=f"aws.amazon.com/{service}/pricing",
        as_of=date(2026, 11, 21),
        verified=False,
    )


TRAINING = _read(Decimal("3.00"), "hour of training")
MODEL = _read(Decimal("0.50"), "model version")
INFERENCE_UNIT = _read(Decimal("1.80"), "hour of an inference unit")
PREDICTION = Price(
    dollars=UNIT_PRICE_DOLLARS,
    unit=f"unit of {UNIT_CHARACTERS} characters",
    source=f"{_COMPREHEND} (that a document is at least {MINIMUM_UNITS} units is recalled)",
    as_of=date(2026, 9, 20),
    verified=False,
)
ALARM = _recalled("0.10", "alarm", service="cloudwatch", free=10)
METRIC = _recalled("0.30", "metric", service="cloudwatch", free=10)
DASHBOARD = _recalled("3.00", "dashboard", service="cloudwatch", free=3)
KEY = _recalled("1.00", "key", service="kms")
STORAGE = _recalled("0.023", "GB", service="s3")
TRANSITION = _recalled("0.000025", "state transition", service="step-functions")
