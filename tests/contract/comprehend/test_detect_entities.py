"""DetectEntities and the endpoints that answer it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract import endpoints
from tests.contract.comprehend_world import ACCOUNT, REGION, World
from tests.contract.error_codes import refused
from tests.contract.recognizers import dataset, trained
from tests.contract.sample_entities import filled, manifest, samples

PREFIX = f"arn:aws:comprehend:{REGION}:{ACCOUNT}"


def serving(world: World) -> str:
    flywheel, _ = trained(world)
    return endpoints.serving(world, FlywheelArn=flywheel)


def test_entities_of_a_text(world: World) -> None:
    endpoint = serving(world)
    assert endpoint == f"{PREFIX}:entity-recognizer-endpoint/live"
    text, entities = filled("Yesterday {PERSON} came to {PLACE} by train.", seed="unseen")
    answer = world.client.detect_entities(EndpointArn=endpoint, Text=text)
    found = answer["Entities"]
    assert [(each["BeginOffset"], each["EndOffset"], each["Type"]) for each in found] == entities
    assert all(each["Text"] == text[each["BeginOffset"] : each["EndOffset"]] for each in found)
    assert all(0.5 < each["Score"] <= 1 for each in found)
    (inference,) = world.inferences
    assert (inference.endpoint_arn, inference.characters) == (endpoint, len(text))


def test_offsets_are_code_points(world: World) -> None:
    endpoint = serving(world)
    text = "\U0001f600\U0001f600 Ada Brook lives in Quern, not far away."
    found = world.client.detect_entities(EndpointArn=endpoint, Text=text)["Entities"]
    assert [(each["BeginOffset"], each["EndOffset"], each["Text"]) for each in found] == [
        (3, 12, "Ada Brook"),
        (22, 27, "Quern"),
    ]


def test_the_language_does_not_matter(world: World) -> None:
    endpoint = serving(world)
    text, entities = samples(1)[0]
    found = world.client.detect_entities(EndpointArn=endpoint, Text=text, LanguageCode="ja")["Entities"]
    assert len(found) == len(entities)


def test_how_much_text_it_takes(world: World) -> None:
    world.set(characters_per_inference_unit=100_000, documents_per_inference_unit=100)
    endpoint = serving(world)
    world.client.detect_entities(EndpointArn=endpoint, Text="é" * 2500)
    with refused("TextSizeLimitExceededException") as refusal:
        world.client.detect_entities(EndpointArn=endpoint, Text="é" * 2500 + "x")
    assert "5000 bytes" in refusal.message
    assert refusal.status == 400


def test_without_an_endpoint_it_says_what_is_not_there(world: World) -> None:
    with refused("InvalidRequestException") as refusal:
        world.client.detect_entities(Text="Ada Brook", LanguageCode="en")
    assert "no built-in models" in refusal.message
    assert refusal.status == 400


def test_wrong_requests(world: World) -> None:
    endpoint = serving(world)
    wrong: list[dict[str, Any]] = [{}, {"Text": "a", "Bytes": b"a"}, {"Bytes": b"a"}]
    for arguments in wrong:
        with refused("InvalidRequestException"):
            world.client.detect_entities(EndpointArn=endpoint, **arguments)
    with refused("InvalidRequestException"):
        world.client.detect_entities(EndpointArn=f"{PREFIX}:document-classifier-endpoint/live", Text="a")
    with refused("InvalidRequestException"):
        world.client.classify_document(EndpointArn=endpoint, Text="a")
    with refused("ResourceUnavailableException"):
        world.client.detect_entities(EndpointArn=f"{endpoint}-2", Text="a")


@pytest.mark.parametrize("code", ["ThrottlingException", "TooManyRequestsException"])
def test_more_than_it_takes(world: World, code: str) -> None:
    world.set(classification_throttle_error=code)
    endpoint = serving(world)
    for _ in range(2):
        world.client.detect_entities(EndpointArn=endpoint, Text="a")
    with refused(code):
        world.client.detect_entities(EndpointArn=endpoint, Text="a")


def test_an_endpoint_follows_its_flywheel_or_stays_with_a_model(world: World) -> None:
    flywheel, first = trained(world)
    bound = endpoints.serving(world, "bound", FlywheelArn=flywheel)
    pinned = endpoints.serving(world, "pinned", ModelArn=first)
    dataset(world, flywheel, "train-2", manifest(samples(80, tag="b")))
    second = world.iterate(flywheel)["TrainedModelArn"]
    world.promote(flywheel, second)
    assert endpoints.settled(world, bound)["ModelArn"] == second
    assert endpoints.settled(world, pinned)["ModelArn"] == first
    world.client.update_endpoint(EndpointArn=pinned, DesiredModelArn=second)
    assert endpoints.settled(world, pinned)["ModelArn"] == second


def test_an_endpoint_keeps_to_its_kind_of_model(world: World) -> None:
    endpoint = serving(world)
    news, classifier = endpoints.trained(world)
    with refused("InvalidRequestException") as refusal:
        world.client.update_endpoint(EndpointArn=endpoint, DesiredModelArn=classifier)
    assert "ENTITY_RECOGNIZER, not DOCUMENT_CLASSIFIER" in refusal.message
    with refused("InvalidRequestException"):
        world.client.update_endpoint(EndpointArn=endpoint, FlywheelArn=news)


def test_endpoints_of_both_kinds_may_have_one_name(world: World) -> None:
    """AWS does not say whether they may; their ARNs differ."""
    recognizing = serving(world)
    news, _ = endpoints.trained(world)
    classifying = endpoints.serving(world, FlywheelArn=news)
    assert sorted(endpoints.listed(world)) == sorted([recognizing, classifying])
