"""Models between two accounts of the emulator: the model's policy, the caller's rights and the role are evaluated."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount, LocalCloud
from tests.local_cloud.resources import allow, create_bucket, create_machine, create_role, run, until
from tests.local_cloud.trained_models import WORDS, data_access_role, trained


@pytest.fixture(scope="module")
def target(cloud: LocalCloud, account: CloudAccount) -> CloudAccount:
    """The account that imports."""
    return cloud.account(f"9{account.account[1:]}")


@pytest.fixture(scope="module")
def source(account: CloudAccount) -> str:
    """A model of the other account."""
    bucket = create_bucket(account)
    return trained(account, role=data_access_role(account, bucket), bucket=bucket)[1]


def share(account: CloudAccount, model: str, principal: str) -> None:
    statement = {"Effect": "Allow", "Action": "comprehend:ImportModel", "Resource": model}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Principal": {"AWS": principal}}]}
    account.client("comprehend").put_resource_policy(ResourceArn=model, ResourcePolicy=json.dumps(policy))


def root_of(account: CloudAccount) -> str:
    return f"arn:aws:iam::{account.account}:root"


def caller(account: CloudAccount, *statements: dict[str, Any]) -> str:
    return create_role(account, *statements, trusted={"AWS": account.account})


def ended(account: CloudAccount, arn: str) -> dict[str, Any]:
    def find() -> dict[str, Any] | None:
        answer = account.client("comprehend").describe_document_classifier(DocumentClassifierArn=arn)
        model: dict[str, Any] = answer["DocumentClassifierProperties"]
        return model if model["Status"] not in ("SUBMITTED", "TRAINING") else None

    return until(find)


def refused(account: CloudAccount, role: str | None, request: dict[str, Any]) -> str:
    with pytest.raises(ClientError) as raised:
        account.client("comprehend", role_arn=role).import_model(**request)
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"
    return str(raised.value.response["Error"]["Message"])


def test_both_accounts_must_allow_it(account: CloudAccount, target: CloudAccount, source: str) -> None:
    request = {"SourceModelArn": source, "ModelName": "copy", "VersionName": "1"}
    may_import = allow("comprehend:ImportModel", on=source)
    importer = caller(target, may_import)
    share(account, source, account.account)
    assert "no resource-based policy" in refused(target, importer, request)
    assert "no resource-based policy" in refused(target, None, request)
    share(account, source, root_of(target))
    refused(target, caller(target, allow("comprehend:ImportModel", on=f"{source}0")), request)
    refused(target, importer, {**request, "Tags": [{"Key": "team", "Value": "news"}]})
    refused(target, importer, {**request, "DataAccessRoleArn": create_role(target, trusted="comprehend.amazonaws.com")})
    answer = target.client("comprehend", role_arn=importer).import_model(**request)
    new = f"arn:aws:comprehend:{target.region}:{target.account}:document-classifier/copy/version/1"
    assert answer["ModelArn"] == new
    model = ended(target, new)
    assert (model["Status"], model["SourceModelArn"]) == ("TRAINED", source)
    tagger = caller(target, may_import, allow("comprehend:TagResource", on=new.replace("/1", "/2")))
    again = {**request, "VersionName": "2", "Tags": [{"Key": "team", "Value": "news"}]}
    new = target.client("comprehend", role_arn=tagger).import_model(**again)["ModelArn"]
    assert ended(target, new)["Status"] == "TRAINED"


def test_a_policy_may_name_one_role(account: CloudAccount, target: CloudAccount, source: str) -> None:
    may_import = allow("comprehend:ImportModel", on=source)
    named, other = caller(target, may_import), caller(target, may_import)
    share(account, source, named)
    request = {"SourceModelArn": source, "ModelName": "named"}
    assert "no resource-based policy" in refused(target, other, request)
    arn = target.client("comprehend", role_arn=named).import_model(**request)["ModelArn"]
    assert ended(target, arn)["Status"] == "TRAINED"


def test_the_role_must_trust_comprehend(account: CloudAccount, target: CloudAccount, source: str) -> None:
    share(account, source, target.account)
    comprehend = target.client("comprehend")
    for service, status in (("comprehend.amazonaws.com", "TRAINED"), ("lambda.amazonaws.com", "IN_ERROR")):
        role = create_role(target, trusted=service)
        name = f"by-{status.replace('_', '-')}"
        arn = comprehend.import_model(SourceModelArn=source, ModelName=name, DataAccessRoleArn=role)["ModelArn"]
        model = ended(target, arn)
        assert model["Status"] == status, model
    assert "cannot be assumed" in model["Message"]


def test_the_policy_of_a_model_needs_rights_on_it(account: CloudAccount, source: str) -> None:
    share(account, source, root_of(account))
    reader = caller(account, allow("comprehend:DescribeResourcePolicy", on=source))
    comprehend = account.client("comprehend", role_arn=reader)
    assert "ResourcePolicy" in comprehend.describe_resource_policy(ResourceArn=source)
    with pytest.raises(ClientError, match="AccessDenied"):
        comprehend.delete_resource_policy(ResourceArn=source)


def test_a_machine_imports_under_its_role(account: CloudAccount, target: CloudAccount, source: str) -> None:
    named, unnamed, without = (
        create_role(target, allow("comprehend:ImportModel", on=on), trusted="states.amazonaws.com")
        for on in (source, source, f"{source}0")
    )
    for principal, role, status in (
        (root_of(target), named, "SUCCEEDED"),
        (root_of(target), without, "FAILED"),
        (named, named, "SUCCEEDED"),
        (named, unnamed, "FAILED"),
    ):
        share(account, source, principal)
        task = {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:comprehend:importModel",
            "Arguments": {"SourceModelArn": source, "ModelName": f"machine-{uuid.uuid4().hex[:8]}"},
            "End": True,
        }
        execution = run(target, create_machine(target, {"Import": task}, role=role))
        assert execution["status"] == status, execution
        if status == "FAILED":
            assert execution["error"] == "Comprehend.ComprehendException"


def test_keys_must_let_the_role_use_them(account: CloudAccount, target: CloudAccount) -> None:
    bucket = create_bucket(account)
    rows = "\n".join(f"{label},{word} number {number}" for label, word in WORDS.items() for number in range(50))
    account.client("s3").put_object(Bucket=bucket, Key="encrypted.csv", Body=rows.encode())
    key = account.client("kms").create_key()["KeyMetadata"]
    own = target.client("kms").create_key()["KeyMetadata"]["Arn"]
    source = account.client("comprehend").create_document_classifier(
        DocumentClassifierName="encrypted",
        VersionName="1",
        LanguageCode="en",
        DataAccessRoleArn=data_access_role(account, bucket),
        InputDataConfig={"S3Uri": f"s3://{bucket}/encrypted.csv"},
        ModelKmsKeyId=key["KeyId"],
    )["DocumentClassifierArn"]
    assert ended(account, source)["Status"] == "TRAINED"
    share(account, source, root_of(target))
    uses = ("kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant")
    able = create_role(target, allow(*uses, on=[key["Arn"], own]), trusted="comprehend.amazonaws.com")
    unable = create_role(target, allow(*uses, on=key["Arn"]), trusted="comprehend.amazonaws.com")

    def imported(role: str) -> dict[str, Any]:
        request = {"SourceModelArn": source, "ModelName": f"copy-{uuid.uuid4().hex[:8]}", "ModelKmsKeyId": own}
        return ended(target, target.client("comprehend").import_model(**request, DataAccessRoleArn=role)["ModelArn"])

    def let_in(of: str) -> None:
        """Give the key the policy of the developer guide, for a model."""
        whole = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": root_of(account)}}
        used = {"Effect": "Allow", "Resource": "*", "Principal": {"AWS": root_of(target)}}
        by_source = {"StringEquals": {"aws:SourceArn": of}}
        by_context = {"StringEquals": {"kms:EncryptionContext:aws:comprehend:arn": of}}
        statements = [
            whole,
            {**used, "Action": list(uses[:2]), "Condition": by_source},
            {**used, "Action": uses[2], "Condition": by_context},
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        account.client("kms").put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=policy)

    model = imported(able)
    assert (model["Status"], key["KeyId"] in model["Message"]) == ("IN_ERROR", True), model
    let_in(f"{source}0")
    assert imported(able)["Status"] == "IN_ERROR"
    let_in(source)
    assert imported(able)["Status"] == "TRAINED"
    model = imported(unable)
    assert (model["Status"], own in model["Message"]) == ("IN_ERROR", True), model
