"""The simulation's S3 answers as the emulator's, and as AWS where they differ."""

from __future__ import annotations

from itertools import count
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulation.kernel import Kernel
from tests.simulation.services.compared import Side, client_of
from tests.simulation.services.emulated import emulated
from tests.simulation.services.s3 import S3

BUCKET = "intake"
_NUMBERS = count()
# In UTF-8 the last comes after the one before it, in UTF-16 before it.
KEYS = ("a", "a/b", "a/b/c", "a/c", "a b+%41", "ä/ö", "\uffee", "\U0001f600/x")
BODIES = (b"", b"one", b"two")
ETAGS = (
    "*",
    '"d41d8cd98f00b204e9800998ecf8427e"',
    '"f97c5d29941bfb1b2fdab0874906ab82"',
    "b8a9f715dbb64fd5c56e7783c6820a61",
)

Call = tuple[str, dict[str, Any]]


def _call(operation: str, required: dict[str, Any], **optional: st.SearchStrategy[Any]) -> st.SearchStrategy[Call]:
    return st.tuples(st.just(operation), st.fixed_dictionaries(required, optional=optional))


def _calls() -> st.SearchStrategy[list[Call]]:
    key = {"Key": st.sampled_from(KEYS[:4])}
    # A version is named by its place among those that there were.
    version = st.integers(0, 20)
    etag = st.sampled_from(ETAGS)
    listed = {"Prefix": st.sampled_from(("", "a", "a/", "a/b", "ä", "z"))}
    copied = {"CopySource": st.builds(lambda key: {"Key": key}, st.sampled_from(KEYS[:4]))}
    write = {"IfMatch": etag} | {"IfNoneMatch": st.just("*")}
    one_call = st.one_of(
        _call(
            "PutObject",
            {"Key": st.sampled_from(KEYS), "Body": st.sampled_from(BODIES)},
            ContentType=st.just("text/plain"),
            Metadata=st.just({"Words": "any"}),
            Tagging=st.just("one=1&two="),
        ),
        *(_call("PutObject", {**key, "Body": st.just(b"three"), name: value}) for name, value in write.items()),
        _call("GetObject", key, VersionId=version, IfMatch=etag),
        _call("GetObject", {**key, "Range": st.sampled_from(("bytes=0-0", "bytes=1-9", "bytes=2-"))}),
        _call("HeadObject", key, VersionId=version, IfMatch=etag),
        _call("DeleteObject", key),
        _call("DeleteObject", {**key, "VersionId": version}),
        _call("DeleteObject", {**key, "IfMatch": etag}),
        _call(
            "DeleteObjects",
            {
                "Delete": st.fixed_dictionaries(
                    {"Objects": st.lists(st.fixed_dictionaries(key, optional={"VersionId": version}), min_size=1)},
                    optional={"Quiet": st.booleans()},
                )
            },
        ),
        _call(
            "CopyObject",
            {"Key": st.sampled_from(KEYS[4:]), **copied},
            TaggingDirective=st.sampled_from(("COPY", "REPLACE")),
            CopySourceIfMatch=st.sampled_from(ETAGS[1:]),
            IfNoneMatch=st.just("*"),
        ),
        _call(
            "CopyObject",
            {**key, **copied, "MetadataDirective": st.just("REPLACE"), "ContentType": st.just("a/b")},
            Metadata=st.just({"other": "words"}),
        ),
        # Not one that is copied: the emulator gives the copy the ETag of the parts, S3 that of its content.
        _call("multipart", {"Key": st.sampled_from(KEYS[4:6])}, **write),
        _call("ListObjectsV2", listed, Delimiter=st.just("/")),
        _call("ListObjectsV2", listed, StartAfter=st.sampled_from(KEYS)),
        _call("list_objects_v2", listed, Delimiter=st.just("/"), PageSize=st.integers(1, 3)),
        _call("list_object_versions", listed, PageSize=st.integers(1, 5)),
    )
    return st.lists(one_call, min_size=5, max_size=30)


def _perform(side: Side, bucket: str, call: Call) -> Any:
    operation, parameters = call
    given: dict[str, Any] = {"Bucket": bucket, **parameters}
    if "VersionId" in given:
        given["VersionId"] = side.id(given["VersionId"])
    if "CopySource" in given:
        given["CopySource"] = {"Bucket": bucket, **given["CopySource"]}
    if "Delete" in given:
        named = [
            each | ({"VersionId": side.id(each["VersionId"])} if "VersionId" in each else {})
            for each in given["Delete"]["Objects"]
        ]
        given["Delete"] = {**given["Delete"], "Objects": named}
    if operation == "multipart":
        return side.ask(lambda client: _in_one_part(client, **given))
    if operation.startswith("list_"):
        size = {"PageSize": given.pop("PageSize", None)}
        pages = side.client.get_paginator(operation).paginate(**given, PaginationConfig=size)
        return side.ask(lambda _: list(pages))
    answered = side.ask(lambda client: client._make_api_call(operation, given))
    if isinstance(answered, dict):
        # The emulator's HeadObject has none, and in a bucket without versions it keeps the tags of what is replaced.
        answered.pop("TagCount", None)
    return answered


def _in_one_part(client: Any, *, Bucket: str, Key: str, **condition: str) -> Any:  # noqa: N803 - boto3's names
    place = {"Bucket": Bucket, "Key": Key}
    place["UploadId"] = client.create_multipart_upload(**place)["UploadId"]
    part = client.upload_part(**place, PartNumber=1, Body=b"one")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    found = dict(client.complete_multipart_upload(**place, MultipartUpload=parts, **condition))
    # The host differs.
    del found["Location"], found["Bucket"]
    return found


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(calls=_calls(), versioned=st.booleans())
def test_any_sequence_of_calls_is_answered_as_the_emulator_does(calls: list[Call], *, versioned: bool) -> None:
    bucket = f"compared-{next(_NUMBERS)}"
    sides = [Side(client_of("s3", S3(Kernel(1)))), Side(emulated("s3"))]
    for side in sides:
        side.client.create_bucket(Bucket=bucket)
        if versioned:
            side.client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    # Else most keys have no object.
    there: list[Call] = [("PutObject", {"Key": key, "Body": body}) for key in KEYS[:4] for body in BODIES]
    for call in [*there, *calls]:
        if call[0] == "list_object_versions" and not versioned:
            # The emulator's pages do not go on after a version "null".
            call[1].pop("PageSize", None)
        mine, other = (_perform(side, bucket, call) for side in sides)
        assert mine == other, call
