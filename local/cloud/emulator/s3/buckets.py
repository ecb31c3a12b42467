"""S3 buckets: what a template says of encryption, lifecycle and tags counts; a bucket with objects stays.

MiniStack ignores these properties, deletes full buckets with their stack, and lets anybody read what a KMS key
encrypts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element, SubElement, tostring

from local.cloud.emulator.ministack import iam_actions, iam_evaluator, kms, provisioners, responses, s3

_ALGORITHM = "x-amz-server-side-encryption"
_KEY = "x-amz-server-side-encryption-aws-kms-key-id"
_AWS_KEY = "alias/aws/s3"


class BucketNotEmpty(Exception):
    """What CloudFormation shows as the reason of a failed deletion."""


def teach() -> None:
    _take_properties_of_templates()
    _keep_full_buckets()
    _ask_kms()


def _take_properties_of_templates() -> None:
    provisioners._S3_BUCKET_CONFIGURATIONS = (
        *provisioners._S3_BUCKET_CONFIGURATIONS,
        ("BucketEncryption", _encryption, s3._put_bucket_encryption, s3._delete_bucket_encryption),
        (
            "LifecycleConfiguration",
            _lifecycle,
            s3._put_bucket_lifecycle,
            lambda name: s3._bucket_lifecycle.pop(name, None),
        ),
        ("Tags", _tagging, s3._put_bucket_tagging, lambda name: s3._bucket_tags.pop(name, None)),
    )
    resolve = s3._resolve_sse_write_headers

    def resolve_with_default_key(headers: dict[str, str], bucket: str) -> Any:
        """`aws:kms` without a key means the bucket's default key, or the one AWS keeps for S3."""
        if headers.get(_ALGORITHM) == "aws:kms" and not headers.get(_KEY):
            default = s3._bucket_default_sse_headers(bucket).get(_KEY)
            headers = {**headers, _KEY: default or _kms_arn(_AWS_KEY)}
        return resolve(headers, bucket)

    s3._resolve_sse_write_headers = resolve_with_default_key


def _encryption(property_: Mapping[str, Any]) -> bytes:
    root = Element("ServerSideEncryptionConfiguration")
    for given in property_["ServerSideEncryptionConfiguration"]:
        rule = SubElement(root, "Rule")
        default = given.get("ServerSideEncryptionByDefault", {})
        applied = SubElement(rule, "ApplyServerSideEncryptionByDefault")
        _texts(applied, SSEAlgorithm=default.get("SSEAlgorithm"), KMSMasterKeyID=default.get("KMSMasterKeyID"))
        _texts(rule, BucketKeyEnabled=str(given.get("BucketKeyEnabled", False)).lower())
    return tostring(root)


def _lifecycle(property_: Mapping[str, Any]) -> bytes:
    root = Element("LifecycleConfiguration")
    for number, given in enumerate(property_.get("Rules", [])):
        rule = SubElement(root, "Rule")
        _texts(rule, ID=given.get("Id", f"rule-{number}"), Status=given["Status"])
        _texts(SubElement(rule, "Filter"), Prefix=given.get("Prefix", ""))
        if "ExpirationInDays" in given or "ExpiredObjectDeleteMarker" in given:
            marker = given.get("ExpiredObjectDeleteMarker")
            _texts(
                SubElement(rule, "Expiration"),
                Days=given.get("ExpirationInDays"),
                ExpiredObjectDeleteMarker=None if marker is None else str(marker).lower(),
            )
        noncurrent = given.get("NoncurrentVersionExpiration") or {}
        days = noncurrent.get("NoncurrentDays") or given.get("NoncurrentVersionExpirationInDays")
        if days:
            _texts(
                SubElement(rule, "NoncurrentVersionExpiration"),
                NoncurrentDays=days,
                NewerNoncurrentVersions=noncurrent.get("NewerNoncurrentVersions"),
            )
        abort = given.get("AbortIncompleteMultipartUpload")
        if abort:
            _texts(SubElement(rule, "AbortIncompleteMultipartUpload"), DaysAfterInitiation=abort["DaysAfterInitiation"])
    return tostring(root)


