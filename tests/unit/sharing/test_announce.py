"""Announcements fit into an event, whatever the model's labels and thresholds are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from flywheel.records.announcements import MOST_BYTES, ModelShared, fitted, shared_id, withdrawn_id
from flywheel.sharing.announce import announce, bus_of

MODEL = "arn:aws-us-gov:comprehend:us-gov-west-1:111122223333:document-classifier/news/version/1"


def shared(labels: list[str], *, thresholds: bool) -> ModelShared:
    return ModelShared(
        id=shared_id("promotion-000012", MODEL),
        flywheel="news",
        account="111122223333",
        model=MODEL,
        model_type="DOCUMENT_CLASSIFIER",
        labels=tuple(labels),
        shared_at=datetime(2026, 11, 21, tzinfo=UTC),
        promotion="promotion-000012",
        by="Ada",
        reason="She wants it.",
        thresholds=dict.fromkeys(labels, 0.123456789) if thresholds else None,
    )


@pytest.mark.parametrize(
    ("labels", "thresholds", "kept"),
    [
        (["A"], True, (True, True)),
        ([f"{number:0>100}" for number in range(1000)], False, (True, False)),
        ([f"{number:0>100}" for number in range(1000)], True, (True, False)),
        ([f"{number:0>2000}" for number in range(1000)], True, (False, False)),
        (["€" * 1000] * 100, False, (False, False)),
    ],
)
def test_what_is_too_long_is_left_out(labels: list[str], thresholds: bool, kept: tuple[bool, bool]) -> None:
    found = fitted(shared(labels, thresholds=thresholds))
    assert (found.labels is not None, found.thresholds is not None) == kept
    assert found.thresholds_left_out is (thresholds and not kept[1])
    assert len(found.model_dump_json().encode()) <= MOST_BYTES


def test_ids_tell_models_and_promotions_apart() -> None:
    ids = {
        shared_id("promotion-000001", MODEL),
        shared_id("promotion-000002", MODEL),
        shared_id("promotion-000001", f"{MODEL}0"),
        withdrawn_id("promotion-000001", MODEL),
    }
    assert len(ids) == 4


def test_the_bus_is_in_the_models_region_and_partition() -> None:
    assert bus_of("444455556666", model_arn=MODEL) == (
        "arn:aws-us-gov:events:us-gov-west-1:444455556666:event-bus/default"
    )


class Unreachable:
    """EventBridge in a network without a way to it, from the second request on."""

    def __init__(self) -> None:
        self.tries = 0

    def put_events(self, **_: Any) -> dict[str, Any]:
        self.tries += 1
        if self.tries > 1:
            raise EndpointConnectionError(endpoint_url="https://events.example.com")
        return {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}


def test_a_service_that_is_not_reached_is_not_tried_for_every_account() -> None:
    events: Any = Unreachable()
    told = announce(shared(["A"], thresholds=False), [], accounts=["1", "2", "3"], events=events)
    assert set(told) == {"2", "3"}
    assert "https://events.example.com" in told["3"]
    assert events.tries == 2
