"""Expecting an API error by its code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from botocore.exceptions import ClientError


class Refusal:
    """The message and HTTP status of the error that was expected, once it came."""

    message = ""
    status = 0


@contextmanager
def refused(code: str) -> Iterator[Refusal]:
    """Expect the block to be answered with this error code."""
    refusal = Refusal()
    with pytest.raises(ClientError) as raised:
        yield refusal
    response = raised.value.response
    assert response["Error"]["Code"] == code, response["Error"]
    refusal.message = response["Error"]["Message"]
    refusal.status = response["ResponseMetadata"]["HTTPStatusCode"]
