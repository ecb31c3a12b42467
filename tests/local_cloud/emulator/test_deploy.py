"""The CDK CLI deploys, updates and destroys an app as it does on AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.cloud import CloudAccount
from local.cloud.errors import CdkFailed
from tests.local_cloud.resources import run


@pytest.fixture(scope="module")
def outputs(account: CloudAccount, probe_assembly: Path) -> Iterator[dict[str, str]]:
    """What the probe stack puts out; destroying it is part of what is tested."""
    yield account.deploy(probe_assembly)["Probe"]
    objects = account.client("s3")
    bucket = account.client("cloudformation").describe_stacks(StackName="Probe")["Stacks"][0]["Outputs"]
    name = next(output["OutputValue"] for output in bucket if output["OutputKey"] == "BucketName")
    versions = objects.list_object_versions(Bucket=name)
    for version in [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]:
        objects.delete_object(Bucket=name, Key=version["Key"], VersionId=version["VersionId"])
    account.destroy(probe_assembly)
    assert [stack["StackName"] for stack in account.client("cloudformation").describe_stacks()["Stacks"]] == [
        "CDKToolkit"
    ]


def test_function_and_machine_work_and_are_held_to_their_roles(account: CloudAccount, outputs: dict[str, str]) -> None:
    expected = {
        "greeting": "hello",
        "refused": "AccessDenied",
        "log_group": f"/aws/lambda/{outputs['FunctionName']}",
    }
    answer = account.client("lambda").invoke(FunctionName=outputs["FunctionName"])
    assert json.loads(answer["Payload"].read()) == expected
    assert run(account, outputs["MachineArn"])["output"] == expected
    stored = account.client("s3").get_object(Bucket=outputs["BucketName"], Key="written/greeting")
    assert stored["Body"].read() == b"hello"


def test_parameter_is_changed_kept_and_checked(
    account: CloudAccount, probe_assembly: Path, outputs: dict[str, str]
) -> None:
    account.deploy(probe_assembly, parameters={"Probe:Greeting": "good day"})
    account.deploy(probe_assembly)
    assert run(account, outputs["MachineArn"])["output"]["greeting"] == "good day"
    with pytest.raises(CdkFailed, match="Greeting"):
        account.deploy(probe_assembly, parameters={"Probe:Greeting": "ahoy"})
    account.deploy(probe_assembly, parameters={"Probe:Greeting": "hello"})
