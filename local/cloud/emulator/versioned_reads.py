"""S3: a range of a version that is named. MiniStack answers with all of it."""

from __future__ import annotations

from typing import Any

from local.cloud.emulator.ministack import s3


def teach() -> None:
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
