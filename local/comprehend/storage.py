"""S3 as the service reaches it: always in the name of a data-access role, by URIs such as ``s3://bucket/key``."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

_SESSION_NAME = re.compile(r"[^\w+=,.@-]")


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


class EndpointStorage:
    """boto3 against an S3 endpoint.

    With ``assume_role`` the role is assumed through STS at the same endpoint, signed with the account id as access key
    (the custom of AWS emulators); without, requests are signed so without assuming anything and no policy of the role
    is tested.
    """

    def __init__(self, *, endpoint_url: str, assume_role: bool = False) -> None:
        self._endpoint_url = endpoint_url
        self._assume_role = assume_role

    def client(self, *, role_arn: str, source_arn: str, account: str, region: str) -> S3Client:
        secret = "test"  # noqa: S105 (the emulator's, known to all)
        session = boto3.Session(aws_access_key_id=account, aws_secret_access_key=secret, region_name=region)
        if self._assume_role:
            session = self._assumed(session, role_arn=role_arn, source_arn=source_arn, region=region)
        return session.client(
            "s3",
            endpoint_url=self._endpoint_url,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"max_attempts": 3, "mode": "standard"},
                # Emulators differ in what they make of trailing checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def _assumed(self, session: boto3.Session, *, role_arn: str, source_arn: str, region: str) -> boto3.Session:
        sts = session.client("sts", endpoint_url=self._endpoint_url)
        name = _SESSION_NAME.sub("-", f"comprehend-{source_arn.rsplit(':', maxsplit=1)[-1]}")[:64]
        credentials = sts.assume_role(RoleArn=role_arn, RoleSessionName=name)["Credentials"]
        return boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            region_name=region,
        )


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
