"""What the simulation's S3 does that the comparison with the emulator leaves out."""

from __future__ import annotations

import hashlib
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from flywheel.store.bucket import IntakeBucket
from flywheel.store.concatenation import Source
from tests.simulation.api import ACCOUNT, IMPORTER, Caller
from tests.simulation.kernel import BEGINNING, Kernel
from tests.simulation.services.compared import client_of
from tests.simulation.services.s3 import S3, ObjectEvent
from tests.simulation.services.s3_uploads import SMALLEST_PART

BUCKET = "intake"
LARGE = bytes(range(256)) * (SMALLEST_PART // 128)
"""Two parts."""
ONE_AFTER_ANOTHER = TransferConfig(
    multipart_threshold=SMALLEST_PART, multipart_chunksize=SMALLEST_PART, use_threads=False
)


class World:
    def __init__(self) -> None:
        self.kernel = Kernel(1)
        self.events: list[ObjectEvent] = []
        self.service = S3(self.kernel, on_event=self.events.append)
        self.s3 = client_of("s3", self.service)
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def code(self, operation: str, client: Any = None, **parameters: Any) -> str:
        """Of the error."""
        with pytest.raises(ClientError) as refused:
            getattr(client or self.s3, operation)(Bucket=BUCKET, **parameters)
        code: str = refused.value.response["Error"]["Code"]
        return code


@pytest.fixture
def world() -> World:
    return World()


def test_times_are_the_kernels_in_whole_seconds(world: World) -> None:
    world.kernel.run_until(BEGINNING + 61.9)
    world.s3.put_object(Bucket=BUCKET, Key="a")
    wanted = datetime(2026, 1, 1, 0, 1, 1, tzinfo=UTC)
    assert world.s3.head_object(Bucket=BUCKET, Key="a")["LastModified"] == wanted
    assert world.s3.list_objects_v2(Bucket=BUCKET)["Contents"][0]["LastModified"] == wanted


def test_two_runs_give_the_same_ids_and_events() -> None:
    def run() -> tuple[list[str], list[dict[str, Any]]]:
        world = World()
        ids = [world.s3.put_object(Bucket=BUCKET, Key="a", Body=str(number))["VersionId"] for number in range(20)]
        return ids, [event.detail for event in world.events]

    ids, events = run()
    assert (ids, events) == run()
    assert len(set(ids)) == len(ids)
    # Nothing can rely on the order of ids, but sequencers have that of the events.
    assert sorted(ids) != ids
    sequencers = [event["object"]["sequencer"] for event in events]
    assert sorted(sequencers) == sequencers


def test_what_is_created_or_deleted_is_told(world: World) -> None:
    first = world.s3.put_object(Bucket=BUCKET, Key="a", Body="text")
    world.s3.copy_object(Bucket=BUCKET, Key="b", CopySource=f"{BUCKET}/a?versionId={first['VersionId']}")
    world.s3.upload_fileobj(io.BytesIO(LARGE), BUCKET, "c", Config=ONE_AFTER_ANOTHER)
    marker = world.s3.delete_object(Bucket=BUCKET, Key="a")
    world.s3.delete_object(Bucket=BUCKET, Key="a", VersionId=first["VersionId"])
    # None of these changes anything.
    world.s3.delete_object(Bucket=BUCKET, Key="a", VersionId=first["VersionId"])
    assert world.code("put_object", Key="b", IfNoneMatch="*") == "PreconditionFailed"
    md5 = hashlib.md5(b"text", usedforsecurity=False).hexdigest()
    told = [(each.key, each.detail_type, each.reason, each.size, each.deletion_type) for each in world.events]
    assert told == [
        ("a", "Object Created", "PutObject", 4, None),
        ("b", "Object Created", "CopyObject", 4, None),
        ("c", "Object Created", "CompleteMultipartUpload", len(LARGE), None),
        ("a", "Object Deleted", "DeleteObject", 0, "Delete Marker Created"),
        ("a", "Object Deleted", "DeleteObject", 4, "Permanently Deleted"),
    ]
    assert world.events[0].detail["object"] | {"sequencer": ""} == {
        "key": "a",
        "size": 4,
        "etag": md5,
        "version-id": first["VersionId"],
        "sequencer": "",
    }
    assert world.events[3].version_id == marker["VersionId"]
    assert world.events[3].account == ACCOUNT


def test_the_transfer_manager_sends_and_gets_files_of_any_size(world: World, tmp_path: Path) -> None:
    for name, content in (("small", b"few"), ("large", LARGE)):
        path = tmp_path / name
        path.write_bytes(content)
        world.s3.upload_file(str(path), BUCKET, name, Config=ONE_AFTER_ANOTHER, ExtraArgs={"ContentType": "text/csv"})
        world.s3.copy(
            {"Bucket": BUCKET, "Key": name},
            BUCKET,
            f"{name} copy",
            Config=ONE_AFTER_ANOTHER,
            ExtraArgs={"TaggingDirective": "REPLACE"},
        )
        for key in (name, f"{name} copy"):
            got = io.BytesIO()
            world.s3.download_fileobj(BUCKET, key, got, Config=ONE_AFTER_ANOTHER)
            assert got.getvalue() == content
    assert world.s3.head_object(Bucket=BUCKET, Key="large")["ContentType"] == "text/csv"
    digests = b"".join(
        hashlib.md5(LARGE[first : first + SMALLEST_PART], usedforsecurity=False).digest()
        for first in range(0, len(LARGE), SMALLEST_PART)
    )
    etag = f'"{hashlib.md5(digests, usedforsecurity=False).hexdigest()}-2"'
    assert world.s3.head_object(Bucket=BUCKET, Key="large")["ETag"] == etag
    # The emulator's copy keeps it; one request's copy is no multipart object.
    world.s3.copy_object(Bucket=BUCKET, Key="in one part", CopySource=f"{BUCKET}/large")
    of_content = f'"{hashlib.md5(LARGE, usedforsecurity=False).hexdigest()}"'
    assert world.s3.head_object(Bucket=BUCKET, Key="in one part")["ETag"] == of_content


def test_the_pipelines_own_concatenation_works(world: World) -> None:
    intake = IntakeBucket(s3=world.s3, bucket=BUCKET)
    pieces = {"one": b"1" * (SMALLEST_PART + 7), "two": b"2" * 100, "three": b"3" * (SMALLEST_PART * 2)}
    for key, content in pieces.items():
        intake.write_bytes(key, content)
    sources = [Source(key=key, size=len(content)) for key, content in pieces.items()]
    intake.concatenate("all", sources, head=b"head", content_type="text/plain")
    assert intake.read_bytes("all") == b"head" + b"".join(pieces.values())
    assert world.events[-1].reason == "CompleteMultipartUpload"


def test_parts_are_checked_and_a_lost_answer_is_repeated(world: World) -> None:
    place = {"Key": "a", "UploadId": world.s3.create_multipart_upload(Bucket=BUCKET, Key="a")["UploadId"]}
    parts = [
        {
            "PartNumber": number,
            "ETag": world.s3.upload_part(Bucket=BUCKET, PartNumber=number, Body=body, **place)["ETag"],
        }
        for number, body in ((1, LARGE), (2, b"x"), (3, b"y"))
    ]

    def code(*named: dict[str, Any], **condition: str) -> str:
        return world.code("complete_multipart_upload", MultipartUpload={"Parts": list(named)}, **place, **condition)

    assert code() == "MalformedXML"
    assert code(parts[1], parts[0]) == "InvalidPartOrder"
    assert code(parts[0], {"PartNumber": 9, "ETag": '"x"'}) == "InvalidPart"
    # The emulator takes it; https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html.
    assert code(*parts) == "EntityTooSmall"
    assert code(*parts[:2], IfMatch='"x"') == "NoSuchKey"
    world.s3.put_object(Bucket=BUCKET, Key="a")
    assert code(*parts[:2], IfNoneMatch="*") == "PreconditionFailed"
    complete = {"Bucket": BUCKET, "MultipartUpload": {"Parts": parts[:2]}, **place}
    done = world.s3.complete_multipart_upload(**complete)
    assert world.s3.complete_multipart_upload(**complete) == done
    assert len(world.service.versions(BUCKET, "a")) == 2
    assert world.code("upload_part", PartNumber=1, Body=b"", **place) == "NoSuchUpload"
    assert world.code("abort_multipart_upload", **place) == "NoSuchUpload"


def test_parts_can_be_ranges_of_large_objects_only(world: World) -> None:
    world.s3.put_object(Bucket=BUCKET, Key="large", Body=LARGE)
    world.s3.put_object(Bucket=BUCKET, Key="small", Body=b"few")
    place = {"Key": "a", "UploadId": world.s3.create_multipart_upload(Bucket=BUCKET, Key="a")["UploadId"]}

    def code(key: str, asked: str) -> str:
        source = {"Bucket": BUCKET, "Key": key}
        return world.code("upload_part_copy", PartNumber=1, CopySource=source, CopySourceRange=asked, **place)

    assert code("small", "bytes=0-1") == "InvalidRequest"
    assert code("large", f"bytes=0-{len(LARGE)}") == "InvalidArgument"
    assert code("large", "bytes=0-") == "InvalidArgument"
    assert code("none", "bytes=0-1") == "NoSuchKey"


def test_a_copy_onto_itself_has_to_change_something(world: World) -> None:
    """The emulator copies it: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html."""
    older = world.s3.put_object(Bucket=BUCKET, Key="a", Body="older", Tagging="one=1")["VersionId"]
    world.s3.put_object(Bucket=BUCKET, Key="a", Body="newer")
    itself = {"Bucket": BUCKET, "Key": "a"}
    assert world.code("copy_object", Key="a", CopySource=itself) == "InvalidRequest"
    world.s3.copy_object(Bucket=BUCKET, Key="a", CopySource={**itself, "VersionId": older})
    found = world.s3.get_object(Bucket=BUCKET, Key="a")
    assert (found["Body"].read(), found["TagCount"]) == (b"older", 1)
    world.s3.copy_object(
        Bucket=BUCKET, Key="a", CopySource=itself, MetadataDirective="REPLACE", TaggingDirective="REPLACE"
    )
    assert "TagCount" not in world.s3.head_object(Bucket=BUCKET, Key="a")
    # The emulator looks at no IfMatch of a copy.
    assert world.code("copy_object", Key="a", CopySource=f"{BUCKET}/a", IfMatch='"x"') == "PreconditionFailed"


def test_a_bucket_is_its_accounts_until_another_is_let_in(world: World) -> None:
    world.s3.put_object(Bucket=BUCKET, Key="a", Body="text")
    other = client_of("s3", world.service, Caller(account=IMPORTER))
    assert world.code("get_object", client=other, Key="a") == "AccessDenied"
    assert world.code("head_object", client=other, Key="a") == "403"
    other.create_bucket(Bucket="theirs")
    world.service.allow(BUCKET, IMPORTER)
    other.copy_object(Bucket="theirs", Key="b", CopySource={"Bucket": BUCKET, "Key": "a"})
    found = world.service.object("theirs", "b")
    assert found is not None
    assert found.body == b"text"
    with pytest.raises(ClientError, match="BucketAlreadyExists"):
        world.s3.create_bucket(Bucket="theirs")


def test_pages_can_be_short_and_go_on_when_their_end_was_deleted(world: World) -> None:
    intake = IntakeBucket(s3=world.s3, bucket=BUCKET)
    for number in range(20):
        intake.write_bytes(f"a/{number:02}", b"")
        intake.write_bytes("a/00", str(number).encode())
    world.service.keys_on_a_page = 3
    assert [*intake.keys("a/")] == [f"a/{number:02}" for number in range(20)]
    assert intake.first_page("a/")[1]
    assert [*intake.folders("")] == ["a"]
    versions = intake.list_versions("a/")
    first, _ = next(versions)
    for version in world.service.versions(BUCKET, "a/00")[:5]:
        world.s3.delete_object(Bucket=BUCKET, Key="a/00", VersionId=version.version_id)
    rest = [(version["Key"], version["VersionId"]) for version, _ in versions]
    left = [(version.key, version.version_id) for version in world.service.versions(BUCKET)]
    assert first["VersionId"] not in {version for _, version in left}
    # The other two of its page are listed, though deleted.
    assert rest[2:] == left


def test_folders_are_listed_over_pages_of_any_length(world: World) -> None:
    for folder in ("a", "b", "c"):
        for number in range(5):
            world.s3.put_object(Bucket=BUCKET, Key=f"all/{folder}/{number}")
    intake = IntakeBucket(s3=world.s3, bucket=BUCKET)
    for world.service.keys_on_a_page in (1, 2, 1000):
        assert [*intake.folders("all/")] == ["a", "b", "c"]
    # The emulator says that there are more.
    none = world.s3.list_objects_v2(Bucket=BUCKET, MaxKeys=0)
    assert (none["KeyCount"], none["IsTruncated"]) == (0, False)


def test_a_delete_marker_cannot_be_read(world: World) -> None:
    version = world.s3.put_object(Bucket=BUCKET, Key="a", Body=b"text")["VersionId"]
    marker = world.s3.delete_object(Bucket=BUCKET, Key="a")["VersionId"]
    assert world.code("get_object", Key="a") == "NoSuchKey"
    assert world.code("head_object", Key="a") == "404"
    assert world.code("get_object", Key="a", VersionId=marker) == "MethodNotAllowed"
    assert world.code("head_object", Key="a", VersionId=marker) == "405"
    source = {"Bucket": BUCKET, "Key": "a"}
    assert world.code("copy_object", Key="b", CopySource=source) == "NoSuchKey"
    # The emulator knows no such version.
    assert world.code("copy_object", Key="b", CopySource={**source, "VersionId": marker}) == "InvalidRequest"
    assert world.code("put_object", Key="a", IfMatch="*") == "NoSuchKey"
    assert world.code("delete_object", Key="a", IfMatch="*") == "NoSuchKey"
    removed = world.s3.delete_object(Bucket=BUCKET, Key="a", VersionId=marker)
    assert (removed["DeleteMarker"], removed["VersionId"]) == (True, marker)
    assert world.s3.head_object(Bucket=BUCKET, Key="a")["VersionId"] == version


def test_a_range_begins_within_the_object(world: World) -> None:
    world.s3.put_object(Bucket=BUCKET, Key="a", Body=b"12345")
    found = world.s3.get_object(Bucket=BUCKET, Key="a", Range="bytes=4-9")
    assert (found["Body"].read(), found["ContentRange"]) == (b"5", "bytes 4-4/5")
    assert world.code("get_object", Key="a", Range="bytes=5-") == "InvalidRange"
    assert world.code("get_object", Key="a", Range="bytes=5-9") == "InvalidRange"


def test_claims_read_without_requests(world: World) -> None:
    for key in ("b/1", "a", "b/2", "c"):
        world.s3.put_object(Bucket=BUCKET, Key=key, Body=key)
    world.s3.delete_object(Bucket=BUCKET, Key="b/1")
    assert world.service.keys(BUCKET) == ["a", "b/2", "c"]
    assert world.service.keys(BUCKET, "b/") == ["b/2"]
    assert world.service.object(BUCKET, "b/1") is None
    assert [(each.key, each.is_marker) for each in world.service.versions(BUCKET, "b/")] == [
        ("b/1", True),
        ("b/1", False),
        ("b/2", False),
    ]


def test_a_key_is_too_long_in_bytes(world: World) -> None:
    world.s3.put_object(Bucket=BUCKET, Key="ä" * 512)
    assert world.code("put_object", Key="ä" * 512 + "a") == "KeyTooLongError"
    assert world.code("head_object", Key="ä" * 513) == "400"


def test_a_bucket_has_tags_and_is_deleted_when_empty(world: World) -> None:
    assert world.code("get_bucket_tagging") == "NoSuchTagSet"
    world.s3.put_bucket_tagging(Bucket=BUCKET, Tagging={"TagSet": [{"Key": "one", "Value": "1"}]})
    assert world.s3.get_bucket_tagging(Bucket=BUCKET)["TagSet"] == [{"Key": "one", "Value": "1"}]
    version = world.s3.put_object(Bucket=BUCKET, Key="a")["VersionId"]
    assert world.code("delete_bucket") == "BucketNotEmpty"
    world.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "a", "VersionId": version}], "Quiet": True})
    world.s3.delete_bucket(Bucket=BUCKET)
    assert world.code("list_objects_v2") == "NoSuchBucket"
    assert world.code("head_bucket") == "404"


def test_what_it_does_not_know_it_says(world: World) -> None:
    with pytest.raises(NotImplementedError, match="no GetObjectAcl"):
        world.s3.get_object_acl(Bucket=BUCKET, Key="a")
    with pytest.raises(NotImplementedError, match="what PartNumber of GetObject means"):
        world.s3.get_object(Bucket=BUCKET, Key="a", PartNumber=1)
