from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.simulation.api import ACCOUNT, REGION
from tests.simulation.deployment.stack import Stack
from tests.simulation.deployment.templates import resolve

QUEUE = {"Type": "AWS::SQS::Queue"}
TEMPLATE: dict[str, Any] = {
    "Parameters": {
        "Text": {"Type": "String", "Default": "a,b"},
        "Mode": {"Type": "String", "Default": "on", "AllowedValues": ["on", "off"], "ConstraintDescription": "on, off"},
        "Digits": {"Type": "String", "Default": "1", "AllowedPattern": "^[0-9]+$", "MaxLength": 3},
        "Percent": {"Type": "Number", "Default": 5, "MinValue": 0, "MaxValue": 100},
        "Items": {"Type": "CommaDelimitedList", "Default": "x,y"},
        "Topic": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/path/topic"},
    },
    "Conditions": {
        "On": {"Fn::Equals": [{"Ref": "Mode"}, "on"]},
        "Off": {"Fn::Not": [{"Condition": "On"}]},
        "Both": {"Fn::And": [{"Condition": "On"}, {"Condition": "Off"}]},
        "Either": {"Fn::Or": [{"Condition": "On"}, {"Condition": "Off"}]},
        "NoText": {"Fn::Equals": ["true", True]},
    },
    "Mappings": {"Days": {"1": {"Periods": 7}}},
}


def stack(value: Any = "", *, resources: Mapping[str, Any] | None = None, **given: Any) -> Stack:
    template = {
        **TEMPLATE,
        "Resources": {"Queue": QUEUE, **(resources or {})},
        "Outputs": {"Value": {"Value": value}},
    }
    return resolve(template, name="news", account=ACCOUNT, **given)


def value(given: Any, **further: Any) -> Any:
    return stack(given, **further).outputs["Value"]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Ref": "Text"}, "a,b"),
        ({"Ref": "Items"}, ["x", "y"]),
        ({"Ref": "AWS::Region"}, REGION),
        ({"Ref": "AWS::AccountId"}, ACCOUNT),
        ({"Ref": "AWS::Partition"}, "aws"),
        ({"Ref": "AWS::StackName"}, "news"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Mode"}, 1, True]]}, "a-on-1-true"),
        ({"Fn::Join": ["", {"Fn::Split": [",", {"Ref": "Text"}]}]}, "ab"),
        ({"Fn::Sub": "${Mode}/${AWS::AccountId}/${!Literal}"}, f"on/{ACCOUNT}/${{Literal}}"),
        ({"Fn::Sub": ["${Own}-${Mode}", {"Own": {"Ref": "Text"}}]}, "a,b-on"),
        ({"Fn::Select": [1, {"Fn::Split": [",", {"Ref": "Text"}]}]}, "b"),
        ({"Fn::Select": ["0", ["first", "second"]]}, "first"),
        ({"Fn::If": ["On", "yes", "no"]}, "yes"),
        ({"Fn::If": ["Off", "yes", "no"]}, "no"),
        ({"Fn::If": ["Both", "yes", "no"]}, "no"),
        ({"Fn::If": ["Either", "yes", "no"]}, "yes"),
        ({"Fn::If": ["NoText", "yes", "no"]}, "yes"),
        ({"Fn::FindInMap": ["Days", {"Ref": "Digits"}, "Periods"]}, 7),
        ({"A": {"Fn::If": ["On", {"Ref": "AWS::NoValue"}, 1]}, "B": [{"Ref": "AWS::NoValue"}, 2]}, {"B": [2]}),
        # A member of a policy, not a function.
        ({"Condition": {"StringEquals": {"a": {"Ref": "Mode"}}}}, {"Condition": {"StringEquals": {"a": "on"}}}),
    ],
)
def test_a_function_is_worked_out(given: Any, expected: Any) -> None:
    assert value(given) == expected


def test_a_queue_is_its_url_and_has_attributes() -> None:
    (queue,) = stack().queues
    assert queue.url == f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{queue.name}"
    assert value({"Ref": "Queue"}) == queue.url
    assert value({"Fn::GetAtt": ["Queue", "Arn"]}) == queue.arn == f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue.name}"
    assert value({"Fn::GetAtt": "Queue.QueueName"}) == queue.name
    assert value({"Fn::Sub": "${Queue.Arn}/${Queue}"}) == f"{queue.arn}/{queue.url}"


