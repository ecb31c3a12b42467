"""Every operation of the API is carried out or refused by its name."""

from __future__ import annotations

import json

import pytest

from local.comprehend.http.wire import handle_http
from local.comprehend.requests.contract import TARGET_PREFIX, service_model
from tests.contract.comprehend_world import ACCOUNT, REGION, World

NOT_PROVIDED = sorted(
    name
    for name in service_model().operation_names
    if any(
        word in name
        for word in (
            *("Batch", "Contains", "Classify" + "Pii", "DominantLanguage", "Events", "KeyPhrases"),
            *("Pii", "Sentiment", "Syntax", "Topics", "Toxic"),
        )
    )
)


@pytest.mark.parametrize("operation", service_model().operation_names)
def test_it_is_known(world: World, operation: str) -> None:
    headers = {"X-Amz-Target": f"{TARGET_PREFIX}.{operation}"}
    status, _, body = handle_http(world.service, headers, b"{}", ACCOUNT, REGION)
    answer = json.loads(body)
    if operation in NOT_PROVIDED:
        assert (status, answer["__type"]) == (400, "UnknownOperationException")
        assert answer["Message"] == f"{operation} is not provided by this local Comprehend service."
    elif status != 200:
        assert (status, answer["__type"]) == (400, "InvalidRequestException")
