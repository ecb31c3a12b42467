"""Templates that MiniStack would refuse or read otherwise than AWS."""

from __future__ import annotations

from local.cloud import CloudAccount
from tests.local_cloud.resources import create_function, create_role, create_stack, failure_of


def test_parameter_without_a_name_is_called_without_a_slash(account: CloudAccount) -> None:
    resource = {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "v"}}
    stack = create_stack(account, {"Parameter": resource}, Name={"Ref": "Parameter"})
    assert stack["Name"].startswith("CFN-")
    assert account.client("ssm").get_parameter(Name=stack["Name"])["Parameter"]["Value"] == "v"


def test_metric_math_and_composite_alarms_and_saved_queries_deploy(account: CloudAccount) -> None:
    metric = {"Namespace": "Probe", "MetricName": "m"}
    single = {"MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"}, "Id": "m", "ReturnData": False}
    math = {
        "Metrics": [single, {"Expression": "m * 2", "Id": "e"}],
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": 1,
        "EvaluationPeriods": 1,
    }
    create_stack(
        account,
        {
            "Math": {"Type": "AWS::CloudWatch::Alarm", "Properties": math},
            "Composite": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": {"AlarmRule": 'ALARM("x")'}},
            "Query": {
                "Type": "AWS::Logs::QueryDefinition",
                "Properties": {"Name": "q", "QueryString": "fields @message"},
            },
        },
    )


def test_custom_resource_in_python_answers_and_fails_with_its_reason(account: CloudAccount) -> None:
    source = """
        import json, urllib.request
        def handle(event, context):
            status = "FAILED" if event["ResourceProperties"].get("Fail") else "SUCCESS"
            body = {**{name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")},
                    "Status": status, "Reason": "It was asked to.", "PhysicalResourceId": "probe",
                    "Data": {"Answer": "42"}}
            request = urllib.request.Request(event["ResponseURL"], json.dumps(body).encode(), method="PUT",
                                             headers={"Content-Type": ""})
            urllib.request.urlopen(request)
    """
    function = create_function(account, source, role=create_role(account))
    custom = {"Type": "Custom::Probe", "Properties": {"ServiceToken": function}}
    assert create_stack(account, {"Custom": custom}, Answer={"Fn::GetAtt": ["Custom", "Answer"]})["Answer"] == "42"
    failing = {"Type": "Custom::Probe", "Properties": {"ServiceToken": function, "Fail": "yes"}}
    assert "It was asked to." in failure_of(account, {"Custom": failing})
