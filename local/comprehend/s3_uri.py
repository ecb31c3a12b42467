"""``s3://bucket/key`` and the objects below it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, kw_only=True)
class S3Object:
    bucket: str
    key: str
    size: int


def bucket_and_key(uri: str) -> tuple[str, str]:
    """``s3://bucket/a/b`` as ``("bucket", "a/b")``; the key is empty for a bare bucket."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def name_below(object_: S3Object, uri: str) -> str:
    """The object's key from the folder of the URI on: ``b/c.csv`` for ``s3://bucket/a/b/c.csv`` below
    ``s3://bucket/a/b``, and ``c.csv`` for an object that is the URI itself."""
    _, prefix = bucket_and_key(uri)
    return object_.key[prefix.rfind("/") + 1 :]


def objects(client: S3Client, uri: str) -> Iterator[S3Object]:
    """Every object whose key begins with the URI's key, in the order of keys (a single object is found the same way).

    Empty objects with a key ending in ``/`` are folder marks of consoles, no data, and left out.
    """
    bucket, prefix = bucket_and_key(uri)
    continuation: dict[str, Any] = {}
    while True:
        page = client.list_objects_v2(Bucket=bucket, Prefix=prefix, **continuation)
        for entry in page.get("Contents", []):
            # Some S3 emulators answer sizes as text.
            size = int(entry["Size"])
            if size or not entry["Key"].endswith("/"):
                yield S3Object(bucket=bucket, key=entry["Key"], size=size)
        if not page.get("IsTruncated"):
            return
        continuation = {"ContinuationToken": page["NextContinuationToken"]}