def test_a_topic_has_its_own_subscriptions() -> None:
    topic = {"Type": "AWS::SNS::Topic"}
    to = {"Protocol": "email", "Endpoint": "a@example.com", "TopicArn": {"Ref": "First"}}
    resources = {"First": topic, "Second": topic, "To": {"Type": "AWS::SNS::Subscription", "Properties": to}}
    first, second = stack(resources=resources).topics
    assert (first.subscriptions, second.subscriptions) == ((("email", "a@example.com"),), ())


def test_names_are_the_same_each_time_and_others_elsewhere() -> None:
    (queue,) = stack().queues
    assert queue.name.startswith("news-Queue-")
    assert stack().queues == (queue,)
    (other,) = resolve({"Resources": {"Queue": QUEUE}}, name="news", account="444455556666").queues
    assert other.name != queue.name


@pytest.mark.parametrize(
    ("kind", "longest"),
    [("AWS::IAM::Role", 64), ("AWS::S3::Bucket", 63), ("AWS::SQS::Queue", 80), ("AWS::Lambda::Function", 64)],
)
def test_a_name_is_cut_to_what_the_service_takes(kind: str, longest: int) -> None:
    resources = {
        f"{'Long' * 30}{each}": {"Type": kind, "Properties": {"AssumeRolePolicyDocument": {"Statement": []}}}
        for each in "AB"
        if kind != "AWS::Lambda::Function"
    }
    function = {"Type": kind, "Properties": {"Handler": "a.b", "Role": "arn:aws:iam::1:role/r"}}
    resources |= {f"{'Long' * 30}{each}": function for each in "AB" if kind == "AWS::Lambda::Function"}
    found = stack(resources=resources).resources
    names = {found[each].ref.rpartition("/")[2] for each in resources}
    assert {len(name) for name in names} == {longest}
    assert len(names) == 2


def test_what_depends_on_a_condition_is_left_out() -> None:
    resources = {"Wanted": {**QUEUE, "Condition": "On"}, "Unwanted": {**QUEUE, "Condition": "Off"}}
    found = stack(resources=resources)
    assert [queue.logical_id for queue in found.queues] == ["Queue", "Wanted"]
    found = stack(resources=resources, parameters={"Mode": "off"})
    assert [queue.logical_id for queue in found.queues] == ["Queue", "Unwanted"]
    assert "Wanted" not in found.resources
    with pytest.raises(LookupError, match="Unwanted is referred to, and is no resource of news"):
        stack({"Ref": "Unwanted"}, resources=resources)


def test_a_parameter_of_systems_manager_is_read_when_it_is_used() -> None:
    assert value("nothing of it") == "nothing of it"
    assert value({"Ref": "Topic"}, published={"/path/topic": "arn"}) == "arn"
    assert value({"Ref": "Topic"}, parameters={"Topic": "/other"}, published={"/other": "its"}) == "its"
    with pytest.raises(LookupError, match="Topic is read from Systems Manager's parameter /path/topic, which nobody"):
        value({"Ref": "Topic"})


@pytest.mark.parametrize(
    ("name", "wrong", "right"),
    [("Mode", "of", "off"), ("Digits", "1a", "12"), ("Digits", "1234", "123"), ("Percent", "101", "100")],
)
def test_a_value_that_cloudformation_refuses_is_refused(name: str, wrong: str, right: str) -> None:
    assert value({"Ref": name}, parameters={name: right}) == right
    with pytest.raises(ValueError, match=f"{name} cannot be '{wrong}'"):
        value("", parameters={name: wrong})


def test_a_parameter_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="has no parameter Mod"):
        value("", parameters={"Mod": "on"})
    with pytest.raises(ValueError, match="The parameter A has no default"):
        resolve({"Parameters": {"A": {"Type": "String"}}, "Resources": {}}, name="news", account=ACCOUNT)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"Ref": "Nothing"}, LookupError, "Nothing is referred to"),
        ({"Fn::Base64": "a"}, NotImplementedError, "Fn::Base64"),
        ({"Fn::If": ["Nothing", 1, 2]}, LookupError, "no condition Nothing"),
        ({"Fn::Select": [2, ["a", "b"]]}, ValueError, "cannot take item 2"),
        ({"Fn::FindInMap": ["Days", "2", "Periods"]}, LookupError, "has no 2, Periods"),
        ({"Fn::Join": ["", [{"Ref": "Items"}]]}, ValueError, "takes text only"),
        ({"Fn::GetAtt": ["Queue", "Nothing"]}, NotImplementedError, "Nothing of AWS::SQS::Queue"),
    ],
)
def test_what_cannot_be_worked_out_says_so(given: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        value(given)
