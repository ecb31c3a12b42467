"""What requests to S3 say: their keys, bodies, conditions and sources."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from tests.simulation.api import ApiError
from tests.simulation.services.s3_buckets import Bucket, Version

LONGEST_KEY = 1024
"""Bytes of UTF-8."""
_VERSION_SUFFIX = re.compile(r"\?versionId=(\S+)$")


def check_key(key: str) -> None:
    if len(key) > LONGEST_KEY // 4 and len(key.encode()) > LONGEST_KEY:
        raise ApiError("KeyTooLongError", "Your key is too long")


def failed_condition() -> ApiError:
    message = "At least one of the pre-conditions you specified did not hold"
    return ApiError("PreconditionFailed", message, status=412)


def no_such_key() -> ApiError:
    return ApiError("NoSuchKey", "The specified key does not exist.", status=404)


def matches(condition: str, version: Version) -> bool:
    """Whether an If-Match holds."""
    return condition == "*" or condition.strip('"') == version.etag.strip('"')


def check_write(bucket: Bucket, key: str, parameters: Mapping[str, Any]) -> None:
    """IfMatch and IfNoneMatch of a request that writes or deletes: they ask for the current version.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    if_none_match = parameters.get("IfNoneMatch")
    if if_none_match is not None:
        if if_none_match != "*":
            message = "A header you provided implies functionality that is not implemented"
            raise ApiError("NotImplemented", message, status=501)
        if bucket.current(key) is not None:
            raise failed_condition()
    if_match = parameters.get("IfMatch")
    if if_match is not None:
        current = bucket.current(key)
        if current is None:
            raise no_such_key()
        if not matches(if_match, current):
            raise failed_condition()


def content_of(body: Any) -> bytes:
    """boto3 takes bytes, text and files."""
    if isinstance(body, bytes):
        return body
    if hasattr(body, "read"):
        body = body.read()
    return body.encode() if isinstance(body, str) else bytes(body)


def etag_of(body: bytes) -> str:
    return f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'


def described(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The members of a Version that a request gives to a new object."""
    members: dict[str, Any] = {}
    if "ContentType" in parameters:
        members["content_type"] = parameters["ContentType"]
    if "Metadata" in parameters:
        # They are headers.
        members["metadata"] = {name.lower(): value for name, value in parameters["Metadata"].items()}
    if "Tagging" in parameters:
        members["tags"] = dict(parse_qsl(parameters["Tagging"], keep_blank_values=True))
    return members


def copy_source(source: str | Mapping[str, str]) -> tuple[str, str, str | None]:
    """Bucket, key and version id. As text it is "bucket/key?versionId=…", which boto3 encodes."""
    if not isinstance(source, str):
        return source["Bucket"], source["Key"], source.get("VersionId")
    found = _VERSION_SUFFIX.search(source)
    path = source[: found.start()] if found else source
    bucket, _, key = path.removeprefix("/").partition("/")
    return bucket, key, found[1] if found else None
