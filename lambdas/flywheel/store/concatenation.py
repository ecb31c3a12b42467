"""Puts objects of a bucket together to one, on S3's side: their bytes pass through here only where pieces are small."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

SMALLEST_PART = 5 * 1024 * 1024
"""Of a multipart upload, but for its last part."""
LARGEST_COPY = 1024**3
"""S3 copies up to 5 GiB at once; smaller ranges answer sooner."""


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
    *, s3: S3Client, bucket: str, target: str, sources: Sequence[Source], head: bytes, content_type: str
) -> None:
    """`head`, then the sources in their order. Whoever reads `target` sees the former object until all is done.

    S3 wants 5 MiB of every part but the last: what is smaller is read and collected until it is enough, with the
    beginning of the next object if need be. Nothing more than 10 MiB is held. Raises ClientError; then the upload is
    aborted, and the bucket's lifecycle removes one that a killed function leaves.
    """
    if len(head) + sum(source.size for source in sources) < SMALLEST_PART:
        content = head + b"".join(_read(s3, bucket, _Range(key=one.key, first=0, end=one.size)) for one in sources)
        s3.put_object(Bucket=bucket, Key=target, Body=content, ContentType=content_type)
        return
    upload = s3.create_multipart_upload(Bucket=bucket, Key=target, ContentType=content_type)["UploadId"]
    try:
        parts: list[CompletedPartTypeDef] = []
        for piece in _pieces(s3, bucket, sources, head):
            parts.append(_send(s3, bucket, target, upload, len(parts) + 1, piece))
        s3.complete_multipart_upload(Bucket=bucket, Key=target, UploadId=upload, MultipartUpload={"Parts": parts})
    except Exception:
        # Whatever it was, it is raised again: parts that nobody completes are billed until they expire.
        s3.abort_multipart_upload(Bucket=bucket, Key=target, UploadId=upload)
        raise


def _pieces(s3: S3Client, bucket: str, sources: Sequence[Source], head: bytes) -> Iterator[bytes | _Range]:
    """Bytes to upload and ranges to copy, none but the last too small."""
    held = head
    for source in sources:
        first = 0
        if held:
            first = min(source.size, max(0, SMALLEST_PART - len(held)))
            # What is left of it must be large enough to be copied.
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
    """Ranges of at most LARGEST_COPY, the last one not too small."""
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
