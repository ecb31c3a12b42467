"""Buckets keep what a template says, ask KMS, honour conditions, and are not deleted with their objects."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.cloud import CloudAccount
from tests.local_cloud.resources import allow, create_bucket, create_role, create_stack, stack_status, until


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_encryption_lifecycle_and_tags_of_a_template(account: CloudAccount) -> None:
    key = account.client("kms").create_key()["KeyMetadata"]["Arn"]
    properties = {
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key},
                    "BucketKeyEnabled": True,
                }
            ]
        },
        "LifecycleConfiguration": {
            "Rules": [
                {
                    "Id": "old",
                    "Status": "Enabled",
                    "Prefix": "turns/",
                    "NoncurrentVersionExpiration": {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3},
                    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
                }
            ]
        },
        "Tags": [{"Key": "application", "Value": "probe"}],
    }
    stack = create_stack(
        account, {"Bucket": {"Type": "AWS::S3::Bucket", "Properties": properties}}, Name={"Ref": "Bucket"}
    )
    s3, bucket = account.client("s3"), stack["Name"]
    rule = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    assert rule["BucketKeyEnabled"] is True
    lifecycle = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"][0]
    assert lifecycle["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30, "NewerNoncurrentVersions": 3}
    assert lifecycle["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 7}
    assert {"Key": "application", "Value": "probe"} in s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    assert s3.head_object(Bucket=bucket, Key="k")["SSEKMSKeyId"] == key


def test_stack_does_not_delete_a_bucket_with_objects(account: CloudAccount) -> None:
    stack = create_stack(account, {"Bucket": {"Type": "AWS::S3::Bucket"}}, Name={"Ref": "Bucket"})
    s3, cloudformation = account.client("s3"), account.client("cloudformation")
    s3.put_object(Bucket=stack["Name"], Key="precious", Body=b"x")

    cloudformation.delete_stack(StackName=stack["StackName"])
    until(lambda: stack_status(account, stack["StackName"]) == "DELETE_FAILED")
    assert s3.get_object(Bucket=stack["Name"], Key="precious")["Body"].read() == b"x"
    s3.delete_object(Bucket=stack["Name"], Key="precious")
    cloudformation.delete_stack(StackName=stack["StackName"])
    until(lambda: stack_status(account, stack["StackName"]) == "DELETE_COMPLETE")


@pytest.mark.parametrize(
    ("key_actions", "may_write", "may_read"),
    [
        ([], False, False),
        (["kms:GenerateDataKey"], True, False),
        (["kms:Decrypt"], False, True),
        (["kms:GenerateDataKey", "kms:Decrypt"], True, True),
    ],
)
def test_encrypted_objects_need_the_key_as_well(
    account: CloudAccount, key_actions: list[str], may_write: bool, may_read: bool
) -> None:
    bucket, key = encrypted_bucket(account)
    account.client("s3").put_object(Bucket=bucket, Key="there", Body=b"x")
    through_s3 = {"StringEquals": {"kms:ViaService": f"s3.{account.region}.amazonaws.com"}}
    key_grant = [allow(*key_actions, on=key, when=through_s3)] if key_actions else []
    objects = allow("s3:GetObject", "s3:PutObject", on=f"arn:aws:s3:::{bucket}/*")
    role = create_role(account, objects, *key_grant, trusted={"AWS": account.account})
    s3 = account.client("s3", role_arn=role)
    assert succeeds(lambda: s3.put_object(Bucket=bucket, Key="new", Body=b"")) is may_write
    assert succeeds(lambda: s3.get_object(Bucket=bucket, Key="there")) is may_read
    copy_source = {"Bucket": bucket, "Key": "there"}
    copied = succeeds(lambda: s3.copy_object(Bucket=bucket, Key="copy", CopySource=copy_source))
    assert copied is (may_write and may_read)


def test_key_policy_can_refuse(account: CloudAccount) -> None:
    bucket, key = encrypted_bucket(account)
    role = create_role(account, allow("s3:PutObject", "kms:GenerateDataKey"), trusted={"AWS": account.account})
    statements = [
        {"Effect": "Allow", "Principal": {"AWS": account.account}, "Action": "kms:*", "Resource": "*"},
        {"Effect": "Deny", "Principal": {"AWS": role}, "Action": "kms:GenerateDataKey", "Resource": "*"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    account.client("kms").put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    with pytest.raises(ClientError) as refused:
        account.client("s3", role_arn=role).put_object(Bucket=bucket, Key="k", Body=b"")
    assert code_of(refused) == "AccessDenied"


def test_conditional_writes_and_deletes(account: CloudAccount) -> None:
    s3, bucket = account.client("s3"), create_bucket(account, versioned=True)
    first = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")
    assert code_of(refused) == "PreconditionFailed"
    second = s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=first["ETag"])
    with pytest.raises(ClientError) as refused:
        s3.delete_object(Bucket=bucket, Key="k", IfMatch=first["ETag"])
    assert code_of(refused) == "PreconditionFailed"
    assert s3.delete_object(Bucket=bucket, Key="k", IfMatch=second["ETag"])["DeleteMarker"] is True
    with pytest.raises(ClientError):
        s3.get_object(Bucket=bucket, Key="k")
    versions = s3.list_object_versions(Bucket=bucket)
    assert [version["VersionId"] for version in versions["Versions"]] == [second["VersionId"], first["VersionId"]]


def test_conditional_copy_does_not_overwrite(account: CloudAccount) -> None:
    s3, bucket = account.client("s3"), create_bucket(account)
    s3.put_object(Bucket=bucket, Key="source", Body=b"new")
    copy: dict[str, Any] = {"Bucket": bucket, "CopySource": {"Bucket": bucket, "Key": "source"}, "IfNoneMatch": "*"}
    s3.copy_object(Key="absent", **copy)
    s3.put_object(Bucket=bucket, Key="present", Body=b"old")
    with pytest.raises(ClientError) as refused:
        s3.copy_object(Key="present", **copy)
    assert code_of(refused) == "PreconditionFailed"
    assert s3.get_object(Bucket=bucket, Key="present")["Body"].read() == b"old"


def encrypted_bucket(account: CloudAccount) -> tuple[str, str]:
    bucket, key = create_bucket(account), account.client("kms").create_key()["KeyMetadata"]["Arn"]
    default = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    account.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [default]})
    return bucket, str(key)


def succeeds(call: Any) -> bool:
    """Whether a call is allowed; any other error than a refusal fails the test."""
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return False
    return True


def test_a_range_of_a_version_is_no_more_than_that(account: CloudAccount) -> None:
    s3, bucket = account.client("s3"), create_bucket(account)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")["VersionId"]
    s3.put_object(Bucket=bucket, Key="k", Body=b"later")
    answer = s3.get_object(Bucket=bucket, Key="k", VersionId=version, Range="bytes=4-6")
    assert answer["Body"].read() == b"456"
    assert answer["ContentRange"] == "bytes 4-6/10"
    assert s3.get_object(Bucket=bucket, Key="k", VersionId=version, Range="bytes=8-")["Body"].read() == b"89"
    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=bucket, Key="k", VersionId=version, Range="bytes=10-")
    assert code_of(refused) == "InvalidRange"
