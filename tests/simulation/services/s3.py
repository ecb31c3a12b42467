"""S3 in memory: objects and their versions, conditional requests, lists, multipart uploads.

Answers leave out owners and checksums. Who may do what within an account is decided elsewhere.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.response import StreamingBody

from tests.simulation.api import ApiError, Caller
from tests.simulation.kernel import Kernel
from tests.simulation.services.operations import Operations, Perform
from tests.simulation.services.s3_buckets import Bucket, Buckets, ObjectEvent, Version
from tests.simulation.services.s3_listing import MOST_KEYS, below, list_objects, list_versions
from tests.simulation.services.s3_requests import (
    check_key,
    check_write,
    content_of,
    copy_source,
    described,
    etag_of,
    failed_condition,
    matches,
    no_such_key,
)
from tests.simulation.services.s3_uploads import Uploads

__all__ = ["S3", "ObjectEvent", "Version"]

_HEAD_MESSAGES = {
    400: "Bad Request",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    412: "Precondition Failed",
}
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_ENCRYPTED = {"ServerSideEncryption": "AES256"}
_WITHOUT_EFFECT = {"ChecksumAlgorithm", "ChecksumType", "ChecksumMode", "ServerSideEncryption", "SSEKMSKeyId"}
_OF_OBJECTS = {"Metadata", "ContentType", "Tagging"}
_OF_COPIES = {"Key", "CopySource", "CopySourceIfMatch", "MetadataDirective", "TaggingDirective"}
_OF_LISTS = {"Prefix", "MaxKeys", "EncodingType"}
_OF_PARTS = {"Key", "UploadId", "PartNumber"}
_OF_WRITES = {"IfMatch", "IfNoneMatch"}


class S3:
    """`on_event` is called for each object that is created or deleted, before the request is answered; it may not wait.

    `keys_on_a_page` can be set lower at any time: S3 may always list fewer than asked for.
    """

    def __init__(
        self,
        kernel: Kernel,
        *,
        on_event: Callable[[ObjectEvent], None] | None = None,
        keys_on_a_page: int = MOST_KEYS,
    ) -> None:
        self.keys_on_a_page = keys_on_a_page
        self._buckets = Buckets(kernel, on_event)
        self._uploads = Uploads(self._buckets, self._source)
        known: dict[str, tuple[Perform, set[str]]] = {
            "CreateBucket": (self._create_bucket, set()),
            "HeadBucket": (self._head_bucket, set()),
            "DeleteBucket": (self._delete_bucket, set()),
            "PutBucketVersioning": (self._put_bucket_versioning, {"VersioningConfiguration"}),
            "GetBucketTagging": (self._get_bucket_tagging, set()),
            "PutBucketTagging": (self._put_bucket_tagging, {"Tagging"}),
            "PutObject": (self._put_object, {"Key", "Body"} | _OF_OBJECTS | _OF_WRITES),
            "GetObject": (self._get_object, {"Key", "VersionId", "Range", "IfMatch"}),
            "HeadObject": (self._head_object, {"Key", "VersionId", "IfMatch"}),
            "DeleteObject": (self._delete_object, {"Key", "VersionId", "IfMatch"}),
            "DeleteObjects": (self._delete_objects, {"Delete"}),
            "CopyObject": (self._copy_object, _OF_COPIES | _OF_OBJECTS | _OF_WRITES),
            "ListObjectsV2": (self._list_objects, _OF_LISTS | {"Delimiter", "ContinuationToken", "StartAfter"}),
            "ListObjectVersions": (self._list_versions, _OF_LISTS | {"KeyMarker", "VersionIdMarker"}),
            "CreateMultipartUpload": (self._uploads.create, {"Key"} | _OF_OBJECTS),
            "UploadPart": (self._uploads.add_part, _OF_PARTS | {"Body"}),
            "UploadPartCopy": (
                self._uploads.copy_part,
                _OF_PARTS | {"CopySource", "CopySourceRange", "CopySourceIfMatch"},
            ),
            "CompleteMultipartUpload": (self._uploads.complete, {"Key", "UploadId", "MultipartUpload"} | _OF_WRITES),
            "AbortMultipartUpload": (self._uploads.abort, {"Key", "UploadId"}),
        }
        everywhere = {"Bucket"} | _WITHOUT_EFFECT
        self._operations = Operations("S3", {name: (perform, of | everywhere) for name, (perform, of) in known.items()})

    def answer(self, operation: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return self._operations.answer(operation, parameters, caller)

    def allow(self, bucket: str, account: str) -> None:
        """Let another account's callers in; what exactly they may is decided elsewhere."""
        self._buckets.of(bucket).allowed.add(account)

    def object(self, bucket: str, key: str) -> Version | None:
        """The current version, for claims. Raises KeyError without the bucket."""
        return self._buckets.of(bucket).current(key)

    def keys(self, bucket: str, prefix: str = "") -> Sequence[str]:
        """Those of current objects, in S3's order, for claims."""
        return below(self._buckets.of(bucket).live, prefix)

    def versions(self, bucket: str, prefix: str = "") -> list[Version]:
        """And delete markers: key after key, the newest first, for claims."""
        found = self._buckets.of(bucket)
        return [version for key in below(found.keys, prefix) for version in reversed(found.stacks[key])]

    def _create_bucket(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return {"Location": f"/{self._buckets.create(parameters['Bucket'], caller).name}"}

    def _head_bucket(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        with _HeadErrors():
            self._bucket(parameters, caller)
        return {}

    def _delete_bucket(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        self._buckets.delete(self._bucket(parameters, caller))
        return {}

    def _put_bucket_versioning(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        if parameters["VersioningConfiguration"] != {"Status": "Enabled"}:
            raise NotImplementedError("In the simulation a bucket's versioning can only be enabled.")
        self._bucket(parameters, caller).versioned = True
        return {}

    def _get_bucket_tagging(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        tags = self._bucket(parameters, caller).tags
        if not tags:
            raise ApiError("NoSuchTagSet", "The TagSet does not exist", status=404)
        return {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}

    def _put_bucket_tagging(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        tags = {tag["Key"]: tag["Value"] for tag in parameters["Tagging"]["TagSet"]}
        self._bucket(parameters, caller).tags = tags
        return {}

    def _put_object(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        bucket, key = self._place(parameters, caller)
        body = content_of(parameters.get("Body", b""))
        check_write(bucket, key, parameters)
        version = self._buckets.add(
            bucket, key, caller, reason="PutObject", body=body, etag=etag_of(body), **described(parameters)
        )
        return _with_id({"ETag": version.etag, **_ENCRYPTED}, bucket, version)

    def _get_object(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        bucket, version = self._found(parameters, caller)
        answer, part = _described_answer(bucket, version, parameters)
        answer["Body"] = StreamingBody(io.BytesIO(part), len(part))
        return answer

    def _head_object(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        with _HeadErrors():
            bucket, version = self._found(parameters, caller)
            return _described_answer(bucket, version, parameters)[0]

    def _delete_object(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        bucket, key = self._place(parameters, caller)
        return self._deleted(bucket, key, parameters, caller)

    def _delete_objects(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        bucket = self._bucket(parameters, caller)
        objects = parameters["Delete"]["Objects"]
        if not 1 <= len(objects) <= MOST_KEYS:
            message = "The XML you provided was not well-formed or did not validate against our published schema"
            raise ApiError("MalformedXML", message)
        deleted: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for each in objects:
            named = {name: each[name] for name in ("Key", "VersionId") if name in each}
            condition = {"IfMatch": each["ETag"]} if "ETag" in each else {}
            try:
                check_key(each["Key"])
                done = self._deleted(bucket, each["Key"], {**each, **condition}, caller)
            except ApiError as error:
                errors.append({**named, "Code": error.code, "Message": error.message})
                continue
            if "DeleteMarker" in done:
                named |= {"DeleteMarker": True, "DeleteMarkerVersionId": done["VersionId"]}
            deleted.append(named)
        answer: dict[str, Any] = {"Errors": errors} if errors else {}
        return answer if parameters["Delete"].get("Quiet") or not deleted else {"Deleted": deleted, **answer}

    def _deleted(self, bucket: Bucket, key: str, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        # "Conditional delete evaluations only apply to the current version of the object":
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
        check_write(bucket, key, parameters)
        version_id = parameters.get("VersionId")
        if version_id is None and bucket.versioned:
            marker = self._buckets.mark_deleted(bucket, key, caller)
            return {"DeleteMarker": True, "VersionId": marker.version_id}
        version = bucket.current(key) if version_id is None else bucket.version(key, version_id)
        if version is not None:
            self._buckets.remove(bucket, version, caller)
        answer: dict[str, Any] = {} if version_id is None else {"VersionId": version_id}
        return {"DeleteMarker": True, **answer} if version is not None and version.is_marker else answer

    def _copy_object(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        bucket, key = self._place(parameters, caller)
        check_write(bucket, key, parameters)
        origin, source = self._source(parameters, caller)
        replaces = parameters.get("MetadataDirective") == "REPLACE"
        if origin is bucket and source is bucket.current(key) and not replaces:
            message = (
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                "object's metadata, storage class, website redirect location or encryption attributes."
            )
            raise ApiError("InvalidRequest", message)
        given = described(parameters)
        tags = given.pop("tags", {})
        members = given if replaces else {"content_type": source.content_type, "metadata": source.metadata}
        version = self._buckets.add(
            bucket,
            key,
            caller,
            reason="CopyObject",
            body=source.body,
            # A copy is one part, whatever its source was.
            etag=etag_of(source.body) if "-" in source.etag else source.etag,
            tags=tags if parameters.get("TaggingDirective") == "REPLACE" else source.tags,
            **members,
        )
        result = {"ETag": version.etag, "LastModified": version.modified}
        answer = {"CopyObjectResult": result, **_ENCRYPTED}
        if origin.versioned:
            answer["CopySourceVersionId"] = source.version_id
        return _with_id(answer, bucket, version)

    def _list_objects(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return list_objects(self._bucket(parameters, caller), parameters, at_most=self.keys_on_a_page)

    def _list_versions(self, parameters: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
        return list_versions(self._bucket(parameters, caller), parameters, at_most=self.keys_on_a_page)

    def _bucket(self, parameters: Mapping[str, Any], caller: Caller) -> Bucket:
        return self._buckets.find(parameters["Bucket"], caller)

    def _place(self, parameters: Mapping[str, Any], caller: Caller) -> tuple[Bucket, str]:
        bucket, key = self._buckets.find(parameters["Bucket"], caller), parameters["Key"]
        check_key(key)
        return bucket, key

    def _found(self, parameters: Mapping[str, Any], caller: Caller) -> tuple[Bucket, Version]:
        """What a request that reads asks for. Raises ApiError, as GetObject."""
        bucket, key = self._place(parameters, caller)
        version_id = parameters.get("VersionId")
        if version_id is None:
            version = bucket.current(key)
            if version is None:
                raise no_such_key()
        else:
            version = _version(bucket, key, version_id)
            if version.is_marker:
                message = "The specified method is not allowed against this resource."
                raise ApiError("MethodNotAllowed", message, status=405)
        if_match = parameters.get("IfMatch")
        if if_match is not None and not matches(if_match, version):
            raise failed_condition()
        return bucket, version

    def _source(self, parameters: Mapping[str, Any], caller: Caller) -> tuple[Bucket, Version]:
        """Of a copy. Raises ApiError."""
        name, key, version_id = copy_source(parameters["CopySource"])
        bucket = self._buckets.find(name, caller)
        check_key(key)
        if version_id is None:
            version = bucket.current(key)
            if version is None:
                raise no_such_key()
        else:
            version = _version(bucket, key, version_id)
            if version.is_marker:
                message = "The source of a copy request may not specifically refer to a delete marker by version id."
                raise ApiError("InvalidRequest", message)
        if_match = parameters.get("CopySourceIfMatch")
        if if_match is not None and not matches(if_match, version):
            raise failed_condition()
        return bucket, version


class _HeadErrors:
    """An answer to HEAD has no body: its error is the status."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, ApiError):
            raise ApiError(str(error.status), _HEAD_MESSAGES[error.status], status=error.status) from error


def _version(bucket: Bucket, key: str, version_id: str) -> Version:
    version = bucket.version(key, version_id)
    if version is None:
        raise ApiError("NoSuchVersion", "The specified version does not exist.", status=404)
    return version


def _with_id(answer: dict[str, Any], bucket: Bucket, version: Version) -> dict[str, Any]:
    """An answer to a write names the version only if it is one of several."""
    if bucket.versioned:
        answer["VersionId"] = version.version_id
    return answer


def _described_answer(bucket: Bucket, version: Version, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Of GetObject without its Body, and the bytes that are asked for."""
    part = version.body
    answer: dict[str, Any] = {
        "AcceptRanges": "bytes",
        "LastModified": version.modified,
        "ETag": version.etag,
        "ContentType": version.content_type,
        "Metadata": dict(version.metadata),
        **_ENCRYPTED,
    }
    if "Range" in parameters:
        first, end = _range(parameters["Range"], len(part))
        answer["ContentRange"] = f"bytes {first}-{end - 1}/{len(part)}"
        part = part[first:end]
    answer["ContentLength"] = len(part)
    if bucket.versioned:
        answer["VersionId"] = version.version_id
    if version.tags:
        answer["TagCount"] = len(version.tags)
    return answer, part


def _range(asked: str, size: int) -> tuple[int, int]:
    """The first byte, and the one after the last."""
    found = _RANGE.fullmatch(asked)
    if found is None or (found[2] and int(found[2]) < int(found[1])):
        raise NotImplementedError(f"The simulation's S3 does not know what S3 makes of the range {asked!r}.")
    first = int(found[1])
    end = min(int(found[2]) + 1, size) if found[2] else size
    if first >= end:
        raise ApiError("InvalidRange", "The requested range is not satisfiable", status=416)
    return first, end
