# ruff: noqa: N803 (parameters have the names S3's operations give them)
"""A folder in the place of S3, for use without any emulator: ``s3://bucket/key`` is the file ``<root>/bucket/key``."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_PAGE = 1000


class FolderStorage:
    """A Storage over a folder; a bucket exists when its folder does. Roles named in ``denied_roles`` are refused."""

    def __init__(self, *, root: Path, denied_roles: frozenset[str] = frozenset()) -> None:
        self._root = root
        self._denied_roles = denied_roles

    def client(self, *, role_arn: str, source_arn: str, account: str, region: str) -> S3Client:  # noqa: ARG002 (a folder knows no roles)
        return cast("S3Client", FolderClient(root=self._root, denied=role_arn in self._denied_roles))


class FolderClient:
    """The operations of an S3 client that the service uses, with their parameters, results and errors."""

    def __init__(self, *, root: Path, denied: bool) -> None:
        self._root = root
        self._denied = denied

    def list_objects_v2(
        self,
        *,
        Bucket: str,
        Prefix: str = "",
        ContinuationToken: str = "",
        MaxKeys: int = _PAGE,
    ) -> dict[str, Any]:
        bucket = self._bucket("ListObjectsV2", Bucket)
        found = ((path.relative_to(bucket).as_posix(), path) for path in bucket.rglob("*") if path.is_file())
        keys = sorted((key, path) for key, path in found if key.startswith(Prefix) and key > ContinuationToken)
        page = keys[: min(MaxKeys, _PAGE)]
        listing: dict[str, Any] = {"KeyCount": len(page), "IsTruncated": len(page) < len(keys)}
        if page:
            listing["Contents"] = [{"Key": key, "Size": path.stat().st_size} for key, path in page]
        if listing["IsTruncated"]:
            listing["NextContinuationToken"] = page[-1][0]
        return listing

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        path = self._path("GetObject", Bucket, Key)
        if not path.is_file():
            raise _error("GetObject", "NoSuchKey", "The specified key does not exist.")
        return {"Body": path.open("rb"), "ContentLength": path.stat().st_size}

    def put_object(self, *, Bucket: str, Key: str, Body: bytes | IO[bytes], **_: str) -> dict[str, Any]:
        path = self._path("PutObject", Bucket, Key)
        if Key.endswith("/"):
            path.mkdir(parents=True, exist_ok=True)
            return {}
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            if isinstance(Body, bytes):
                file.write(Body)
            else:
                shutil.copyfileobj(Body, file)
        return {}

    def _bucket(self, operation: str, name: str) -> Path:
        if self._denied:
            raise _error(operation, "AccessDenied", "Access Denied")
        bucket = self._root / name
        if not bucket.is_dir():
            raise _error(operation, "NoSuchBucket", "The specified bucket does not exist")
        return bucket

    def _path(self, operation: str, bucket_name: str, key: str) -> Path:
        bucket = self._bucket(operation, bucket_name)
        path = bucket / key
        if not path.resolve().is_relative_to(bucket.resolve()):
            raise _error(operation, "AccessDenied", f"The key {key!r} leads out of the bucket's folder.")
        return path


def _error(operation: str, code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)
