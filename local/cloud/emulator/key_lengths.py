"""S3: a key has at most 1,024 bytes. MiniStack takes any."""

from __future__ import annotations

from typing import Any

from local.cloud.emulator.ministack import s3

_LONGEST_KEY = 1024


def teach() -> None:
    handle = s3.handle_request

    async def handle_request(method: str, path: str, headers: dict[str, str], *rest: Any, **options: Any) -> Any:
        bucket, key = s3._parse_bucket_key(path, headers)
        length = len(key.encode(errors="surrogateescape"))
        if not bucket or length <= _LONGEST_KEY:
            return await handle(method, path, headers, *rest, **options)
        limits = {"Size": str(length), "MaxSizeAllowed": str(_LONGEST_KEY)}
        return s3._error("KeyTooLongError", "Your key is too long", 400, extra=limits)

    s3.handle_request = handle_request
