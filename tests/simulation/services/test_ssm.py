"""The simulation's Parameter Store answers as the emulator's, and as AWS where they differ."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from flywheel.store.parameters import PublishedModels
from tests.simulation.api import ACCOUNT, IMPORTER, Caller
from tests.simulation.kernel import BEGINNING, Kernel
from tests.simulation.services.compared import Side, client_of
from tests.simulation.services.emulated import emulated
from tests.simulation.services.ssm import SSM, ParameterEvent

NAMES = ("a", "a/b", "a/b/c", "a-b", "b")
PATHS = ("", "/", "/a", "/a/", "/a/b", "/none")
_NUMBERS = count()
Call = tuple[str, dict[str, Any]]


def _calls() -> st.SearchStrategy[list[Call]]:
    name = st.sampled_from(NAMES)
    names = st.lists(name, min_size=1, max_size=3, unique=True)
    size = st.integers(1, 4)

    def call(operation: str, **required: st.SearchStrategy[Any]) -> st.SearchStrategy[Call]:
        return st.tuples(st.just(operation), st.fixed_dictionaries(required))

    put = {"Name": name, "Value": st.sampled_from(("one", "two")), "Type": st.just("String")}
    one_call = st.one_of(
        call("put_parameter", **put, Overwrite=st.just(True)),
        call("put_parameter", **put),
        call("put_parameter", Name=name, Value=st.just("three"), Overwrite=st.just(True)),
        call("put_parameter", **put, Description=st.just("words"), Overwrite=st.booleans()),
        call("get_parameter", Name=name),
        call("get_parameters", Names=names),
        call("get_parameters_by_path", Path=st.sampled_from(PATHS), Recursive=st.booleans(), PageSize=size),
        call("get_parameter_history", Name=name, PageSize=size),
        call("delete_parameter", Name=name),
        call("delete_parameters", Names=names),
    )
    return st.lists(one_call, min_size=5, max_size=40)


def _perform(side: Side, root: str, call: Call) -> Any:
    operation, parameters = call
    given = dict(parameters)
    for member in given.keys() & {"Name"}:
        given[member] = f"{root}/{given[member]}"
    if "Names" in given:
        given["Names"] = [f"{root}/{name}" for name in given["Names"]]
    if "Path" in given:
        given["Path"] = f"{root}{given['Path']}"
    if "PageSize" in given:
        pages = side.client.get_paginator(operation).paginate(
            **{name: value for name, value in given.items() if name != "PageSize"},
            PaginationConfig={"PageSize": given["PageSize"]},
        )
        return _shown(side.ask(lambda _: list(pages)))
    answered = _shown(side.ask(lambda client: getattr(client, operation)(**given)))
    if operation == "get_parameters" and isinstance(answered, dict):
        # AWS promises no order.
        answered["Parameters"].sort(key=lambda each: each["Name"])
    return answered


def _shown(found: Any) -> Any:
    """Without what the emulator gives where nothing is set, and the account, which it does not know here."""
    if isinstance(found, dict):
        left_out = {"Description", "KeyId", "AllowedPattern", "LastModifiedUser", "ARN"}
        return {name: _shown(value) for name, value in found.items() if name not in left_out}
    return [_shown(each) for each in found] if isinstance(found, list) else found


@settings(max_examples=40, deadline=None)
@given(calls=_calls())
def test_any_sequence_of_calls_is_answered_as_the_emulator_does(calls: list[Call]) -> None:
    root = f"/compared/{next(_NUMBERS)}"
    sides = [Side(client_of("ssm", SSM(Kernel(1)))), Side(emulated("ssm"))]
    for call in calls:
        mine, other = (_perform(side, root, call) for side in sides)
        assert mine == other, call


class World:
    def __init__(self) -> None:
        self.kernel = Kernel(1)
        self.events: list[ParameterEvent] = []
        self.service = SSM(self.kernel, on_event=self.events.append)
        self.ssm = client_of("ssm", self.service, Caller(account=ACCOUNT, role="turn"))

    def put(self, name: str, value: str, **members: Any) -> dict[str, Any]:
        found: dict[str, Any] = self.ssm.put_parameter(Name=name, Value=value, Type="String", Overwrite=True, **members)
        return found

    def refusal(self, name: str, value: str, **members: Any) -> str:
        with pytest.raises(ClientError) as refused:
            self.put(name, value, **members)
        return str(refused.value)


@pytest.fixture
def world() -> World:
    return World()


def test_every_change_is_told_with_its_time(world: World) -> None:
    world.kernel.run_until(BEGINNING + 1.2345)
    world.put("/a/b", "one", Description="words")
    world.put("/a/b", "one")
    world.ssm.delete_parameters(Names=["/a/b", "/a/none"])
    assert [event.detail for event in world.events] == [
        {"operation": operation, "name": "/a/b", "type": "String", "description": "words"}
        for operation in ("Create", "Update", "Delete")
    ]
    assert {event.resource for event in world.events} == {f"arn:aws:ssm:us-east-1:{ACCOUNT}:parameter/a/b"}
    # The versions of what is created again begin again.
    assert world.put("/a/b", "two")["Version"] == 1
    found = world.ssm.get_parameter(Name="/a/b")["Parameter"]
    assert found["LastModifiedDate"] == datetime(2026, 1, 1, 0, 0, 1, 234000, tzinfo=UTC)


def test_a_hundred_versions_are_kept_with_who_wrote_them(world: World) -> None:
    for number in range(1, 131):
        world.put("a", str(number))
    pages = world.ssm.get_paginator("get_parameter_history").paginate(Name="a", PaginationConfig={"PageSize": 7})
    found = [version for page in pages for version in page["Parameters"]]
    assert [version["Version"] for version in found] == list(range(31, 131))
    assert {version["LastModifiedUser"] for version in found} == {
        f"arn:aws:sts::{ACCOUNT}:assumed-role/turn/simulation"
    }
    assert [version.value for version in world.service.history(ACCOUNT, "a")][-2:] == ["129", "130"]


def test_a_value_has_the_size_of_its_tier(world: World) -> None:
    """The emulator takes any:
    https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html."""
    assert world.put("a", "x" * 4096)["Tier"] == "Standard"
    assert "maximum parameter value of 4096 characters" in world.refusal("a", "x" * 4097)
    assert world.put("a", "x" * 4096, Tier="Intelligent-Tiering")["Tier"] == "Standard"
    assert world.put("a", "x" * 8192, Tier="Intelligent-Tiering")["Tier"] == "Advanced"
    assert "maximum parameter value of 8192 characters" in world.refusal("a", "x" * 8193)
    assert world.put("a", "x")["Tier"] == "Advanced"
    assert "downgrade" in world.refusal("a", "x", Tier="Standard")
    assert "greater than or equal to 1" in world.refusal("a", "")


def test_names_are_checked(world: World) -> None:
    for name in ("a b", "a/b", "/ä"):
        assert "fully qualified name" in world.refusal(name, "x")
    assert "can't be prefixed" in world.refusal("/aws/x", "x")
    for operation in ("get_parameters", "delete_parameters"):
        with pytest.raises(ClientError, match="less than or equal to 10"):
            getattr(world.ssm, operation)(Names=[f"a{number}" for number in range(11)])
    with pytest.raises(ClientError, match="type is required"):
        world.ssm.put_parameter(Name="a", Value="x")


def test_each_account_has_its_own(world: World) -> None:
    world.put("/a/b", "one")
    other = client_of("ssm", world.service, Caller(account=IMPORTER))
    with pytest.raises(other.exceptions.ParameterNotFound):
        other.get_parameter(Name="/a/b")
    assert other.get_parameters_by_path(Path="/", Recursive=True)["Parameters"] == []
    found = world.service.parameter(ACCOUNT, "/a/b")
    assert found is not None
    assert (found.value, world.service.names(ACCOUNT, "/a")) == ("one", ["/a/b"])
    assert world.service.parameter(IMPORTER, "/a/b") is None


def test_the_pipeline_publishes_models_in_it(world: World) -> None:
    published = PublishedModels(ssm=world.ssm, prefix="/comprehend-flywheel/news")
    published.publish("one")
    published.publish("two")
    desired = published.desired()
    assert desired is not None
    assert (published.active(), published.previous(), desired.arn, desired.version) == ("two", "one", "two", 2)
    published.publish_endpoint("arn")
    published.forget_endpoint()
    assert published.endpoint() is None


def test_what_it_does_not_know_it_says(world: World) -> None:
    with pytest.raises(NotImplementedError, match="no DescribeParameters"):
        world.ssm.describe_parameters()
    with pytest.raises(NotImplementedError, match="by name only"):
        world.ssm.get_parameter(Name="a:1")
