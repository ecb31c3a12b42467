"""Reads and writes records and objects in the intake bucket. S3's conditional requests are the only locks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

from botocore.exceptions import ClientError
from pydantic import ValidationError

from flywheel.faults.errors import InvalidRecord, UnknownRecord
from flywheel.faults.service_faults import error_code
from flywheel.store.concatenation import Source, concatenate
from flywheel.store.record import Record

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import GetObjectOutputTypeDef, ObjectTypeDef, ObjectVersionTypeDef

RecordT = TypeVar("RecordT", bound=Record)

_MISSING = {"NoSuchKey", "404", "NotFound", "NoSuchVersion"}
_CONDITION_FAILED = {"PreconditionFailed", "412"}
_CONFLICT = {"ConditionalRequestConflict", "409"}
"""Another request about the key was under way. It may yet fail: only the same request again tells whether the condition
holds ("Conditional writes" in the S3 user guide). The SDK does not repeat it."""
_MOST_CONFLICTS = 5
_PARALLEL_REQUESTS = 16
_SMALL_BYTES = 8 * 1024 * 1024
"""Up to this size one request is as fast as several in parallel. boto3 uses several above it."""


class IntakeBucket:
    def __init__(self, *, s3: S3Client, bucket: str) -> None:
        self._s3 = s3
        self.name = bucket

    def read(self, key: str, kind: type[RecordT]) -> RecordT | None:
        """The record at `key`, None if there is none. Raises InvalidRecord."""
        found = self.read_with_etag(key, kind)
        return found[0] if found else None

    def require(self, key: str, kind: type[RecordT]) -> RecordT:
        """As `read`, but raises UnknownRecord if there is none."""
        record = self.read(key, kind)
        if record is None:
            raise UnknownRecord(key)
        return record

    def read_with_etag(self, key: str, kind: type[RecordT]) -> tuple[RecordT, str] | None:
        found = self._read(key, kind)
        return (found[0], found[1]["ETag"]) if found else None

    def read_with_version(self, key: str, kind: type[RecordT]) -> tuple[RecordT, str] | None:
        """The record with the id of its version, for `delete_versions`."""
        found = self._read(key, kind)
        return (found[0], found[1]["VersionId"]) if found else None

    def _read(self, key: str, kind: type[RecordT]) -> tuple[RecordT, GetObjectOutputTypeDef] | None:
        try:
            answer = self._s3.get_object(Bucket=self.name, Key=key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        try:
            return kind.model_validate_json(answer["Body"].read()), answer
        except ValidationError as error:
            raise InvalidRecord(key, f"{error.error_count()} of its members are wrong or missing") from error

    def read_all(self, keys: Iterable[str], kind: type[RecordT]) -> list[RecordT]:
        """The records at `keys`, in their order, read in parallel. Missing ones are left out."""
        with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
            return [record for record in pool.map(lambda key: self.read(key, kind), keys) if record is not None]

    def read_each(self, keys: Iterable[str], kind: type[RecordT]) -> Iterator[RecordT]:
        """As `read_all`, but a few at a time: there may be thousands."""
        rest = iter(keys)
        while some := list(islice(rest, _PARALLEL_REQUESTS)):
            yield from self.read_all(some, kind)

    def write(self, key: str, record: Record) -> None:
        self._s3.put_object(Bucket=self.name, Key=key, Body=record.to_json(), ContentType="application/json")

    def write_once(self, key: str, record: Record) -> bool:
        """Write unless the key exists. False: it does."""
        return self._write_on_condition(key, record, {"IfNoneMatch": "*"})

    def write_if_unchanged(self, key: str, record: Record, etag: str) -> bool:
        """Write if the object still has `etag`. False: it has not."""
        return self._write_on_condition(key, record, {"IfMatch": etag})

    def _write_on_condition(self, key: str, record: Record, condition: dict[str, str]) -> bool:
        return _carried_out(
            lambda: self._s3.put_object(
                Bucket=self.name,
                Key=key,
                Body=record.to_json(),
                ContentType="application/json",
                **condition,  # type: ignore[arg-type]  # one of two string members, which the stubs cannot tell
            )
        )

    def write_text(self, key: str, text: str, *, content_type: str = "text/plain; charset=utf-8") -> None:
        """In UTF-8. A lone surrogate, which UTF-8 cannot hold, is written as its escape."""
        body = text.encode(errors="backslashreplace")
        self._s3.put_object(Bucket=self.name, Key=key, Body=body, ContentType=content_type)

    def write_json(self, key: str, value: Any) -> None:
        """For values that are not records, such as the items of a distributed map."""
        self.write_text(key, json.dumps(value), content_type="application/json")

    def write_bytes(self, key: str, content: bytes) -> None:
        self._s3.put_object(Bucket=self.name, Key=key, Body=content)

    def read_bytes(self, key: str) -> bytes:
        return self._s3.get_object(Bucket=self.name, Key=key)["Body"].read()

    def read_bytes_if_there(self, key: str) -> bytes | None:
        try:
            return self.read_bytes(key)
        except ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise

    def read_bytes_all(self, keys: Iterable[str]) -> Iterator[bytes]:
        """The objects at `keys`, in their order, read in parallel, a few at a time to use little memory."""
        rest = iter(keys)
        with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
            while some := list(islice(rest, _PARALLEL_REQUESTS)):
                yield from pool.map(self.read_bytes, some)

    def upload_file(self, path: Path, key: str) -> None:
        if path.stat().st_size <= _SMALL_BYTES:
            self.write_bytes(key, path.read_bytes())
        else:
            self._s3.upload_file(str(path), self.name, key)

    def download_to(self, key: str, target: BinaryIO, *, version_id: str | None = None) -> None:
        extra = {"VersionId": version_id} if version_id else None
        self._s3.download_fileobj(self.name, key, target, ExtraArgs=extra)

    def open(self, key: str, *, version_id: str | None = None, first_byte: int = 0) -> BinaryIO:
        """The object as a stream, from `first_byte` on. Raises FileNotFoundError if this version does not exist."""
        which: dict[str, Any] = {"VersionId": version_id} if version_id else {}
        if first_byte:
            which["Range"] = f"bytes={first_byte}-"
        try:
            answer = self._s3.get_object(Bucket=self.name, Key=key, **which)
        except ClientError as error:
            if error_code(error) in _MISSING:
                raise FileNotFoundError(key) from error
            raise
        return answer["Body"]  # type: ignore[return-value]  # botocore's StreamingBody reads like a file

    def tags(self) -> dict[str, str]:
        """The bucket's own, without AWS's, which cannot be set elsewhere."""
        try:
            found = self._s3.get_bucket_tagging(Bucket=self.name)["TagSet"]
        except ClientError as error:
            if error_code(error) == "NoSuchTagSet":
                return {}
            raise
        return {tag["Key"]: tag["Value"] for tag in found if not tag["Key"].lower().startswith("aws:")}

    def exists(self, key: str) -> bool:
        return any(found.get("Key") == key for found in self.list(key))

    def list(self, prefix: str) -> Iterator[ObjectTypeDef]:
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix):
            yield from page.get("Contents", [])

    def first_page(self, prefix: str) -> tuple[Sequence[ObjectTypeDef], bool]:
        """The first objects below `prefix`, 1,000 at most, by one request; and whether there are more."""
        answer = self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix)
        return answer.get("Contents", []), answer["IsTruncated"]

    def keys(self, prefix: str) -> Iterator[str]:
        return (found["Key"] for found in self.list(prefix))

    def folders(self, prefix: str) -> Iterator[str]:
        """The names directly below `prefix` (which ends in `/`), without slashes."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=prefix, Delimiter="/")
        for page in pages:
            for found in page.get("CommonPrefixes", []):
                yield found["Prefix"].removeprefix(prefix).rstrip("/")

    def list_versions(self, prefix: str) -> Iterator[tuple[ObjectVersionTypeDef, bool]]:
        """Every version and delete marker below `prefix`; the flag is True for a delete marker."""
        for page in self._s3.get_paginator("list_object_versions").paginate(Bucket=self.name, Prefix=prefix):
            for version in page.get("Versions", []):
                yield version, False
            for marker in page.get("DeleteMarkers", []):
                yield marker, True  # type: ignore[misc]  # the members that are read are in both

    def copy(self, source: str, target: str, *, version_id: str | None = None, size: int | None = None) -> None:
        """Copy an object of any size within S3. Its tags are not copied, because that needs another permission.

        Giving `size`, in bytes, saves a HeadObject, and for a small object the machinery of a multipart copy.
        """
        origin = {"Bucket": self.name, "Key": source} | ({"VersionId": version_id} if version_id else {})
        if size is not None and size <= _SMALL_BYTES:
            self._s3.copy_object(
                CopySource=origin,  # type: ignore[arg-type]  # VersionId is optional
                Bucket=self.name,
                Key=target,
                TaggingDirective="REPLACE",
            )
        else:
            self._s3.copy(origin, self.name, target, ExtraArgs={"TaggingDirective": "REPLACE"})  # type: ignore[arg-type]  # the stubs know no TaggingDirective here

    def copy_all(self, copies: Iterable[tuple[str, str, int]]) -> None:
        """Copy in parallel. Each item has a source, a target and a size in bytes."""
        with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
            for _ in pool.map(lambda copy: self.copy(copy[0], copy[1], size=copy[2]), copies):
                pass

    def concatenate(self, target: str, sources: Sequence[Source], *, head: bytes = b"", content_type: str) -> None:
        """Write `head`, then the sources, as one object of any size, using little memory."""
        self._concatenate(target, sources, head=head, content_type=content_type, condition={})

    def concatenate_if_unchanged(
        self, target: str, sources: Sequence[Source], etag: str | None, *, head: bytes = b"", content_type: str
    ) -> bool:
        """As `concatenate`, if `target` still has `etag`; None: if it does not exist. False: it was written since."""
        condition = {"IfMatch": etag} if etag else {"IfNoneMatch": "*"}
        return _carried_out(
            lambda: self._concatenate(target, sources, head=head, content_type=content_type, condition=condition)
        )

    def _concatenate(
        self, target: str, sources: Sequence[Source], *, head: bytes, content_type: str, condition: dict[str, str]
    ) -> None:
        concatenate(
            s3=self._s3,
            bucket=self.name,
            target=target,
            sources=sources,
            head=head,
            content_type=content_type,
            condition=condition,
        )

    def delete(self, keys: Iterable[str]) -> None:
        """Delete unconditionally: for keys that only the pipeline writes. The bucket is versioned."""
        with ThreadPoolExecutor(_PARALLEL_REQUESTS) as pool:
            for _ in pool.map(lambda key: self._s3.delete_object(Bucket=self.name, Key=key), keys):
                pass

    def delete_if_unchanged(self, key: str, etag: str) -> bool:
        """Add a delete marker if the current version still has `etag`. False: there is a newer version, or none.

        Deleting the version itself would make an older version the current one.
        """
        return _carried_out(lambda: self._s3.delete_object(Bucket=self.name, Key=key, IfMatch=etag))

    def delete_versions(self, key: str, *, before: str | None = None) -> int:
        """Delete versions of an object for good, without a delete marker: this one and those before it; without
        `before`, all that there are. What is written meanwhile stays. Returns how many there were."""
        found = [each for each in self.list_versions(key) if each[0]["Key"] == key]
        versions, markers = (
            [each["VersionId"] for each, is_marker in found if is_marker is which] for which in (False, True)
        )
        if before is not None:
            # The newest comes first.
            versions = versions[versions.index(before) :] if before in versions else []
        # The oldest goes first, so that none of them becomes the current one.
        for version_id in [*reversed(versions), *markers]:
            self._s3.delete_object(Bucket=self.name, Key=key, VersionId=version_id)
        return len(versions)


def _carried_out(request: Callable[[], object]) -> bool:
    """Whether the condition of a request held."""
    conflicts = 0
    while True:
        try:
            request()
        except ClientError as error:
            code = error_code(error)
            if code in _CONDITION_FAILED | _MISSING:
                return False
            conflicts += 1
            if code not in _CONFLICT or conflicts == _MOST_CONFLICTS:
                raise
        else:
            return True
