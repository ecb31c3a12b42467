"""Pages and filters of every List operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.comprehend_world import DENIED_ROLE, World
from tests.contract.error_codes import refused
from tests.contract.sample_documents import documents
from tests.contract.stepped_clock import START

COUNT = 5


@dataclass(frozen=True, kw_only=True)
class Listing:
    """One List operation over COUNT resources made a second apart; ``id`` is the member that tells them apart."""

    method: str
    member: str
    id: str
    arguments: dict[str, Any]
    made: list[str]


def flywheels(world: World) -> Listing:
    made = []
    for number in range(COUNT):
        world.clock.advance(1)
        made.append(world.flywheel(f"f{number}"))
    return Listing(method="list_flywheels", member="FlywheelSummaryList", id="FlywheelArn", arguments={}, made=made)


def datasets(world: World) -> Listing:
    flywheel = world.flywheel()
    made = []
    for number in range(COUNT):
        world.clock.advance(1)
        made.append(world.dataset(flywheel, f"d{number}")["DatasetArn"])
    world.dataset(world.flywheel("other"), "elsewhere")
    return Listing(
        method="list_datasets",
        member="DatasetPropertiesList",
        id="DatasetArn",
        arguments={"FlywheelArn": flywheel},
        made=made,
    )


def iterations(world: World) -> Listing:
    flywheel = world.flywheel()
    return Listing(
        method="list_flywheel_iteration_history",
        member="FlywheelIterationPropertiesList",
        id="FlywheelIterationId",
        arguments={"FlywheelArn": flywheel},
        made=[world.iterate(flywheel)["FlywheelIterationId"] for _ in range(COUNT)],
    )


def models(world: World) -> list[str]:
    made = []
    for number in range(COUNT):
        flywheel = world.flywheel(f"f{number}")
        world.dataset(flywheel, "train-1", documents(tag=f"{number}"))
        made.append(world.iterate(flywheel)["TrainedModelArn"])
    return made


def classifiers(world: World) -> Listing:
    return Listing(
        method="list_document_classifiers",
        member="DocumentClassifierPropertiesList",
        id="DocumentClassifierArn",
        arguments={},
        made=models(world),
    )


def summaries(world: World) -> Listing:
    return Listing(
        method="list_document_classifier_summaries",
        member="DocumentClassifierSummariesList",
        id="DocumentClassifierName",
        arguments={},
        made=[arn.split("document-classifier/")[1].split("/")[0] for arn in models(world)],
    )


@pytest.mark.parametrize("make", [flywheels, datasets, iterations, classifiers, summaries])
def test_pages_newest_first(world: World, make: Callable[[World], Listing]) -> None:
    listing = make(world)
    operation = getattr(world.client, listing.method)
    everything = operation(**listing.arguments)
    assert "NextToken" not in everything
    assert [item[listing.id] for item in everything[listing.member]] == listing.made[::-1]
    pages: list[list[str]] = []
    token: dict[str, str] = {}
    while True:
        page = operation(**listing.arguments, MaxResults=2, **token)
        pages.append([item[listing.id] for item in page[listing.member]])
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [id_ for page in pages for id_ in page] == listing.made[::-1]
    with refused("InvalidRequestException"):
        operation(**listing.arguments, NextToken="made-up")
    with refused("InvalidRequestException"):
        operation(**listing.arguments, MaxResults=501)


def test_page_goes_on_where_the_last_one_ended_though_something_was_added(world: World) -> None:
    listing = flywheels(world)
    first = world.client.list_flywheels(MaxResults=2)
    world.clock.advance(1)
    world.flywheel("late")
    second = world.client.list_flywheels(MaxResults=2, NextToken=first["NextToken"])
    assert [f["FlywheelArn"] for f in second["FlywheelSummaryList"]] == listing.made[2:0:-1]


def test_token_is_good_for_its_own_query_only(world: World) -> None:
    flywheels(world)
    token = world.client.list_flywheels(MaxResults=2)["NextToken"]
    with refused("InvalidRequestException"):
        world.client.list_flywheels(NextToken=token, Filter={"Status": "ACTIVE"})


def test_token_that_is_not_text_of_ours(world: World) -> None:
    for token in ("W10=", "bnVsbA==", "%%%", "WyJhIiwgMSwgMl0="):
        with refused("InvalidRequestException"):
            world.client.list_flywheels(NextToken=token)


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (flywheels, "CreationTime"),
        (datasets, "CreationTime"),
        (iterations, "CreationTime"),
        (classifiers, "SubmitTime"),
    ],
)
def test_filters_by_time(world: World, make: Callable[[World], Listing], name: str) -> None:
    listing = make(world)
    operation = getattr(world.client, listing.method)
    moment = datetime.fromtimestamp(START, tz=UTC) + timedelta(seconds=3)
    for filter_, expected in ((f"{name}After", listing.made[:2:-1]), (f"{name}Before", listing.made[1::-1])):
        found = operation(**listing.arguments, Filter={filter_: moment})[listing.member]
        assert [item[listing.id] for item in found] == expected


def test_flywheels_by_status(world: World) -> None:
    good, bad = world.flywheel("good"), world.flywheel("bad", DataAccessRoleArn=DENIED_ROLE)
    for status, arn in (("ACTIVE", good), ("FAILED", bad)):
        found = world.client.list_flywheels(Filter={"Status": status})["FlywheelSummaryList"]  # type: ignore[typeddict-item]  # any string on purpose
        assert [flywheel["FlywheelArn"] for flywheel in found] == [arn]
    with refused("InvalidFilterException"):
        world.client.list_flywheels(Filter={"Status": "ACTIVE", "CreationTimeAfter": datetime(2026, 1, 1, tzinfo=UTC)})


def test_datasets_by_status_and_type(world: World) -> None:
    flywheel = world.flywheel()
    made = {
        ("COMPLETED", "TRAIN"): world.dataset(flywheel, "a"),
        ("FAILED", "TRAIN"): world.dataset(flywheel, "b", b"bad"),
        ("COMPLETED", "TEST"): world.dataset(flywheel, "c", type_="TEST"),
    }
    for (status, type_), dataset in made.items():
        found = world.client.list_datasets(
            FlywheelArn=flywheel,
            Filter={"Status": status, "DatasetType": type_},  # type: ignore[typeddict-item]  # any string on purpose
        )
        assert [item["DatasetArn"] for item in found["DatasetPropertiesList"]] == [dataset["DatasetArn"]]
    with refused("ResourceNotFoundException"):
        world.client.list_datasets(FlywheelArn=f"{flywheel}0")


def test_datasets_of_all_flywheels(world: World) -> None:
    made = {world.dataset(world.flywheel(name), "a")["DatasetArn"] for name in ("one", "two")}
    assert {item["DatasetArn"] for item in world.client.list_datasets()["DatasetPropertiesList"]} == made


def test_classifiers_by_name_and_status(world: World) -> None:
    made = models(world)
    name = made[2].split("document-classifier/")[1].split("/")[0]
    by_name = world.client.list_document_classifiers(Filter={"DocumentClassifierName": name})
    assert [m["DocumentClassifierArn"] for m in by_name["DocumentClassifierPropertiesList"]] == [made[2]]
    in_error = world.client.list_document_classifiers(Filter={"Status": "IN_ERROR"})
    assert in_error["DocumentClassifierPropertiesList"] == []
    with refused("InvalidFilterException"):
        world.client.list_document_classifiers(Filter={"Status": "TRAINED", "DocumentClassifierName": name})
