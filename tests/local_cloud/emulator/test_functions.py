"""Functions run as on AWS: real error types, only what Lambda and the layer hold, logs and metrics in CloudWatch."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config

from local.cloud import CloudAccount
from tests.local_cloud.resources import create_function, create_role, create_stack, until

NAMED_ERROR = """
class TooEarly(Exception):
    pass

def handle(event, context):
    raise TooEarly("come back later")
"""


def invoke(account: CloudAccount, function: str, event: Any = None) -> tuple[Any, bool]:
    """The function's answer, and whether it is an error."""
    answer = account.client("lambda").invoke(FunctionName=function, Payload=json.dumps(event or {}))
    return json.loads(answer["Payload"].read()), "FunctionError" in answer


def log_lines(account: CloudAccount, function: str) -> list[str]:
    group = f"/aws/lambda/{function.rsplit(':', 1)[-1]}"
    return [event["message"] for event in account.client("logs").filter_log_events(logGroupName=group)["events"]]


def test_error_has_the_name_of_the_exception(account: CloudAccount) -> None:
    answer, failed = invoke(account, create_function(account, NAMED_ERROR))
    assert failed
    assert answer["errorType"] == "TooEarly"
    assert answer["errorMessage"] == "come back later"


def test_missing_dependency_shows_in_the_answer_and_in_the_log(account: CloudAccount) -> None:
    # The emulator itself has scikit-learn; Lambda and the Powertools layer do not.
    function = create_function(account, "import sklearn\n\ndef handle(event, context):\n    return 1\n")
    answer, failed = invoke(account, function)
    assert failed
    assert answer["errorType"] == "Runtime.ImportModuleError"
    assert any("No module named 'sklearn'" in line for line in log_lines(account, function))


def test_function_acts_as_its_role_and_sees_nothing_of_the_emulators_environment(account: CloudAccount) -> None:
    role = create_role(account)
    source = """
        import os, boto3
        def handle(event, context):
            return {
                "identity": boto3.client("sts").get_caller_identity()["Arn"],
                "log_group": context.log_group_name,
                "environment": sorted(os.environ),
            }
    """
    function = create_function(account, source, role=role, Environment={"Variables": {"OWN": "1"}})
    answer, failed = invoke(account, function)
    assert not failed
    assert f":assumed-role/{role.rsplit('/', 1)[-1]}/" in answer["identity"]
    assert answer["log_group"] == f"/aws/lambda/{function.rsplit(':', 1)[-1]}"
    assert "OWN" in answer["environment"]
    assert not {"AUTH", "GATEWAY_PORT", "SFN_WAIT_SCALE", "MINISTACK_SSL_KEY"} & set(answer["environment"])


def test_embedded_metrics_in_the_log_become_metrics(account: CloudAccount) -> None:
    source = """
        import json
        def handle(event, context):
            print(json.dumps({
                "_aws": {"Timestamp": 0, "CloudWatchMetrics": [{
                    "Namespace": "Probe", "Dimensions": [["colour"]], "Metrics": [{"Name": "Found", "Unit":
                    "Count"}]}]},
                "colour": "blue", "Found": [2, 3]}))
    """
    invoke(account, create_function(account, source))
    statistics = metric(account, "Probe", "Found", colour="blue", statistic="Sum")
    assert statistics == 5


def test_errors_are_counted_whoever_invokes(account: CloudAccount) -> None:
    function = create_function(account, NAMED_ERROR)
    invoke(account, function)
    account.client("lambda").invoke(FunctionName=function, InvocationType="Event", Payload=b"{}")
    name = function.rsplit(":", 1)[-1]
    until(lambda: metric(account, "AWS/Lambda", "Errors", FunctionName=name, statistic="Sum") >= 2)


def test_reserved_concurrency_of_a_template_holds(account: CloudAccount) -> None:
    properties = {
        "FunctionName": "reserved",
        "Runtime": "python3.13",
        "Handler": "index.handle",
        "Role": create_role(account),
        "Code": {"ZipFile": "def handle(event, context):\n    return 1\n"},
        "ReservedConcurrentExecutions": 0,
    }
    create_stack(account, {"Function": {"Type": "AWS::Lambda::Function", "Properties": properties}})
    client = account.session().client("lambda", config=Config(retries={"total_max_attempts": 1}))
    with pytest.raises(client.exceptions.TooManyRequestsException):
        client.invoke(FunctionName="reserved")


@pytest.mark.parametrize("version", ["latest", "3.37.0"])
@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_public_parameter_names_a_powertools_layer_that_anybody_may_use(
    account: CloudAccount, architecture: str, version: str
) -> None:
    name = f"/aws/service/powertools/python/{architecture}/python3.13/{version}"
    layer = account.client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    source = "import aws_lambda_powertools\n\ndef handle(event, context):\n    return aws_lambda_powertools.__name__\n"
    function = create_function(account, source, Layers=[layer], Architectures=[architecture])
    assert invoke(account, function) == ("aws_lambda_powertools", False)


def metric(account: CloudAccount, namespace: str, name: str, *, statistic: str, **dimensions: str) -> float:
    now = datetime.now(UTC)
    found = account.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
        Period=7200,
        Statistics=[statistic],
    )["Datapoints"]
    return float(sum(point[statistic] for point in found))
