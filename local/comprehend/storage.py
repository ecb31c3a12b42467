"""S3 as the service reaches it: always in the name of a data-access role."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

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
    is tested. ``verify`` is the certificate bundle of an HTTPS endpoint.
    """

    def __init__(
        self,
        *,
        endpoint_url: str,
        assume_role: bool = False,
        secret_key: str = "test",  # noqa: S107 (the emulator's, known to all)
        verify: str | None = None,
    ) -> None:
        self._endpoint_url = endpoint_url
        self._assume_role = assume_role
        self._secret_key = secret_key
        self._verify = verify

    def client(self, *, role_arn: str, source_arn: str, account: str, region: str) -> S3Client:
        session = boto3.Session(aws_access_key_id=account, aws_secret_access_key=self._secret_key, region_name=region)
        if self._assume_role:
            session = self._assumed(session, role_arn=role_arn, source_arn=source_arn, region=region)
        return session.client(
            "s3",
            endpoint_url=self._endpoint_url,
            verify=self._verify,
            config=Config(
                s3={"addressing_style": "path"},
                retries={"max_attempts": 3, "mode": "standard"},
                # Emulators differ in what they make of trailing checksums.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def _assumed(self, session: boto3.Session, *, role_arn: str, source_arn: str, region: str) -> boto3.Session:
        sts = session.client("sts", endpoint_url=self._endpoint_url, verify=self._verify)
        name = _SESSION_NAME.sub("-", f"comprehend-{source_arn.rsplit(':', maxsplit=1)[-1]}")[:64]
        credentials = sts.assume_role(RoleArn=role_arn, RoleSessionName=name)["Credentials"]
        return boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            region_name=region,
        )
