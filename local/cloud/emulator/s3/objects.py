"""S3 objects: the length of keys, ranges of versions, copies that must not overwrite."""

from __future__ import annotations

from typing import Any

from local.cloud.emulator.ministack import s3

_LONGEST_KEY = 1024
"""Bytes. MiniStack takes any."""


def teach() -> None:
    _refuse_long_keys()
    _read_ranges_of_versions()
    _refuse_conditional_copies()


def _refuse_long_keys() -> None:
    handle = s3.handle_request

    async def handle_request(method: str, path: str, headers: dict[str, str], *rest: Any, **options: Any) -> Any:
        bucket, key = s3._parse_bucket_key(path, headers)
        length = len(key.encode(errors="surrogateescape"))
        if not bucket or length <= _LONGEST_KEY:
            return await handle(method, path, headers, *rest, **options)
        limits = {"Size": str(length), "MaxSizeAllowed": str(_LONGEST_KEY)}
        return s3._error("KeyTooLongError", "Your key is too long", 400, extra=limits)

    s3.handle_request = handle_request


def _read_ranges_of_versions() -> None:
    """MiniStack answers with all of a version that is named."""
    get_object = s3._get_object

    def get(bucket: str, key: str, headers: dict[str, str], query: dict[str, Any] | None = None) -> Any:
        status, answered, body = get_object(bucket, key, headers, query)
        asked = headers.get("range", "")
        if status != 200 or not asked or not s3._qp(query or {}, "versionId", ""):
            return status, answered, body
        found = s3._parse_range(asked, len(body))
        if found is None:
            refused = {"Content-Type": "application/xml", "Content-Range": f"bytes */{len(body)}"}
            return 416, refused, s3._xml_body(s3._range_error_xml(bucket, key))
        first, last = found
        part = body[first : last + 1]
        # The checksums are those of the whole.
        kept = {name: value for name, value in answered.items() if not name.lower().startswith("x-amz-checksum-")}
        return (
            206,
            {**kept, "Content-Length": str(len(part)), "Content-Range": f"bytes {first}-{last}/{len(body)}"},
            part,
        )

    s3._get_object = get


def _refuse_conditional_copies() -> None:
    """CopyObject with `If-None-Match: *` must not overwrite."""
    copy = s3._copy_object

    def copy_if_absent(bucket: str, key: str, headers: dict[str, str], *rest: Any) -> Any:
        record = (s3._buckets.get(bucket) or {"objects": {}})["objects"].get(key)
        if headers.get("if-none-match") == "*" and record is not None:
            return s3._error(
                "PreconditionFailed",
                "At least one of the pre-conditions you specified did not hold",
                412,
                f"/{bucket}/{key}",
            )
        return copy(bucket, key, headers, *rest)

    s3._copy_object = copy_if_absent
