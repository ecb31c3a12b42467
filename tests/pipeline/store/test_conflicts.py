"""S3 answers 409 to a conditional write while another request for the same key is under way: nothing was written, and
whether the condition holds is not known. https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""

from __future__ import annotations

from botocore.exceptions import ClientError

from flywheel.records.one_at_a_time import Current
from flywheel.store.bucket import IntakeBucket
from tests.pipeline.deployed import Deployment
from tests.pipeline.s3_client import Client

KEY = "turns/current"


def test_a_record_that_is_not_there_is_written_after_a_conflict() -> None:
    at = Deployment()
    client = Client(at)
    client.begin(before=_conflict)
    intake = IntakeBucket(s3=client.s3, bucket=at.app.intake)
    assert intake.write_once(KEY, Current(number=1))
    assert intake.require(KEY, Current) == Current(number=1)
    assert not intake.write_once(KEY, Current(number=2))


def test_a_record_that_is_there_is_not_overwritten_after_a_conflict() -> None:
    at = Deployment()
    client = Client(at)
    intake = IntakeBucket(s3=client.s3, bucket=at.app.intake)
    intake.write(KEY, Current(number=1))
    client.begin(before=_conflict)
    assert not intake.write_once(KEY, Current(number=2))
    client.begin(before=_conflict)
    assert not intake.write_if_unchanged(KEY, Current(number=2), '"another"')
    assert intake.require(KEY, Current) == Current(number=1)


def _conflict(number: int) -> None:
    """Of the first request."""
    if number == 0:
        raise ClientError({"Error": {"Code": "ConditionalRequestConflict", "Message": "Conflict"}}, "PutObject")
