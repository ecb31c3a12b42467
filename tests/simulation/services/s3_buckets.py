"""What S3 keeps: buckets, the versions of their objects, and what it says when one of them comes or goes."""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left, insort
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.simulation.api import REGION, ApiError, Caller
from tests.simulation.kernel import Kernel

NULL = "null"
"""The id of a version that was written while the bucket was not versioned."""
OF_NOTHING = f'"{hashlib.md5(b"", usedforsecurity=False).hexdigest()}"'


@dataclass(kw_only=True, slots=True, eq=False)
class Version:
    """Of an object, or a delete marker. `etag` stands in quotes, as in answers."""

    key: str
    version_id: str
    number: int
    """Later ones have higher numbers."""
    modified: datetime
    """In UTC, whole seconds."""
    body: bytes = b""
    etag: str = OF_NOTHING
    content_type: str = "binary/octet-stream"
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    is_marker: bool = False


@dataclass(kw_only=True, frozen=True, slots=True)
class ObjectEvent:
    """What S3 tells EventBridge. `etag` has no quotes there."""

    account: str
    """Of the bucket."""
    requester: str
    """The account that asked."""
    bucket: str
    key: str
    size: int
    etag: str
    version_id: str | None
    """None if the bucket is not versioned."""
    sequencer: str
    """Text of which the order is that of the events of a key."""
    reason: str
    """PutObject, CopyObject, CompleteMultipartUpload or DeleteObject."""
    detail_type: str
    """Object Created or Object Deleted."""
    deletion_type: str | None = None

    @property
    def detail(self) -> dict[str, Any]:
        """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""
        found: dict[str, Any] = {"key": self.key, "etag": self.etag, "sequencer": self.sequencer}
        if self.deletion_type is None:
            found["size"] = self.size
        if self.version_id is not None:
            found["version-id"] = self.version_id
        detail = {
            "version": "0",
            "bucket": {"name": self.bucket},
            "object": found,
            "request-id": self.sequencer[:16],
            "requester": self.requester,
            "source-ip-address": "192.0.2.1",
            "reason": self.reason,
        }
        return detail if self.deletion_type is None else {**detail, "deletion-type": self.deletion_type}


class Bucket:
    def __init__(self, name: str, account: str) -> None:
        self.name = name
        self.account = account
        self.versioned = False
        self.tags: dict[str, str] = {}
        self.allowed = {account}
        self.stacks: dict[str, list[Version]] = {}
        """The versions of each key, the newest last."""
        # S3 lists by the bytes of UTF-8, and so does Python compare text.
        self.keys: list[str] = []
        """All that have a version or a delete marker, in order."""
        self.live: list[str] = []
        """Those whose newest version is no delete marker, in order."""

    def latest(self, key: str) -> Version | None:
        """It may be a delete marker."""
        stack = self.stacks.get(key)
        return stack[-1] if stack else None

    def current(self, key: str) -> Version | None:
        stack = self.stacks.get(key)
        return stack[-1] if stack and not stack[-1].is_marker else None

    def version(self, key: str, version_id: str) -> Version | None:
        for version in self.stacks.get(key, ()):
            if version.version_id == version_id:
                return version
        return None

    def shown(self, version: Version) -> str | None:
        """The id that answers give: none before versioning was switched on."""
        return version.version_id if self.versioned else None

    def put(self, version: Version) -> None:
        key = version.key
        was_live = self.current(key) is not None
        stack = self.stacks.get(key)
        if stack is None:
            stack = self.stacks[key] = []
            insort(self.keys, key)
        if version.version_id == NULL:
            stack[:] = [each for each in stack if each.version_id != NULL]
        stack.append(version)
        self._keep_live(key, was_live)

    def remove(self, version: Version) -> None:
        key = version.key
        was_live = self.current(key) is not None
        stack = self.stacks[key]
        stack.remove(version)
        if not stack:
            del self.stacks[key]
            del self.keys[bisect_left(self.keys, key)]
        self._keep_live(key, was_live)

    def _keep_live(self, key: str, was_live: bool) -> None:
        is_live = self.current(key) is not None
        if is_live and not was_live:
            insort(self.live, key)
        elif was_live and not is_live:
            del self.live[bisect_left(self.live, key)]


class Buckets:
    """Of all accounts: their names are one space."""

    def __init__(self, kernel: Kernel, on_event: Callable[[ObjectEvent], None] | None) -> None:
        self._kernel = kernel
        self._on_event = on_event
        self._buckets: dict[str, Bucket] = {}
        self._count = 0
        self._second = (0, datetime.fromtimestamp(0, UTC))

    def create(self, name: str, caller: Caller) -> Bucket:
        found = self._buckets.get(name)
        if found is None:
            found = self._buckets[name] = Bucket(name, caller.account)
        # In us-east-1 one's own bucket can be created again, which changes nothing.
        elif found.account != caller.account or REGION != "us-east-1":
            raise ApiError(
                "BucketAlreadyExists",
                "The requested bucket name is not available. The bucket namespace is shared by all users of the "
                "system. Please select a different name and try again.",
                status=409,
            )
        return found

    def delete(self, bucket: Bucket) -> None:
        if bucket.keys:
            message = "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
            raise ApiError("BucketNotEmpty", message, status=409)
        del self._buckets[bucket.name]

    def of(self, name: str) -> Bucket:
        """For claims, whoever's it is. Raises KeyError."""
        return self._buckets[name]

    def find(self, name: str, caller: Caller) -> Bucket:
        """Raises ApiError NoSuchBucket and AccessDenied."""
        bucket = self._buckets.get(name)
        if bucket is None:
            raise ApiError("NoSuchBucket", "The specified bucket does not exist", status=404)
        if caller.account not in bucket.allowed:
            raise ApiError("AccessDenied", "Access Denied", status=403)
        return bucket

    def add(self, bucket: Bucket, key: str, caller: Caller, *, reason: str, **members: Any) -> Version:
        """A new object, or a new version of it. `members` are those of Version."""
        version = self._new(bucket, key, members)
        bucket.put(version)
        self._tell(bucket, version, caller, reason=reason)
        return version

    def mark_deleted(self, bucket: Bucket, key: str, caller: Caller) -> Version:
        marker = self._new(bucket, key, {"is_marker": True})
        bucket.put(marker)
        self._tell(bucket, marker, caller, reason="DeleteObject", deletion="Delete Marker Created")
        return marker

    def remove(self, bucket: Bucket, version: Version, caller: Caller) -> None:
        bucket.remove(version)
        self._tell(bucket, version, caller, reason="DeleteObject", deletion="Permanently Deleted")

    def now(self) -> datetime:
        """In whole seconds, as S3 gives times."""
        second = int(self._kernel.now)
        if self._second[0] != second:
            self._second = (second, datetime.fromtimestamp(second, UTC))
        return self._second[1]

    def new_id(self) -> str:
        """Of a version or an upload: opaque, as S3's, but for the number at its end."""
        self._count += 1
        digest = hashlib.blake2b(str(self._count).encode(), digest_size=18).digest()
        return f"{base64.b64encode(digest, b'._').decode()}{self._count:08}"

    def _new(self, bucket: Bucket, key: str, members: Mapping[str, Any]) -> Version:
        version_id = self.new_id()
        return Version(
            key=key,
            number=self._count,
            version_id=version_id if bucket.versioned else NULL,
            modified=self.now(),
            **members,
        )

    def _tell(
        self, bucket: Bucket, version: Version, caller: Caller, *, reason: str, deletion: str | None = None
    ) -> None:
        if self._on_event is None:
            return
        self._count += 1
        self._on_event(
            ObjectEvent(
                account=bucket.account,
                requester=caller.account,
                bucket=bucket.name,
                key=version.key,
                size=len(version.body),
                etag=version.etag.strip('"'),
                version_id=bucket.shown(version),
                sequencer=f"{0x0069_0000_0000_0000_00 + self._count:018X}",
                reason=reason,
                detail_type="Object Deleted" if deletion else "Object Created",
                deletion_type=deletion,
            )
        )


def number_of(version_id: str) -> int | None:
    """Of a version that may be deleted by now; None if the id does not say."""
    return int(version_id[-8:]) if version_id[-8:].isdecimal() else None
