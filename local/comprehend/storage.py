"""S3 as the service reaches it: always in the name of a data-access role, by URIs such as ``s3://bucket/key``."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Storage(Protocol):
    """Where the service gets its S3 clients from.

    It uses ``list_objects_v2``, ``get_object`` and ``put_object`` only, and expects ``botocore.exceptions.ClientError``
    for a refusal (AccessDenied, NoSuchBucket, NoSuchKey).
    """

    def client(self, *, role_arn: str, source_arn: str, account: str, region: str) -> S3Client:
        """A client that acts as ``role_arn`` on behalf of the Comprehend resource ``source_arn``.

        ``account`` and ``source_arn`` are the values of ``aws:SourceAccount`` and ``aws:SourceArn`` in the role's
        trust policy.
        """


@dataclass(frozen=True, kw_only=True)
class S3Object:
    bucket: str
    key: str
    size: int

    def download(self, client: S3Client, path: Path) -> None:
        body = client.get_object(Bucket=self.bucket, Key=self.key)["Body"]
        with path.open("wb") as file:
            shutil.copyfileobj(body, file)


def bucket_and_key(uri: str) -> tuple[str, str]:
    """``s3://bucket/a/b`` as ``("bucket", "a/b")``; the key is empty for a bare bucket."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def encrypted_with(kms_key_id: str | None) -> dict[str, Any]:
    """The parameters of PutObject for an object that this key encrypts, or none."""
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key_id} if kms_key_id else {}


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
