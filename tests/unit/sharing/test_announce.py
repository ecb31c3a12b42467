"""Announcements fit into an event, whatever the model's labels and thresholds are."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from flywheel.records.announcements import MOST_BYTES, ModelShared, fitted, shared_id, withdrawn_id
from flywheel.sharing.announce import bus_of

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
