"""Tells errors of preparing an upload apart: those that the upload itself causes, temporary ones, and others."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable
from typing import BinaryIO

from boto3.exceptions import Boto3Error
from botocore.exceptions import BotoCoreError, ClientError
from urllib3.exceptions import HTTPError

from flywheel.faults.errors import FlywheelError
from flywheel.faults.service_faults import error_code, passes

_CALLS_SHOWN = 20
_CAUSES_SHOWN = 5


class UnreadableUpload(Exception):
    """S3 refuses to return the object to the pipeline. The message says why, and what to do."""


class OutOfTime(Exception):
    """The function's time is nearly over."""


def why_unreadable(error: ClientError) -> str | None:
    """A sentence if GetObject failed because of the object itself (S3's list of error codes), None for other errors."""
    code = error_code(error)
    if code == "InvalidObjectState":
        return (
            "It is archived (storage class GLACIER or DEEP_ARCHIVE, or an archive tier): restore it and copy it over "
            "itself in the storage class STANDARD, or upload it again."
        )
    if code == "InvalidRequest":
        return "It is encrypted with a key that only its uploader has (SSE-C): upload it again without."
    if code == "AccessDenied":
        return (
            "The pipeline may not read it, most likely because it is encrypted with another KMS key than the bucket's: "
            "upload it again without naming a key, or let the role of prepare_upload decrypt with it."
        )
    if code.startswith("KMS.") and "Throttl" not in code:
        return f"Its KMS key cannot be used ({code}): upload it again without naming a key, or mend the key."
    return None


def is_fault_of_upload(error: Exception) -> bool:
    """Whether preparing this upload would raise the error again, and preparing others would not.

    Errors of AWS's services and of the pipeline's own types are temporary, or faults of the deployment. All others mean
    that the code cannot handle the file.
    """
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return True
    return not isinstance(error, ClientError | BotoCoreError | Boto3Error | HTTPError | OSError | FlywheelError)


def is_temporary(error: Exception) -> bool:
    """Whether another attempt may succeed: AWS did not answer, throttled, or had a fault of its own."""
    if isinstance(error, Boto3Error) and isinstance(error.__context__, Exception):
        return is_temporary(error.__context__)
    return passes(error) or isinstance(error, BotoCoreError | HTTPError | OSError)


def trace_of(error: BaseException) -> list[str]:
    """Types and stack frames of an error and its causes, for the log. Without messages, which may quote a document."""
    lines: list[str] = []
    current: BaseException | None = error
    for _ in range(_CAUSES_SHOWN):
        if current is None:
            break
        lines.append(f"{type(current).__module__}.{type(current).__qualname__}")
        calls = traceback.extract_tb(current.__traceback__)[-_CALLS_SHOWN:]
        lines += [f"{call.filename}:{call.lineno} in {call.name}" for call in calls]
        current = current.__cause__ or current.__context__
    return lines


class TimedStream:
    """A stream whose `read` raises OutOfTime when less than `reserve` seconds remain."""

    def __init__(self, stream: BinaryIO, *, remaining: Callable[[], float], reserve: float) -> None:
        self._stream = stream
        self._remaining = remaining
        self._reserve = reserve

    def read(self, size: int = -1) -> bytes:
        if self._remaining() < self._reserve:
            raise OutOfTime
        return self._stream.read(size)

    def close(self) -> None:
        self._stream.close()
