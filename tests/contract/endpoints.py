"""Endpoints of a World: making them, waiting for what becomes of them."""

from __future__ import annotations

from typing import Any

from tests.contract.comprehend_world import ACCOUNT, REGION, World
from tests.contract.sample_documents import documents, multi_label_documents, text_about
from tests.contract.waiting import until

PREFIX = f"arn:aws:comprehend:{REGION}:{ACCOUNT}"
ARN = f"{PREFIX}:document-classifier-endpoint/live"
SPORT = text_about("SPORTS", seed="1")


def trained(world: World, name: str = "news", *, mode: str = "MULTI_CLASS", **members: Any) -> tuple[str, str]:
    """A flywheel, and the model of its first iteration, which is active."""
    flywheel = world.flywheel(name, mode=mode, **members)
    world.dataset(flywheel, "train-1", multi_label_documents(30) if mode == "MULTI_LABEL" else documents())
    model = world.iterate(flywheel)["TrainedModelArn"]
    world.promote(flywheel, model)
    return flywheel, model


def mistaken(world: World, flywheel: str) -> str:
    """Another model of the flywheel, which takes each label for the one before it. It is not active yet."""
    world.dataset(flywheel, "train-2", documents(150, tag="wrong", mislabelled=True))
    return str(world.iterate(flywheel)["TrainedModelArn"])


def create(world: World, name: str = "live", **members: Any) -> str:
    """Ask for an endpoint and return its ARN."""
    return str(
        world.client.create_endpoint(EndpointName=name, **{"DesiredInferenceUnits": 1, **members})["EndpointArn"]
    )


def serving(world: World, name: str = "live", **members: Any) -> str:
    """An endpoint that is IN_SERVICE."""
    arn = create(world, name, **members)
    assert settled(world, arn)["Status"] == "IN_SERVICE"
    return arn


def described(world: World, arn: str) -> dict[str, Any]:
    return dict(world.client.describe_endpoint(EndpointArn=arn)["EndpointProperties"])


def settled(world: World, arn: str) -> dict[str, Any]:
    """The properties once no change goes on any more."""
    until(lambda: described(world, arn)["Status"] not in ("CREATING", "UPDATING"))
    return described(world, arn)


def listed(world: World, **arguments: Any) -> list[str]:
    """The ARNs of all pages, newest first."""
    pages = world.client.get_paginator("list_endpoints").paginate(**arguments)
    return [endpoint["EndpointArn"] for page in pages for endpoint in page["EndpointPropertiesList"]]


def gone(world: World, arn: str) -> None:
    """Wait until the endpoint is no more."""
    until(lambda: arn not in listed(world))


def best(world: World, arn: str, text: str) -> str:
    """The label that the endpoint takes the text for."""
    answer = world.client.classify_document(EndpointArn=arn, Text=text)
    return str(answer["Classes"][0]["Name"])