def _tagging(property_: list[Mapping[str, str]]) -> bytes:
    root = Element("Tagging")
    tags = SubElement(root, "TagSet")
    for given in property_:
        _texts(SubElement(tags, "Tag"), Key=given["Key"], Value=given["Value"])
    return tostring(root)


def _texts(parent: Element, **children: Any) -> None:
    for name, value in children.items():
        if value is not None:
            SubElement(parent, name).text = str(value)


def _keep_full_buckets() -> None:
    handlers = provisioners._RESOURCE_HANDLERS["AWS::S3::Bucket"]
    delete = handlers["delete"]

    def delete_empty(name: str, properties: dict[str, Any]) -> Any:
        if s3._buckets.get(name) is not None:
            status, _, _ = s3._delete_bucket(name)
            if status >= 400:
                raise BucketNotEmpty(f"The bucket you tried to delete is not empty ({name})")
        return delete(name, properties)

    handlers["delete"] = delete_empty


def _ask_kms() -> None:
    """A caller of S3 needs the key as well as the object; S3 asks KMS in the caller's name (`kms:ViaService`)."""
    further_checks = iam_actions.s3_additional_checks
    access_points = iam_actions.s3_access_point_resources
    resource_policy = iam_evaluator._resource_policy

    def checks(method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]) -> Any:
        needed = list(further_checks(method, path, headers, body, query))
        bucket, _, key = path.lstrip("/").partition("/")
        action = iam_actions._s3_action(method, path, query) if key else None
        if action == "PutObject":
            needed += _key_check("kms:GenerateDataKey", _written_with(headers, bucket))
            source = unquote(headers.get("x-amz-copy-source", "").partition("?")[0]).lstrip("/")
            if source:
                needed += _key_check("kms:Decrypt", _stored_with(*source.split("/", 1)))
        elif action in ("GetObject", "GetObjectVersion"):
            needed += _key_check("kms:Decrypt", _stored_with(bucket, key))
        return needed

    def resources(arn: str) -> Any:
        if arn.startswith("arn:aws:kms:"):
            return [(arn, {"kms:viaservice": f"s3.{responses.get_region()}.amazonaws.com"})]
        return access_points(arn)

    def policy(service: str, arn: str) -> Any:
        return resource_policy("kms" if arn.startswith("arn:aws:kms:") else service, arn)

    iam_actions.s3_additional_checks = checks
    iam_actions.s3_access_point_resources = resources
    iam_evaluator._resource_policy = policy


def _key_check(action: str, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    key = headers.get(_KEY)
    if headers.get(_ALGORITHM) != "aws:kms" or not key or key.endswith(_AWS_KEY):
        return []
    return [(action, _key_arn(key))]


def _written_with(headers: Mapping[str, str], bucket: str) -> Mapping[str, str]:
    if headers.get(_ALGORITHM):
        default = s3._bucket_default_sse_headers(bucket).get(_KEY, "")
        return {_ALGORITHM: headers[_ALGORITHM], _KEY: headers.get(_KEY) or default}
    given: Mapping[str, str] = s3._bucket_default_sse_headers(bucket)
    return given


def _stored_with(bucket: str, key: str) -> Mapping[str, str]:
    record = (s3._buckets.get(bucket) or {"objects": {}})["objects"].get(key)
    stored: Mapping[str, str] = s3._stored_sse_headers(record) if record else s3._bucket_default_sse_headers(bucket)
    return stored


def _key_arn(key: str) -> str:
    record = kms._resolve_key(key)
    return str(record["Arn"]) if record else _kms_arn(key if "/" in key else f"key/{key}")


def _kms_arn(resource: str) -> str:
    if resource.startswith("arn:"):
        return resource
    return f"arn:aws:kms:{responses.get_region()}:{responses.get_account_id()}:{resource}"
