"""A template that is resolved again and again gives what it gives alone, whatever it kept of the times before."""

from __future__ import annotations

from tests.simulation.api import ACCOUNT
from tests.simulation.deployment.synthesis import templates_of
from tests.simulation.deployment.templates import Deployable, resolve
from tests.simulation.schedule.plan import KINDS, draw_plan

TOPIC = {"Type": "AWS::SNS::Topic"}
MAIL = {"Ref": "Mail"}


def test_stacks_of_schedules_do_not_depend_on_those_before() -> None:
    deployables: dict[int, Deployable] = {}
    for seed in range(1, 25):
        plan = draw_plan(seed, bounded=True)
        published: dict[str, str] = {}
        for name, template in templates_of(KINDS[plan.kind]).items():
            given = plan.parameters.get(name.rpartition("-")[2], {})
            deployable = deployables.setdefault(id(template), Deployable(template, name=name, account=ACCOUNT))
            stack = deployable.resolved(parameters=given, published=published)
            assert stack == resolve(template, name=name, account=ACCOUNT, parameters=given, published=published)
            published |= {each.name: each.value for each in stack.parameters}


def test_what_a_resource_reads_of_others_is_read_anew_when_it_changes() -> None:
    template = {
        "Parameters": {"Mail": {"Type": "String"}, "Name": {"Type": "String", "Default": "a"}},
        "Conditions": {"Told": {"Fn::Not": [{"Fn::Equals": [MAIL, ""]}]}},
        "Resources": {
            "Topic": TOPIC,
            "Subscription": {
                "Type": "AWS::SNS::Subscription",
                "Condition": "Told",
                "Properties": {"TopicArn": {"Ref": "Topic"}, "Protocol": "email", "Endpoint": MAIL},
            },
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": {"Ref": "Name"}}},
            "Policy": {
                "Type": "AWS::IAM::ManagedPolicy",
                "Properties": {
                    "PolicyDocument": {
                        "Statement": {"Effect": "Allow", "Action": "sqs:*", "Resource": {"Fn::Sub": "${Queue.Arn}"}}
                    }
                },
            },
            "Role": {
                "Type": "AWS::IAM::Role",
                "Properties": {
                    "AssumeRolePolicyDocument": {"Statement": []},
                    "ManagedPolicyArns": [{"Ref": "Policy"}],
                },
            },
        },
    }
    deployable = Deployable(template, name="news", account=ACCOUNT)
    for mail, queue in (("", "a"), ("a@b.c", "a"), ("a@b.c", "b"), ("", "b"), ("d@e.f", "a")):
        stack = deployable.resolved(parameters={"Mail": mail, "Name": queue}, published={})
        assert stack.topics[0].subscriptions == ((("email", mail),) if mail else ())
        assert stack.roles[0].statements[0].resources[0].endswith(f":{queue}")
