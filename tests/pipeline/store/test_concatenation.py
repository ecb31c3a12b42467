"""Objects put together on S3's side: every byte once and in order, and no part too small."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from flywheel.store import concatenation
from flywheel.store.bucket import IntakeBucket
from flywheel.store.concatenation import SMALLEST_PART, Source
from tests.pipeline.in_process_cloud import Killed, in_process_cloud

_numbers = itertools.count(1)
S, M = SMALLEST_PART, 1024 * 1024


@pytest.fixture
def intake() -> IntakeBucket:
    cloud = in_process_cloud()
    cloud.kills.reset()
    name = f"pieces-{next(_numbers)}"
    cloud.clients["s3"].create_bucket(Bucket=name)
    return IntakeBucket(s3=cloud.functions_clients["s3"], bucket=name)


def sources(intake: IntakeBucket, sizes: tuple[int, ...]) -> tuple[list[Source], bytes]:
    """Objects of these sizes whose bytes tell where they are from, and all of them."""
    found, whole = [], b""
    for number, size in enumerate(sizes):
        content = (f"{number:03d}." * (size // 4 + 1)).encode()[:size]
        intake.write_bytes(f"source/{number}", content)
        found.append(Source(key=f"source/{number}", size=size))
        whole += content
    return found, whole


@pytest.fixture
def parts() -> Iterator[list[int]]:
    """The sizes of the parts that are sent or copied."""
    s3: Any = in_process_cloud().functions_clients["s3"]
    found: list[int] = []

    def note(params: dict[str, Any], **_: Any) -> None:
        if "CopySourceRange" in params:
            first, last = params["CopySourceRange"].removeprefix("bytes=").split("-")
            found.append(int(last) - int(first) + 1)
        else:
            found.append(len(params["Body"]))

    operations = [f"provide-client-params.s3.{name}" for name in ("UploadPart", "UploadPartCopy")]
    for operation in operations:
        s3.meta.events.register(operation, note)
    yield found
    for operation in operations:
        s3.meta.events.unregister(operation, note)


@pytest.mark.parametrize("head", [b"", b"file,line\n"])
@pytest.mark.parametrize(
    "sizes",
    [
        (),
        (0,),
        (3, 0, 4),
        (S,),
        (S - 1, 1),
        (S, S, 1),
        (S + 1, M, S + 1, 2),
        (M, S, 3, M, S),
        (M,) * 12,
        (M, S + M, 2 * S - 1, M, 3 * S, M),
    ],
)
def test_everything_is_there_once_and_in_order(
    intake: IntakeBucket, parts: list[int], sizes: tuple[int, ...], head: bytes
) -> None:
    given, whole = sources(intake, sizes)
    intake.concatenate("all", given, head=head, content_type="text/plain")
    assert all(size >= S for size in parts[:-1])
    assert intake.read_bytes("all") == head + whole


def test_large_objects_are_copied_and_no_part_is_too_large(
    intake: IntakeBucket, parts: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concatenation, "LARGEST_COPY", 2 * S)
    given, whole = sources(intake, (M, 5 * S, M, 6 * S + 1))
    intake.concatenate("all", given, head=b"head", content_type="text/plain")
    assert intake.read_bytes("all") == b"head" + whole
    assert max(parts) < 3 * S
    assert in_process_cloud().kills.requests.count("UploadPartCopy") > len(parts) / 2


def test_until_it_is_whole_readers_see_the_former_object(intake: IntakeBucket) -> None:
    given, whole = sources(intake, (S, S, M))
    intake.write_bytes("all", b"former")
    kills = in_process_cloud().kills
    for after in itertools.count():
        kills.reset(after=after)
        try:
            intake.concatenate("all", given, content_type="text/plain")
        except Killed:
            kills.reset()
            assert intake.read_bytes("all") == b"former"
        else:
            break
    assert after > 3
    assert intake.read_bytes("all") == whole
