from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contract.comprehend_world import ROLE, World
from tests.contract.endpoints import (
    ARN,
    PREFIX,
    SPORT,
    best,
    create,
    described,
    gone,
    listed,
    mistaken,
    serving,
    settled,
    trained,
)
from tests.contract.error_codes import refused
from tests.contract.stepped_clock import START
from tests.contract.waiting import until


def test_answers_have_the_documented_members(make_world: Callable[..., World]) -> None:
    """As in the AWS CLI's examples, and ModelArn, which the SDK's model has added since."""
    world = make_world()
    _, model = trained(world)
    world.set(endpoint_creation_seconds=30)
    made: dict[str, Any] = {
        **world.client.create_endpoint(EndpointName="live", ModelArn=model, DesiredInferenceUnits=2)
    }
    del made["ResponseMetadata"]
    assert made == {"EndpointArn": ARN, "ModelArn": model}
    creating = described(world, ARN)
    moment = creating["CreationTime"]
    expected = {
        "EndpointArn": ARN,
        "ModelArn": model,
        "DesiredModelArn": model,
        "DesiredInferenceUnits": 2,
        "CreationTime": moment,
        "LastModifiedTime": moment,
    }
    assert creating == {**expected, "Status": "CREATING"}
    world.clock.advance(30)
    in_service = {**expected, "Status": "IN_SERVICE", "CurrentInferenceUnits": 2}
    assert settled(world, ARN) == in_service
    assert world.client.list_endpoints()["EndpointPropertiesList"] == [in_service]


def test_endpoint_of_a_flywheel_has_its_active_model_and_the_given_role(world: World) -> None:
    flywheel, model = trained(world)
    made = world.client.create_endpoint(
        EndpointName="live", FlywheelArn=flywheel, DesiredInferenceUnits=1, DataAccessRoleArn=ROLE
    )
    assert made["ModelArn"] == model
    properties = settled(world, ARN)
    assert (properties["ModelArn"], properties["FlywheelArn"]) == (model, flywheel)
    assert (properties["DataAccessRoleArn"], properties["DesiredDataAccessRoleArn"]) == (ROLE, ROLE)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"FlywheelArn": f"{PREFIX}:flywheel/news"}, "InvalidRequestException"),
        ({"ModelArn": None}, "InvalidRequestException"),
        ({"EndpointName": "n" * 41}, "InvalidRequestException"),
        ({"EndpointName": "under_score"}, "InvalidRequestException"),
        ({"ModelArn": f"{PREFIX}:document-classifier/none/version/1"}, "ResourceNotFoundException"),
        ({"ModelArn": f"{PREFIX}:entity-recognizer/none"}, "ResourceNotFoundException"),
        ({"ModelArn": None, "FlywheelArn": f"{PREFIX}:flywheel/none"}, "ResourceNotFoundException"),
        ({"ModelArn": None, "FlywheelArn": f"{PREFIX}:flywheel/new"}, "ResourceUnavailableException"),
        ({"DesiredInferenceUnits": 51}, "ResourceLimitExceededException"),
        ({"Tags": [{"Key": f"k{n}"} for n in range(51)]}, "TooManyTagsException"),
        ({"EndpointName": "taken"}, "ResourceInUseException"),
    ],
)
def test_requests_that_create_nothing(world: World, changes: dict[str, Any], code: str) -> None:
    _, model = trained(world)
    world.flywheel("new")
    taken = serving(world, "taken", ModelArn=model)
    request = {"EndpointName": "live", "ModelArn": model, "DesiredInferenceUnits": 1, **changes}
    with refused(code):
        world.client.create_endpoint(**{name: value for name, value in request.items() if value is not None})
    assert listed(world) == [taken]


def test_name_of_forty_characters(world: World) -> None:
    _, model = trained(world)
    serving(world, "n" * 40, ModelArn=model)


def test_model_that_is_not_trained(make_world: Callable[..., World]) -> None:
    world = make_world(iteration_training_seconds=100)
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    (model,) = until(lambda: world.client.list_document_classifiers()["DocumentClassifierPropertiesList"])
    with refused("ResourceUnavailableException"):
        create(world, ModelArn=model["DocumentClassifierArn"])


