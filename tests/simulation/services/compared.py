"""The same calls of boto3 on a service of the simulation and on the emulator's; what they answer, made comparable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import boto3
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from tests.simulation.api import ACCOUNT, REGION, ApiError, Caller, Service

_LEFT_OUT = {
    "ResponseMetadata",
    "Owner",
    "ServerSideEncryption",
    "LastModified",
    "ContinuationToken",
    "LastModifiedDate",
    "EncodingType",
}
"""What is random, or of no interest here. Checksums are left out, too."""
_IDS = {
    "VersionId",
    "CopySourceVersionId",
    "DeleteMarkerVersionId",
    "UploadId",
    "VersionIdMarker",
    "NextVersionIdMarker",
}
_OPAQUE = {"NextContinuationToken", "NextToken", "MessageId"}


def client_of(name: str, service: Service, caller: Caller | None = None) -> Any:
    """A boto3 client that is answered by `service`."""
    client = _session().client(name)  # type: ignore[call-overload]  # one overload for each service
    who = caller or Caller(account=ACCOUNT)

    def ask(operation: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return {**service.answer(operation, parameters, who), "ResponseMetadata": {}}
        except ApiError as error:
            answer: Any = {
                "Error": {"Code": error.code, "Message": error.message},
                "ResponseMetadata": {"HTTPStatusCode": error.status},
                **error.members,
            }
            raise client.exceptions.from_code(error.code)(answer, operation) from error

    client._make_api_call = ask
    return client


@cache
def _session() -> boto3.Session:
    return boto3.Session(aws_access_key_id=ACCOUNT, aws_secret_access_key="test", region_name=REGION)


class Side:
    """One of the two, with the ids that it gave, in their order: the same call names an id by its place."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.ids: list[str] = []

    def ask(self, call: Callable[[Any], Any]) -> Any:
        """What is comparable of the answer; of an error its code and status."""
        try:
            return self.comparable(call(self.client))
        except ClientError as error:
            return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]

    def comparable(self, found: Any, name: str = "") -> Any:
        if isinstance(found, Mapping):
            return {
                member: self.comparable(value, member)
                for member, value in found.items()
                if member not in _LEFT_OUT and not member.startswith("Checksum")
            }
        if isinstance(found, list):
            return [self.comparable(each) for each in found]
        if isinstance(found, StreamingBody):
            return found.read()
        if name == "ContentType" and found == "application/octet-stream":
            # The emulator's default; S3's is documented: API_PutObject, Content-Type.
            return "binary/octet-stream"
        if name in _OPAQUE:
            return bool(found)
        if name in _IDS and found not in {"", "null"}:
            if found not in self.ids:
                self.ids.append(found)
            return self.ids.index(found)
        return found

    def id(self, place: int) -> str:
        return self.ids[place % len(self.ids)] if self.ids else "null"
