"""S3's multipart uploads: parts are sent or copied, then made one object."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from urllib.parse import quote

from tests.simulation.api import ApiError, Caller
from tests.simulation.services.s3_buckets import Bucket, Buckets, Version
from tests.simulation.services.s3_requests import check_key, check_write, content_of, described, etag_of

SMALLEST_PART = 5 * 1024 * 1024
"""Bytes of every part but the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html"""
MOST_PARTS = 10_000
_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass(kw_only=True, slots=True)
class _Upload:
    bucket: Bucket
    key: str
    members: Mapping[str, Any]
    """Of the object that it becomes."""
    parts: dict[int, tuple[str, bytes]] = field(default_factory=dict)
    """ETag and content by number."""


class Uploads:
    """`source` finds what a request copies."""

    def __init__(self, buckets: Buckets, source: Callable[[Mapping[str, Any], Caller], tuple[Bucket, Version]]) -> None:
        self._buckets = buckets
        self._source = source
        self._uploads: dict[str, _Upload] = {}
        self._completed: dict[str, dict[str, Any]] = {}
        """By id, what was answered."""

    def create(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        bucket, key = self._buckets.find(parameters["Bucket"], caller), parameters["Key"]
        check_key(key)
        upload_id = self._buckets.new_id()
        self._uploads[upload_id] = _Upload(bucket=bucket, key=key, members=described(parameters))
        return {"Bucket": bucket.name, "Key": key, "UploadId": upload_id, "ServerSideEncryption": "AES256"}

    def add_part(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        upload = self._find(parameters, caller)
        body = content_of(parameters.get("Body", b""))
        return {"ETag": _added(upload, parameters, body), "ServerSideEncryption": "AES256"}

    def copy_part(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        upload = self._find(parameters, caller)
        origin, source = self._source(parameters, caller)
        asked = parameters.get("CopySourceRange")
        etag = _added(upload, parameters, source.body if asked is None else _part(source.body, asked))
        answer: dict[str, Any] = {
            "CopyPartResult": {"ETag": etag, "LastModified": self._buckets.now()},
            "ServerSideEncryption": "AES256",
        }
        return {**answer, "CopySourceVersionId": source.version_id} if origin.versioned else answer

    def complete(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        # Whoever lost the answer and asks again gets it.
        done = self._completed.get(parameters["UploadId"])
        if done is not None and (done["Bucket"], done["Key"]) == (parameters["Bucket"], parameters["Key"]):
            self._buckets.find(parameters["Bucket"], caller)
            return dict(done)
        upload = self._find(parameters, caller)
        bucket, key = upload.bucket, upload.key
        parts = _chosen(upload, parameters.get("MultipartUpload", {}).get("Parts", ()))
        check_write(bucket, key, parameters)
        del self._uploads[parameters["UploadId"]]
        digests = b"".join(bytes.fromhex(etag.strip('"')) for etag, _ in parts)
        version = self._buckets.add(
            bucket,
            key,
            caller,
            reason="CompleteMultipartUpload",
            body=b"".join(body for _, body in parts),
            etag=f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"',
            **upload.members,
        )
        answer = {
            "Location": f"https://{bucket.name}.s3.amazonaws.com/{quote(key, safe='')}",
            "Bucket": bucket.name,
            "Key": key,
            "ETag": version.etag,
            "ServerSideEncryption": "AES256",
        }
        if bucket.versioned:
            answer["VersionId"] = version.version_id
        self._completed[parameters["UploadId"]] = answer
        return dict(answer)

    def abort(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        self._find(parameters, caller)
        del self._uploads[parameters["UploadId"]]
        return {}

    def _find(self, parameters: Mapping[str, Any], caller: Caller) -> _Upload:
        bucket = self._buckets.find(parameters["Bucket"], caller)
        upload = self._uploads.get(parameters["UploadId"])
        if upload is None or upload.bucket is not bucket or upload.key != parameters["Key"]:
            message = (
                "The specified upload does not exist. The upload ID may be invalid, or the upload may have been "
                "aborted or completed."
            )
            raise ApiError("NoSuchUpload", message, status=404)
        return upload


def _added(upload: _Upload, parameters: Mapping[str, Any], body: bytes) -> str:
    """The ETag of a part that is now there. One with the same number is replaced."""
    number = parameters["PartNumber"]
    if not 1 <= number <= MOST_PARTS:
        message = f"Part number must be an integer between 1 and {MOST_PARTS}, inclusive"
        raise ApiError("InvalidArgument", message)
    etag = etag_of(body)
    upload.parts[number] = (etag, body)
    return etag


def _part(body: bytes, asked: str) -> bytes:
    found = _RANGE.fullmatch(asked)
    if found is None or int(found[1]) > int(found[2]):
        message = (
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
            "zero-based offsets of the first and last bytes to copy"
        )
        raise ApiError("InvalidArgument", message)
    first, last = int(found[1]), int(found[2])
    if last >= len(body):
        raise ApiError("InvalidArgument", f"Range specified is not valid for source object of size: {len(body)}")
    # "You can copy a range only if the source object is greater than 5 MB":
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
    if len(body) < SMALLEST_PART:
        message = "The specified copy source is not supported as a byte-range copy source"
        raise ApiError("InvalidRequest", message)
    return body[first : last + 1]


def _chosen(upload: _Upload, named: Sequence[Mapping[str, Any]]) -> list[tuple[str, bytes]]:
    if not named:
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise ApiError("MalformedXML", message)
    numbers = [part["PartNumber"] for part in named]
    if any(number >= following for number, following in pairwise(numbers)):
        message = "The list of parts was not in ascending order. Parts must be ordered by part number."
        raise ApiError("InvalidPartOrder", message)
    parts = []
    for part in named:
        found = upload.parts.get(part["PartNumber"])
        if found is None or found[0].strip('"') != part["ETag"].strip('"'):
            message = (
                "One or more of the specified parts could not be found.  The part may not have been uploaded, or the "
                "specified entity tag may not match the part's entity tag."
            )
            raise ApiError("InvalidPart", message)
        parts.append(found)
    if any(len(body) < SMALLEST_PART for _, body in parts[:-1]):
        message = "Your proposed upload is smaller than the minimum allowed size"
        raise ApiError("EntityTooSmall", message)
    return parts
