"""Objects put together on S3's side: every byte once and in order, and no part too small."""

from __future__ import annotations

import itertools

import pytest

from flywheel.store import concatenation
from flywheel.store.bucket import IntakeBucket
from flywheel.store.concatenation import SMALLEST_PART, Source
from tests.pipeline.deployed import Deployment
from tests.pipeline.s3_client import Client
from tests.simulation.functions import FunctionKilled

S, M = SMALLEST_PART, 1024 * 1024


@pytest.fixture
def client() -> Client:
    return Client(Deployment())


@pytest.fixture
def intake(client: Client) -> IntakeBucket:
    client.s3.create_bucket(Bucket="pieces")
    return IntakeBucket(s3=client.s3, bucket="pieces")


def sources(intake: IntakeBucket, sizes: tuple[int, ...]) -> tuple[list[Source], bytes]:
    """Objects of these sizes whose bytes tell where they are from, and all of them."""
    found, whole = [], b""
    for number, size in enumerate(sizes):
        content = (f"{number:03d}." * (size // 4 + 1)).encode()[:size]
        intake.write_bytes(f"source/{number}", content)
        found.append(Source(key=f"source/{number}", size=size))
        whole += content
    return found, whole


def parts_of(client: Client) -> list[int]:
    """The sizes of the parts that were sent or copied."""
    found: list[int] = []
    for _, sent in client.sent:
        if "CopySourceRange" in sent:
            first, last = sent["CopySourceRange"].removeprefix("bytes=").split("-")
            found.append(int(last) - int(first) + 1)
        elif "PartNumber" in sent:
            found.append(len(sent["Body"]))
    return found


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
    intake: IntakeBucket, client: Client, sizes: tuple[int, ...], head: bytes
) -> None:
    given, whole = sources(intake, sizes)
    intake.concatenate("all", given, head=head, content_type="text/plain")
    assert all(size >= S for size in parts_of(client)[:-1])
    assert intake.read_bytes("all") == head + whole


def test_large_objects_are_copied_and_no_part_is_too_large(
    intake: IntakeBucket, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concatenation, "LARGEST_COPY", 2 * S)
    given, whole = sources(intake, (M, 5 * S, M, 6 * S + 1))
    intake.concatenate("all", given, head=b"head", content_type="text/plain")
    assert intake.read_bytes("all") == b"head" + whole
    parts = parts_of(client)
    assert max(parts) < 3 * S
    assert client.requests.count("UploadPartCopy") > len(parts) / 2


def test_until_it_is_whole_readers_see_the_former_object(intake: IntakeBucket, client: Client) -> None:
    given, whole = sources(intake, (S, S, M))
    intake.write_bytes("all", b"former")
    for survives in itertools.count():
        client.begin(survives=survives)
        try:
            intake.concatenate("all", given, content_type="text/plain")
        except FunctionKilled:
            client.begin()
            assert intake.read_bytes("all") == b"former"
        else:
            break
    assert survives > 3
    assert intake.read_bytes("all") == whole


@pytest.mark.parametrize("sizes", [(3,), (S, S, 1)], ids=["one-request", "multipart"])
def test_what_somebody_has_written_since_stays(intake: IntakeBucket, sizes: tuple[int, ...]) -> None:
    given, whole = sources(intake, sizes)
    assert not intake.concatenate_if_unchanged("all", given, '"gone"', content_type="text/plain")
    assert intake.concatenate_if_unchanged("all", given, None, content_type="text/plain")
    (first,) = intake.list("all")
    intake.write_bytes("all", b"newer")
    for etag in (first["ETag"], None):
        assert not intake.concatenate_if_unchanged("all", given, etag, content_type="text/plain")
        assert intake.read_bytes("all") == b"newer"
    (newer,) = intake.list("all")
    assert intake.concatenate_if_unchanged("all", given, newer["ETag"], content_type="text/plain")
    assert intake.read_bytes("all") == whole
