"""Comprehend in the emulator: guarded by IAM, acting as the data-access role, and created by CloudFormation."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import (
    Aws,
    allow,
    create_bucket,
    create_machine,
    create_role,
    create_stack,
    failure_of,
    run,
    stack_status,
    until,
)
from tests.local_cloud.trained_models import (
    WORDS,
    data_access_role,
    endpoint_status,
    flywheel,
    settled,
    status_of,
    trained,
)


def confused_deputy_conditions(account: CloudAccount, *, source_account: str | None = None) -> dict[str, Any]:
    """The conditions of reference section 7.1, for this account or another."""
    named = source_account or account.account
    return {
        "StringEquals": {"aws:SourceAccount": named},
        "ArnLike": {"aws:SourceArn": f"arn:aws:comprehend:{account.region}:{named}:*"},
    }


def ended_job(account: CloudAccount, id_: str) -> dict[str, Any] | None:
    """The properties of a job that has ended, None while it runs."""
    answer = account.client("comprehend").describe_document_classification_job(JobId=id_)
    job: dict[str, Any] = answer["DocumentClassificationJobProperties"]
    return job if job["JobStatus"] in ("COMPLETED", "FAILED") else None


def test_role_is_assumed_under_its_trust_policys_conditions(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    comprehend = account.client("comprehend")
    roles = {
        "ACTIVE": data_access_role(account, bucket, when=confused_deputy_conditions(account)),
        "FAILED": data_access_role(
            account, bucket, when=confused_deputy_conditions(account, source_account="999999999999")
        ),
    }
    for expected, role in roles.items():
        arn = comprehend.create_flywheel(**flywheel(account, role, bucket))["FlywheelArn"]
        assert settled(account, arn) == expected


@pytest.mark.parametrize("trusted", ["lambda.amazonaws.com", "s3.amazonaws.com"])
def test_role_that_trusts_another_service_is_of_no_use(account: CloudAccount, trusted: str) -> None:
    bucket = create_bucket(account)
    role = data_access_role(account, bucket, trusted=trusted)
    arn = account.client("comprehend").create_flywheel(**flywheel(account, role, bucket))["FlywheelArn"]
    assert settled(account, arn) == "FAILED"


def test_role_without_rights_on_the_lake_is_of_no_use(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    role = data_access_role(account, create_bucket(account))
    arn = account.client("comprehend").create_flywheel(**flywheel(account, role, bucket))["FlywheelArn"]
    assert settled(account, arn) == "FAILED"


def test_caller_needs_the_action_on_the_flywheel_and_the_right_to_pass_the_role(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    role = data_access_role(account, bucket)
    request = flywheel(account, role, bucket)
    arn = f"arn:aws:comprehend:{account.region}:{account.account}:flywheel/{request['FlywheelName']}"
    may_create = allow("comprehend:CreateFlywheel", on=arn)
    to_comprehend = {"StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}}
    may_pass = allow("iam:PassRole", on=role, when=to_comprehend)
    for statements in ([may_pass], [may_create]):
        caller = create_role(account, *statements, trusted={"AWS": account.account})
        with pytest.raises(ClientError, match="AccessDenied"):
            account.client("comprehend", role_arn=caller).create_flywheel(**request)
    caller = create_role(account, may_create, may_pass, trusted={"AWS": account.account})
    created = account.client("comprehend", role_arn=caller).create_flywheel(**request)
    assert created["FlywheelArn"] == arn
    with pytest.raises(ClientError, match="AccessDenied"):
        account.client("comprehend", role_arn=caller).describe_flywheel(FlywheelArn=arn)


def test_naming_a_model_needs_the_right_on_the_model(account: CloudAccount) -> None:
    here = f"{account.region}:{account.account}"
    arn, model = f"arn:aws:comprehend:{here}:flywheel/x", f"arn:aws:comprehend:{here}:document-classifier/m/version/v"
    on_flywheel = allow("comprehend:UpdateFlywheel", on=arn)
    caller = create_role(account, on_flywheel, trusted={"AWS": account.account})
    with pytest.raises(ClientError, match="AccessDenied"):
        account.client("comprehend", role_arn=caller).update_flywheel(FlywheelArn=arn, ActiveModelArn=model)
    caller = create_role(account, allow("comprehend:UpdateFlywheel", on=[arn, model]), trusted={"AWS": account.account})
    with pytest.raises(ClientError, match="ResourceNotFound"):
        account.client("comprehend", role_arn=caller).update_flywheel(FlywheelArn=arn, ActiveModelArn=model)


def test_starting_a_job_needs_rights_on_jobs_and_on_what_it_uses_and_to_pass_the_role(account: CloudAccount) -> None:
    here, role = f"{account.region}:{account.account}", data_access_role(account, create_bucket(account))
    jobs = f"arn:aws:comprehend:{here}:document-classification-job/*"
    model, of_a_flywheel = f"arn:aws:comprehend:{here}:document-classifier/m", f"arn:aws:comprehend:{here}:flywheel/x"
    may_pass = allow("iam:PassRole", on=role)
    for member, used in (("DocumentClassifierArn", model), ("FlywheelArn", of_a_flywheel)):
        request = {
            member: used,
            "InputDataConfig": {"S3Uri": "s3://documents/"},
            "OutputDataConfig": {"S3Uri": "s3://results/"},
            "DataAccessRoleArn": role,
        }
        for expected, statements in (
            ("AccessDenied", [allow("comprehend:StartDocumentClassificationJob", on=[jobs, used])]),
            ("AccessDenied", [may_pass, allow("comprehend:StartDocumentClassificationJob", on=jobs)]),
            ("AccessDenied", [may_pass, allow("comprehend:StartDocumentClassificationJob", on=used)]),
            ("ResourceNotFound", [may_pass, allow("comprehend:StartDocumentClassificationJob", on=[jobs, used])]),
        ):
            caller = create_role(account, *statements, trusted={"AWS": account.account})
            with pytest.raises(ClientError, match=expected):
                account.client("comprehend", role_arn=caller).start_document_classification_job(**request)


def test_job_reads_and_writes_as_the_role_it_was_given(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    s3, comprehend = account.client("s3"), account.client("comprehend")
    role = data_access_role(account, bucket, when=confused_deputy_conditions(account))
    _, model = trained(account, role=role, bucket=bucket)
    s3.put_object(Bucket=bucket, Key="jobdata/a.txt", Body="\n".join(WORDS.values()).encode())
    jobs = [
        comprehend.start_document_classification_job(
            DocumentClassifierArn=model,
            InputDataConfig={"S3Uri": f"s3://{bucket}/jobdata/"},
            OutputDataConfig={"S3Uri": f"s3://{bucket}/results"},
            DataAccessRoleArn=given,
        )["JobId"]
        for given in (role, data_access_role(account, create_bucket(account)))
    ]
    good, bad = (until(partial(ended_job, account, job)) for job in jobs)
    assert (bad["JobStatus"], "AccessDenied" in bad["Message"]) == ("FAILED", True)
    assert good["JobStatus"] == "COMPLETED", good["Message"]
    key = good["OutputDataConfig"]["S3Uri"].removeprefix(f"s3://{bucket}/")
    with tarfile.open(fileobj=io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()), mode="r:gz") as archive:
        member = archive.extractfile("predictions.jsonl")
        assert member is not None
        found = [json.loads(line) for line in member]
    assert [line["Classes"][0]["Name"] for line in found] == list(WORDS)


def test_jobs_are_described_one_by_one_and_listed_together(account: CloudAccount) -> None:
    job = f"arn:aws:comprehend:{account.region}:{account.account}:document-classification-job/1234"
    statements = [
        allow("comprehend:DescribeDocumentClassificationJob", "comprehend:ListDocumentClassificationJobs", on=job)
    ]
    comprehend = account.client(
        "comprehend", role_arn=create_role(account, *statements, trusted={"AWS": account.account})
    )
    with pytest.raises(ClientError, match="JobNotFound"):
        comprehend.describe_document_classification_job(JobId="1234")
    with pytest.raises(ClientError, match="AccessDenied"):
        comprehend.describe_document_classification_job(JobId="5678")
    with pytest.raises(ClientError, match="AccessDenied"):
        comprehend.list_document_classification_jobs()


def test_endpoint_needs_rights_on_itself_and_on_what_it_serves(account: CloudAccount) -> None:
    here, role = (
        f"arn:aws:comprehend:{account.region}:{account.account}",
        data_access_role(account, create_bucket(account)),
    )
    endpoint, model = f"{here}:document-classifier-endpoint/live", f"{here}:document-classifier/m/version/v"
    of_a_flywheel = f"{here}:flywheel/x"
    tags = [{"Key": "team", "Value": "news"}]
    create, update, tag = "comprehend:CreateEndpoint", "comprehend:UpdateEndpoint", "comprehend:TagResource"
    made = {"EndpointName": "live", "DesiredInferenceUnits": 1}
    to_comprehend = {"StringEquals": {"iam:PassedToService": "comprehend.amazonaws.com"}}
    may_pass = allow("iam:PassRole", on=role, when=to_comprehend)
    # What stands before the last statement is not enough; with it the call gets as far as the service.
    for method, request, statements in (
        ("create_endpoint", {**made, "ModelArn": model}, [allow(create, on=endpoint), allow(create, on=model)]),
        (
            "create_endpoint",
            {**made, "FlywheelArn": of_a_flywheel},
            [allow(create, on=of_a_flywheel), allow(create, on=endpoint)],
        ),
        (
            "create_endpoint",
            {**made, "FlywheelArn": of_a_flywheel, "DataAccessRoleArn": role},
            [allow(create, on=[endpoint, of_a_flywheel]), may_pass],
        ),
        (
            "create_endpoint",
            {**made, "FlywheelArn": of_a_flywheel, "Tags": tags},
            [allow(create, on=[endpoint, of_a_flywheel]), allow(tag, on=endpoint)],
        ),
        (
            "update_endpoint",
            {"EndpointArn": endpoint, "DesiredModelArn": model},
            [allow(update, on=endpoint), allow(update, on=model)],
        ),
        (
            "update_endpoint",
            {"EndpointArn": endpoint, "FlywheelArn": of_a_flywheel, "DesiredDataAccessRoleArn": role},
            [allow(update, on=[endpoint, of_a_flywheel]), may_pass],
        ),
    ):
        for granted, expected in ((statements[:-1], "AccessDenied"), (statements, "ResourceNotFound")):
            caller = create_role(account, *granted, trusted={"AWS": account.account})
            with pytest.raises(ClientError, match=expected):
                getattr(account.client("comprehend", role_arn=caller), method)(**request)


def test_endpoints_are_used_one_by_one_and_listed_together(account: CloudAccount) -> None:
    here = f"arn:aws:comprehend:{account.region}:{account.account}:document-classifier-endpoint"
    actions = ("ClassifyDocument", "DescribeEndpoint", "DeleteEndpoint", "ListEndpoints")
    statement = allow(*(f"comprehend:{action}" for action in actions), on=f"{here}/mine")
    comprehend = account.client(
        "comprehend", role_arn=create_role(account, statement, trusted={"AWS": account.account})
    )
    for name, unknown, not_serving in (
        ("mine", "ResourceNotFound", "ResourceUnavailable"),
        ("other", "AccessDenied", "AccessDenied"),
    ):
        with pytest.raises(ClientError, match=unknown):
            comprehend.describe_endpoint(EndpointArn=f"{here}/{name}")
        with pytest.raises(ClientError, match=unknown):
            comprehend.delete_endpoint(EndpointArn=f"{here}/{name}")
        with pytest.raises(ClientError, match=not_serving):
            comprehend.classify_document(EndpointArn=f"{here}/{name}", Text="goal")
    with pytest.raises(ClientError, match="AccessDenied"):
        comprehend.list_endpoints()


def test_machine_needs_rights_on_what_an_endpoint_serves(account: CloudAccount) -> None:
    here = f"arn:aws:comprehend:{account.region}:{account.account}"
    endpoint, served = f"{here}:document-classifier-endpoint/live", f"{here}:flywheel/none"
    states = {
        "Create": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:comprehend:createEndpoint",
            "Arguments": {"EndpointName": "live", "FlywheelArn": served, "DesiredInferenceUnits": 1},
            "End": True,
        }
    }
    for allowed, named in (
        ([endpoint], "Comprehend.ComprehendException"),
        ([endpoint, served], "Comprehend.ResourceNotFoundException"),
    ):
        machine = create_machine(account, states, permissions=[allow("comprehend:CreateEndpoint", on=allowed)])
        assert run(account, machine)["error"] == named


def test_documented_examples_of_the_aws_cli(account: CloudAccount, aws: Aws) -> None:
    """create-endpoint, describe-endpoint, classify-document and the others: with the shapes that its manual prints."""
    bucket = create_bucket(account)
    _, model = trained(account, role=data_access_role(account, bucket), bucket=bucket)
    name = "example-classifier-endpoint-1"
    arn = f"arn:aws:comprehend:{account.region}:{account.account}:document-classifier-endpoint/{name}"

    def comprehend(*arguments: str) -> Any:
        return aws(account, "comprehend", *arguments)

    created = comprehend(
        "create-endpoint", "--endpoint-name", name, "--model-arn", model, "--desired-inference-units", "1"
    )
    # The manual prints the first only; ModelArn has come to the SDK's model since.
    assert created == {"EndpointArn": arn, "ModelArn": model}
    until(lambda: endpoint_status(account, arn) == "IN_SERVICE")
    described = comprehend("describe-endpoint", "--endpoint-arn", arn)
    properties = described["EndpointProperties"]
    assert described == {
        "EndpointProperties": {
            "EndpointArn": arn,
            "Status": "IN_SERVICE",
            "ModelArn": model,
            "DesiredModelArn": model,
            "DesiredInferenceUnits": 1,
            "CurrentInferenceUnits": 1,
            "CreationTime": properties["CreationTime"],
            "LastModifiedTime": properties["CreationTime"],
        }
    }
    assert comprehend("list-endpoints") == {"EndpointPropertiesList": [properties]}
    for label, words in WORDS.items():
        answer = comprehend(
            "classify-document", "--endpoint-arn", arn, "--text", f"{words} TXT 1235550100 to win $5000"
        )
        assert list(answer) == ["Classes"]
        assert [sorted(entry) for entry in answer["Classes"]] == [["Name", "Score"]] * 2
        assert (answer["Classes"][0]["Name"], answer["Classes"][0]["Score"] > 0.5) == (label, True)
    # "This command produces no output", the manual says of these two.
    assert comprehend("update-endpoint", "--endpoint-arn", arn, "--desired-inference-units", "2") in ("", {})
    until(lambda: endpoint_status(account, arn) == "IN_SERVICE")
    assert comprehend("delete-endpoint", "--endpoint-arn", arn) == ""
    until(lambda: not comprehend("list-endpoints")["EndpointPropertiesList"])


def test_stack_creates_updates_and_deletes(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    role, other_role = data_access_role(account, bucket), data_access_role(account, bucket)
    properties = flywheel(account, role, bucket, Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}])
    resource = {"Type": "AWS::Comprehend::Flywheel", "Properties": properties}
    outputs = {"Ref": {"Ref": "Flywheel"}, "Arn": {"Fn::GetAtt": ["Flywheel", "Arn"]}}
    stack = create_stack(account, {"Flywheel": resource}, **outputs)
    arn = stack["Ref"]
    assert (
        arn
        == stack["Arn"]
        == f"arn:aws:comprehend:{account.region}:{account.account}:flywheel/{properties['FlywheelName']}"
    )
    assert status_of(account, arn) == "ACTIVE"

    changed = {**properties, "DataAccessRoleArn": other_role, "Tags": [{"Key": "a", "Value": "9"}]}
    update(account, stack["StackName"], changed)
    comprehend = account.client("comprehend")
    described = comprehend.describe_flywheel(FlywheelArn=arn)["FlywheelProperties"]
    assert described["DataAccessRoleArn"] == other_role
    assert comprehend.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "a", "Value": "9"}]

    replaced = {**changed, "FlywheelName": "flywheel-replaced"}
    update(account, stack["StackName"], replaced)
    listed = {one["FlywheelArn"] for one in comprehend.list_flywheels()["FlywheelSummaryList"]}
    assert arn.replace(properties["FlywheelName"], replaced["FlywheelName"]) in listed
    assert arn not in listed

    cloudformation = account.client("cloudformation")
    cloudformation.delete_stack(StackName=stack["StackName"])
    until(lambda: stack_status(account, stack["StackName"]) == "DELETE_COMPLETE")
    left = {one["FlywheelArn"] for one in comprehend.list_flywheels()["FlywheelSummaryList"]}
    assert not any(replaced["FlywheelName"] in one for one in left)


def test_update_without_a_model_in_the_template_leaves_the_active_model(account: CloudAccount) -> None:
    """Gotcha 1 of reference section 8.2, seen through the requests that CloudFormation sent."""
    bucket = create_bucket(account)
    properties = flywheel(account, data_access_role(account, bucket), bucket)
    stack = create_stack(account, {"Flywheel": {"Type": "AWS::Comprehend::Flywheel", "Properties": properties}})
    account.comprehend_administration("DELETE", "calls")
    security = {"DataLakeKmsKeyId": "ignored", "VolumeKmsKeyId": "11111111-2222-3333-4444-555555555555"}
    update(account, stack["StackName"], {**properties, "DataSecurityConfig": security})
    calls = account.comprehend_administration("GET", "calls?operation=UpdateFlywheel")["calls"]
    request = next(call["request"] for call in calls if call["account"] == account.account)
    assert "ActiveModelArn" not in request
    assert request["DataSecurityConfig"] == {"VolumeKmsKeyId": security["VolumeKmsKeyId"]}


def test_stack_says_why_a_flywheel_failed(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    properties = flywheel(account, data_access_role(account, bucket, trusted="lambda.amazonaws.com"), bucket)
    resource = {"Type": "AWS::Comprehend::Flywheel", "Properties": properties}
    assert "The flywheel became FAILED" in failure_of(account, {"Flywheel": resource})
    names = [one["FlywheelArn"] for one in account.client("comprehend").list_flywheels()["FlywheelSummaryList"]]
    assert not any(properties["FlywheelName"] in name for name in names)


def test_machine_polls_with_pascal_case_results(account: CloudAccount) -> None:
    bucket = create_bucket(account)
    role = data_access_role(account, bucket)
    arn = account.client("comprehend").create_flywheel(**flywheel(account, role, bucket))["FlywheelArn"]
    states = {
        "Describe": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:comprehend:describeFlywheel",
            "Arguments": {"FlywheelArn": arn},
            "Output": "{% $states.result.FlywheelProperties.Status %}",
            "Next": "Known",
        },
        "Known": {
            "Type": "Choice",
            "Choices": [{"Condition": "{% $states.input = 'CREATING' %}", "Next": "Wait"}],
            "Default": "Done",
        },
        "Wait": {"Type": "Wait", "Seconds": 30, "Next": "Describe"},
        "Done": {"Type": "Succeed"},
    }
    machine = create_machine(account, states, permissions=[allow("comprehend:DescribeFlywheel", on=arn)])
    assert run(account, machine)["output"] == "ACTIVE"


def test_machine_starts_and_polls_jobs_under_the_sdks_names(account: CloudAccount) -> None:
    here = f"arn:aws:comprehend:{account.region}:{account.account}"
    model = f"{here}:document-classifier/none"
    role = data_access_role(account, create_bucket(account))
    start = {
        "DocumentClassifierArn": model,
        "InputDataConfig": {"S3Uri": "s3://documents/"},
        "OutputDataConfig": {"S3Uri": "s3://results/"},
        "DataAccessRoleArn": role,
    }
    permissions = [
        allow("comprehend:StartDocumentClassificationJob", on=[f"{here}:document-classification-job/*", model]),
        allow("comprehend:DescribeDocumentClassificationJob", on=f"{here}:document-classification-job/*"),
        allow("iam:PassRole", on=role),
    ]
    for operation, arguments, named in (
        ("startDocumentClassificationJob", start, "Comprehend.ResourceNotFoundException"),
        ("describeDocumentClassificationJob", {"JobId": "1234"}, "Comprehend.JobNotFoundException"),
    ):
        resource = f"arn:aws:states:::aws-sdk:comprehend:{operation}"
        states = {"Call": {"Type": "Task", "Resource": resource, "Arguments": arguments, "End": True}}
        assert run(account, create_machine(account, states, permissions=permissions))["error"] == named


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("TooManyRequestsException", "Comprehend.TooManyRequestsException"),
        ("ThrottlingException", "Comprehend.ComprehendException"),
    ],
)
def test_machine_sees_a_throttle_under_the_sdks_name(account: CloudAccount, code: str, named: str) -> None:
    states = {
        "List": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:comprehend:listFlywheels",
            "Arguments": {},
            "End": True,
        }
    }
    machine = create_machine(account, states, permissions=[allow("comprehend:ListFlywheels")])
    account.comprehend_administration("POST", "faults", fault(code))
    try:
        assert run(account, machine)["error"] == named
    finally:
        account.comprehend_administration("DELETE", "faults")
    assert run(account, machine)["status"] == "SUCCEEDED"


def fault(code: str) -> dict[str, Any]:
    return {"operation": "ListFlywheels", "kind": "throttle", "code": code}


def update(account: CloudAccount, stack: str, properties: Mapping[str, Any]) -> None:
    cloudformation = account.client("cloudformation")
    template = {"Resources": {"Flywheel": {"Type": "AWS::Comprehend::Flywheel", "Properties": properties}}}
    cloudformation.update_stack(StackName=stack, TemplateBody=json.dumps(template))
    until(lambda: "IN_PROGRESS" not in stack_status(account, stack))
    assert stack_status(account, stack) == "UPDATE_COMPLETE"