def test_encrypted_model_needs_a_role(world: World) -> None:
    flywheel, model = trained(world, DataSecurityConfig={"ModelKmsKeyId": "11111111-2222-3333-4444-555555555555"})
    for bound in ({"ModelArn": model}, {"FlywheelArn": flywheel}):
        with refused("InvalidRequestException") as refusal:
            create(world, **bound)
        assert "data-access role" in refusal.message
    serving(world, "with-a-role", ModelArn=model, DataAccessRoleArn=ROLE)
    world.set(encrypted_model_needs_role=False)
    serving(world, "without", ModelArn=model)


def test_same_token_is_the_same_endpoint_until_it_is_deleted(world: World) -> None:
    _, model = trained(world)
    arn = create(world, ModelArn=model, ClientRequestToken="t-1")
    assert create(world, ModelArn=model, ClientRequestToken="t-1") == arn
    with refused("InvalidRequestException"):
        create(world, ModelArn=model, ClientRequestToken="t-1", DesiredInferenceUnits=2)
    with refused("ResourceInUseException"):
        create(world, ModelArn=model, ClientRequestToken="t-2")
    created = settled(world, arn)["CreationTime"]
    world.client.delete_endpoint(EndpointArn=arn)
    gone(world, arn)
    world.clock.advance(1)
    assert create(world, ModelArn=model, ClientRequestToken="t-1") == arn
    assert described(world, arn)["CreationTime"] > created


def test_quotas(make_world: Callable[..., World]) -> None:
    world = make_world(maximum_endpoints=3, maximum_inference_units=10, maximum_units_of_endpoint=8)
    _, model = trained(world)
    first = serving(world, "first", ModelArn=model, DesiredInferenceUnits=6)
    with refused("ResourceLimitExceededException") as refusal:
        create(world, "second", ModelArn=model, DesiredInferenceUnits=5)
    assert "have 6 inference units" in refusal.message
    second = serving(world, "second", ModelArn=model, DesiredInferenceUnits=4)
    for units in (9, 7):
        with refused("ResourceLimitExceededException"):
            world.client.update_endpoint(EndpointArn=first, DesiredInferenceUnits=units)
    assert described(world, first)["DesiredInferenceUnits"] == 6
    # What is given back counts only once it is gone.
    world.set(endpoint_update_seconds=10)
    world.client.update_endpoint(EndpointArn=first, DesiredInferenceUnits=1)
    with refused("ResourceLimitExceededException"):
        create(world, "third", ModelArn=model)
    world.clock.advance(10)
    settled(world, first)
    third = serving(world, "third", ModelArn=model)
    with refused("ResourceLimitExceededException") as refusal:
        create(world, "fourth", ModelArn=model)
    assert "3 endpoints" in refusal.message
    world.client.delete_endpoint(EndpointArn=second)
    gone(world, second)
    world.administration("POST", "faults", {"resource": "endpoint", "times": 1})
    failed = create(world, "failed", ModelArn=model, DesiredInferenceUnits=8)
    assert settled(world, failed)["Status"] == "FAILED"
    # A FAILED one takes neither place nor units.
    fifth = serving(world, "fifth", ModelArn=model, DesiredInferenceUnits=8)
    assert set(listed(world)) == {first, third, failed, fifth}


def test_default_quotas_are_those_of_the_guide(world: World) -> None:
    _, model = trained(world)
    with refused("ResourceLimitExceededException"):
        create(world, "too-many-units", ModelArn=model, DesiredInferenceUnits=51)
    for number in range(3):
        create(world, f"large-{number}", ModelArn=model, DesiredInferenceUnits=50)
    for number in range(16):
        create(world, f"small-{number}", ModelArn=model)
    with refused("ResourceLimitExceededException"):
        create(world, "too-much", ModelArn=model, DesiredInferenceUnits=35)
    create(world, "last", ModelArn=model, DesiredInferenceUnits=34)
    with refused("ResourceLimitExceededException"):
        create(world, "one-too-many", ModelArn=model)
    assert len(listed(world)) == 20


