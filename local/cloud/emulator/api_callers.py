"""Callers of a REST API from another account: its resource policy and their own policies must both let them.

MiniStack looks for an API only in the account of whoever signs, and finds none.
"""

from __future__ import annotations

import contextvars
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local.cloud.emulator import service_roles
from local.cloud.emulator.ministack import apigateway_v1, app, iam_evaluator, responses, router

Scope = tuple[str, str]

_caller: contextvars.ContextVar[Scope | None] = contextvars.ContextVar("caller", default=None)
"""Account and Region that a request is signed in while it is answered in another account."""


def teach() -> None:
    enforce, identify = app._enforce_execute_api, apigateway_v1._iam_caller_identity

    def enforce_for_both(
        api_id: str,
        stage: str,
        method: str,
        path: str,
        headers: dict[str, str],
        query: Any,
        iam_action: str = "execute-api:Invoke",
    ) -> Any:
        caller = _caller.get()
        if caller is None:
            return enforce(api_id, stage, method, path, headers, query, iam_action)
        if app._execute_api_authorization_type(api_id, stage, method, path) not in (None, "AWS_IAM"):
            return None
        arn = (
            f"arn:aws:execute-api:{router.extract_region(headers, query)}:{responses.get_account_id()}:"
            f"{api_id}/{stage}/{method}/{path.lstrip('/')}"
        )
        with responses.request_scope(*caller):
            access_key = router.extract_access_key_id(headers, query)
            failure = iam_evaluator.check_credentials(access_key)
            refusal = None if failure else _refusal(headers, query, action=iam_action, arn=arn)
        if failure:
            return apigateway_v1.authentication_error_response(api_id, stage, failure, headers, query)
        return refusal

    def identify_caller(headers: dict[str, str], query: Any) -> Any:
        caller = _caller.get()
        if caller is None:
            return identify(headers, query)
        with responses.request_scope(*caller):
            return identify(headers, query)

    app._enforce_execute_api = enforce_for_both
    apigateway_v1._iam_caller_identity = identify_caller


@contextmanager
def called_in(owner: Scope) -> Iterator[None]:
    """Answer a signed request in the account and Region of the API, if another account signed it."""
    signed_in = (responses.get_account_id(), responses.get_region())
    if signed_in[0] == owner[0]:
        yield
        return
    token = _caller.set(signed_in)
    try:
        with responses.request_scope(*owner):
            yield
    finally:
        _caller.reset(token)


def _refusal(headers: dict[str, str], query: Any, *, action: str, arn: str) -> Any:
    """What API Gateway answers a caller who may not do this, None to one who may."""
    try:
        service_roles.check_caller(headers=headers, query=query, action=action, resource=arn)
    except service_roles.AccessDenied as error:
        # API Gateway shows four digits of the account that owns the API.
        shown = re.sub(r"(arn:aws:execute-api:[^:]*):\d{8}", r"\1:********", str(error))
        _, answered, body = service_roles.refused(shown)
        return 403, answered, body
    return None
