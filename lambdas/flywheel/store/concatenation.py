"""Concatenates objects into one by a multipart copy within S3. Only small pieces are downloaded and uploaded again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

SMALLEST_PART = 5 * 1024 * 1024
"""Every part of a multipart upload needs this, except the last."""
LARGEST_COPY = 1024**3
"""S3 copies up to 5 GiB in one request; smaller ranges answer sooner."""


@dataclass(frozen=True, kw_only=True)
class Source:
    key: str
    size: int


@dataclass(frozen=True, kw_only=True)
class _Range:
    key: str
    first: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.first

    def header(self) -> str:
        return f"bytes={self.first}-{self.end - 1}"


def concatenate(
    *,
    s3: S3Client,
    bucket: str,
    target: str,
    sources: Sequence[Source],
    head: bytes,
    content_type: str,
    condition: Mapping[str, str],
) -> None:
    """Write `head`, then the sources in their order. Until all is done, readers of `target` get its former version.

    `condition` is what S3 asks about that version: IfMatch or IfNoneMatch, or nothing.

    Pieces below 5 MiB are read into memory and joined, if necessary with the start of the next object, until they
    are large enough for a part; that takes at most 10 MiB. Raises ClientError after aborting the upload. If the
    function is killed, the bucket's lifecycle rule removes the incomplete upload.
    """
    if len(head) + sum(source.size for source in sources) < SMALLEST_PART:
        content = head + b"".join(_read(s3, bucket, _Range(key=one.key, first=0, end=one.size)) for one in sources)
        s3.put_object(Bucket=bucket, Key=target, Body=content, ContentType=content_type, **condition)  # type: ignore[arg-type]  # one of two string members, which the stubs cannot tell
        return
    upload = s3.create_multipart_upload(Bucket=bucket, Key=target, ContentType=content_type)["UploadId"]
    try:
        parts: list[CompletedPartTypeDef] = []
        for piece in _pieces(s3, bucket, sources, head):
            parts.append(_send(s3, bucket, target, upload, len(parts) + 1, piece))
        s3.complete_multipart_upload(
            Bucket=bucket,
            Key=target,
            UploadId=upload,
            MultipartUpload={"Parts": parts},
            **condition,  # type: ignore[arg-type]  # as above
        )
    except Exception:
        # On any error: S3 bills the parts of an incomplete upload until they expire.
        s3.abort_multipart_upload(Bucket=bucket, Key=target, UploadId=upload)
        raise


def _pieces(s3: S3Client, bucket: str, sources: Sequence[Source], head: bytes) -> Iterator[bytes | _Range]:
    """Bytes to upload and ranges to copy, all but the last of them large enough for a part."""
    held = head
    for source in sources:
        first = 0
        if held:
            first = min(source.size, max(0, SMALLEST_PART - len(held)))
            # The rest of the object must be large enough to be copied.
            if source.size - first < SMALLEST_PART:
                first = min(source.size, SMALLEST_PART + first)
            held += _read(s3, bucket, _Range(key=source.key, first=0, end=first))
        elif source.size < SMALLEST_PART:
            first = source.size
            held = _read(s3, bucket, _Range(key=source.key, first=0, end=first))
        if len(held) >= SMALLEST_PART:
            yield held
            held = b""
        for start in _starts(first, source.size):
            yield _Range(key=source.key, first=start[0], end=start[1])
    if held:
        yield held


def _starts(first: int, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of about LARGEST_COPY, the last one large enough for a part."""
    while first < size:
        end = size if size - first < LARGEST_COPY + SMALLEST_PART else first + LARGEST_COPY
        yield first, end
        first = end


def _send(
    s3: S3Client, bucket: str, target: str, upload: str, number: int, piece: bytes | _Range
) -> CompletedPartTypeDef:
    if isinstance(piece, bytes):
        sent = s3.upload_part(Bucket=bucket, Key=target, UploadId=upload, PartNumber=number, Body=piece)
        return {"ETag": sent["ETag"], "PartNumber": number}
    copied = s3.upload_part_copy(
        Bucket=bucket,
        Key=target,
        UploadId=upload,
        PartNumber=number,
        CopySource={"Bucket": bucket, "Key": piece.key},
        CopySourceRange=piece.header(),
    )
    return {"ETag": copied["CopyPartResult"]["ETag"], "PartNumber": number}


def _read(s3: S3Client, bucket: str, piece: _Range) -> bytes:
    if not piece.size:
        return b""
    return s3.get_object(Bucket=bucket, Key=piece.key, Range=piece.header())["Body"].read()