def test_endpoint_that_was_to_fail(world: World) -> None:
    flywheel, model = trained(world)
    second = mistaken(world, flywheel)
    world.administration("POST", "faults", {"resource": "endpoint", "times": 1, "message": "as asked"})
    arn = create(world, FlywheelArn=flywheel)
    failed = settled(world, arn)
    assert (failed["Status"], failed["Message"]) == ("FAILED", "as asked")
    assert "CurrentInferenceUnits" not in failed
    world.promote(flywheel, second)
    assert (described(world, arn)["Status"], described(world, arn)["ModelArn"]) == ("FAILED", model)
    with refused("ResourceInUseException"):
        world.client.update_endpoint(EndpointArn=arn, DesiredInferenceUnits=2)
    with refused("ResourceUnavailableException"):
        best(world, arn, SPORT)
    world.client.delete_endpoint(EndpointArn=arn)
    gone(world, arn)
    assert "Message" not in described(world, serving(world, FlywheelArn=flywheel))


def test_fault_of_the_next_endpoint_spares_those_that_are(world: World) -> None:
    flywheel, _ = trained(world)
    second, arn = mistaken(world, flywheel), serving(world, FlywheelArn=flywheel)
    world.administration("POST", "faults", {"resource": "endpoint", "times": 1})
    world.promote(flywheel, second)
    assert settled(world, arn)["Status"] == "IN_SERVICE"
    assert settled(world, create(world, "next", FlywheelArn=flywheel))["Status"] == "FAILED"


def test_endpoint_of_another_account_or_region_is_unknown(world: World) -> None:
    _, model = trained(world)
    arn = serving(world, ModelArn=model)
    for other in (world.client_of(account="222233334444"), world.client_of(region="eu-west-1")):
        with refused("ResourceNotFoundException"):
            other.describe_endpoint(EndpointArn=arn)
        with refused("ResourceUnavailableException"):
            other.classify_document(EndpointArn=arn, Text=SPORT)
        assert other.list_endpoints()["EndpointPropertiesList"] == []


def test_tags(world: World) -> None:
    _, model = trained(world)
    arn = serving(world, ModelArn=model, Tags=[{"Key": "team", "Value": "news"}])
    world.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "1"}])
    world.client.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert world.client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "cost", "Value": "1"}]
    world.client.delete_endpoint(EndpointArn=arn)
    gone(world, arn)
    with refused("ResourceNotFoundException"):
        world.client.list_tags_for_resource(ResourceArn=arn)
    assert world.client.list_tags_for_resource(ResourceArn=serving(world, ModelArn=model))["Tags"] == []


def test_pages_and_filters(world: World) -> None:
    flywheel, first = trained(world)
    second = mistaken(world, flywheel)
    began, made = world.clock.now() - START, []
    for number in range(5):
        world.clock.advance(1)
        if number == 2:
            world.administration("POST", "faults", {"resource": "endpoint", "times": 1})
        made.append(create(world, f"e{number}", ModelArn=(first, second)[number % 2]))
        settled(world, made[-1])

    def found(**arguments: Any) -> list[int]:
        return [made.index(arn) for arn in listed(world, **arguments)]

    page = world.client.list_endpoints(MaxResults=2)
    assert len(page["EndpointPropertiesList"]) == 2
    assert found(PaginationConfig={"PageSize": 2}) == [4, 3, 2, 1, 0]
    middle = datetime.fromtimestamp(START + began, tz=UTC) + timedelta(seconds=3)
    assert found(Filter={"CreationTimeAfter": middle}) == [4, 3]
    assert found(Filter={"CreationTimeBefore": middle}) == [1, 0]
    assert found(Filter={"ModelArn": second}) == [3, 1]
    assert found(Filter={"Status": "FAILED"}) == [2]
    assert found(Filter={"Status": "CREATING"}) == []
    with refused("InvalidRequestException"):
        found(Filter={"ModelArn": first, "Status": "FAILED"})
    with refused("InvalidRequestException"):
        world.client.list_endpoints(NextToken=page["NextToken"], Filter={"ModelArn": first})
