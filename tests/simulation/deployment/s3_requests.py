"""What the sender of a request to S3 must be allowed: its actions are not named as its operations are.

Source: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations". An ETag in If-Match asks for
s3:GetObject too: "How to prevent object overwrites with conditional writes" and "Enforce conditional deletes on Amazon
S3 buckets".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote

Check = tuple[str, str, tuple[tuple[str, str], ...]]
"""Action, resource, and pairs of a condition key in lower case and its value."""

_OBJECT = {
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "GetObjectTagging": "GetObjectTagging",
    "PutObject": "PutObject",
    "PutObjectTagging": "PutObjectTagging",
    "DeleteObject": "DeleteObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
    "AbortMultipartUpload": "AbortMultipartUpload",
    "ListParts": "ListMultipartUploadParts",
    "CopyObject": "PutObject",
    "UploadPartCopy": "PutObject",
}
_OF_A_VERSION = {
    "GetObject": "GetObjectVersion",
    "GetObjectTagging": "GetObjectVersionTagging",
    "PutObjectTagging": "PutObjectVersionTagging",
    "DeleteObject": "DeleteObjectVersion",
}
_BUCKET = {
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "GetBucketLocation": "GetBucketLocation",
    "GetBucketTagging": "GetBucketTagging",
    "GetBucketVersioning": "GetBucketVersioning",
    "DeleteBucket": "DeleteBucket",
}
_CONDITIONS = {"Prefix": "s3:prefix", "Delimiter": "s3:delimiter", "MaxKeys": "s3:max-keys"}


def needed_of_s3(operation: str, parameters: Mapping[str, Any]) -> list[Check]:
    """Raises NotImplementedError for an operation that is not in the tables above."""
    bucket = f"arn:aws:s3:::{parameters.get('Bucket')}"
    if operation == "DeleteObjects":
        return [
            check
            for each in parameters["Delete"]["Objects"]
            for check in _of_object("DeleteObject", bucket, each, match=each.get("ETag"))
        ]
    if operation in _OBJECT:
        checks = _of_object(_OBJECT[operation], bucket, parameters, match=parameters.get("IfMatch"))
        if parameters.get("Tagging") and operation in {"PutObject", "CreateMultipartUpload", "CopyObject"}:
            checks.append(("s3:PutObjectTagging", checks[0][1], ()))
        if "CopySource" in parameters:
            checks.append(_of_source(parameters["CopySource"]))
        return checks
    if operation in _BUCKET:
        conditions = tuple(
            (key, str(parameters[member])) for member, key in _CONDITIONS.items() if parameters.get(member) is not None
        )
        return [(f"s3:{_BUCKET[operation]}", bucket, conditions)]
    raise NotImplementedError(f"What {operation} of S3 asks to be allowed is not in the table of s3_requests.py.")


def _of_object(action: str, bucket: str, named: Mapping[str, Any], *, match: str | None) -> list[Check]:
    resource = f"{bucket}/{named['Key']}"
    own = _OF_A_VERSION.get(action, action) if named.get("VersionId") else action
    checks: list[Check] = [(f"s3:{own}", resource, ())]
    if action in {"PutObject", "DeleteObject"} and match not in (None, "*"):
        checks.append(("s3:GetObject", resource, ()))
    return checks


def _of_source(source: str | Mapping[str, str]) -> Check:
    """CopySource: an object with Bucket, Key and perhaps VersionId, or the same as text."""
    if isinstance(source, str):
        path, _, query = source.partition("?")
        bucket, _, key = unquote(path).removeprefix("/").partition("/")
        version = parse_qs(query).get("versionId")
    else:
        bucket, key, version = source["Bucket"], source["Key"], [source["VersionId"]] if "VersionId" in source else None
    return (f"s3:{'GetObjectVersion' if version else 'GetObject'}", f"arn:aws:s3:::{bucket}/{key}", ())
