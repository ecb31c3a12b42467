"""How a client reaches the local cloud: the variables any AWS tool reads, and boto3 sessions."""

from __future__ import annotations

import json
import ssl
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

from local.cloud.errors import LocalCloudError

DEFAULT_ACCOUNT = "123456789012"
DEFAULT_REGION = "us-east-1"
MOST_ACCOUNTS = 9
"""Of those that `up` makes ready; any other 12 digits are an account as well."""

# An access key that is an account's number is the root of that account; the emulator takes no other secret for it.
_ROOT_SECRET = "test"  # noqa: S105 (the emulator's, known to all)


def account_numbers(count: int) -> list[str]:
    """The numbers of so many accounts: 123456789012 (the default one), 234567890123, and so on."""
    return ["".join(str((first + place) % 10) for place in range(1, 13)) for first in range(count)]


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What a caller signs requests with; `session_token` only for a role's session."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """One account and Region of a running local cloud. Each account (any 12 digits) is separate and needs no setup."""

    port: int
    authority: Path
    account: str = DEFAULT_ACCOUNT
    region: str = DEFAULT_REGION

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    @property
    def root_credentials(self) -> Credentials:
        return Credentials(access_key_id=self.account, secret_access_key=_ROOT_SECRET)

    def in_account(self, account: str, *, region: str | None = None) -> Endpoint:
        return replace(self, account=account, region=region or self.region)

    def environment(self) -> dict[str, str]:
        """The variables that point any AWS tool at this account, as its root."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_CA_BUNDLE": str(self.authority),
            "NODE_EXTRA_CA_CERTS": str(self.authority),
            "AWS_ACCESS_KEY_ID": self.root_credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.root_credentials.secret_access_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "localhost,127.0.0.1",
        }

    def session(self, *, role_arn: str | None = None) -> LocalSession:
        """A boto3 session whose clients go to the local cloud.

        As the account's root (which no policy restricts), or as a session of `role_arn`, whose trust policy must let
        the account's root assume it.
        """
        signer = self.root_credentials
        if role_arn is not None:
            sts = LocalSession(endpoint=self, credentials=signer).client("sts")
            granted = sts.assume_role(RoleArn=role_arn, RoleSessionName="local-cloud")["Credentials"]
            signer = Credentials(
                access_key_id=granted["AccessKeyId"],
                secret_access_key=granted["SecretAccessKey"],
                session_token=granted["SessionToken"],
            )
        return LocalSession(endpoint=self, credentials=signer)

    def client(self, service: str, *, role_arn: str | None = None, credentials: Credentials | None = None) -> Any:
        """A boto3 client of `service`; see `session` for whom it acts as. Clients may be shared by threads."""
        if role_arn is not None:
            return self.session(role_arn=role_arn).client(service)
        with _making_clients:
            return _kept_client(self, credentials or self.root_credentials, service)

    def opener(self) -> urllib.request.OpenerDirector:
        """Opens the local cloud's own addresses, whatever proxy the user has."""
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=str(self.authority))),
        )

    def administer(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send an unsigned request to the administration of a local service: `PUT /_local/comprehend/settings`.

        Returns the decoded JSON answer. Raises LocalCloudError with the service's message when it refuses.
        """
        request = urllib.request.Request(  # noqa: S310 - our own HTTPS address
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with self.opener().open(request, timeout=30) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            raise LocalCloudError(f"{method} {path} was refused ({error.code}): {error.read().decode()}") from error
        return json.loads(text) if text else None


# Making a session or a client takes a tenth of a second, and neither may be made by two threads at once.
_making_clients = threading.Lock()


@cache
def _kept_session(endpoint: Endpoint, credentials: Credentials) -> LocalSession:
    return LocalSession(endpoint=endpoint, credentials=credentials)


@cache
def _kept_client(endpoint: Endpoint, credentials: Credentials, service: str) -> Any:
    return _kept_session(endpoint, credentials).client(service)


class LocalSession(boto3.Session):
    """A boto3 session whose clients go to the local cloud without reading the user's configuration."""

    def __init__(self, *, endpoint: Endpoint, credentials: Credentials) -> None:
        core = botocore.session.Session()
        # Nothing of the user's own AWS configuration may leak in: a profile or an endpoint in it would win.
        core.set_config_variable("config_file", "/dev/null")
        core.set_config_variable("credentials_file", "/dev/null")
        core.set_config_variable("ca_bundle", str(endpoint.authority))
        super().__init__(
            aws_access_key_id=credentials.access_key_id,
            aws_secret_access_key=credentials.secret_access_key,
            aws_session_token=credentials.session_token,
            region_name=endpoint.region,
            botocore_session=core,
        )
        self._endpoint_url = endpoint.url

    def client(self, service_name: str, *args: Any, **kwargs: Any) -> Any:
        kwargs.setdefault("endpoint_url", self._endpoint_url)
        kwargs["config"] = Config(proxies={}).merge(kwargs.get("config") or Config())
        return super().client(service_name, *args, **kwargs)  # type: ignore[call-overload]  # one overload for each service
