"""What S3's answers to conditional requests mean."""

from __future__ import annotations

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from flywheel.review.queue import Pointer
from flywheel.store.bucket import IntakeBucket

CONFLICT, FAILED = ("ConditionalRequestConflict", 409), ("PreconditionFailed", 412)


def bucket_that_answers(*answers: tuple[str, int] | None) -> tuple[IntakeBucket, Stubber]:
    s3 = boto3.client("s3", region_name="us-east-1", aws_access_key_id="a", aws_secret_access_key="b")
    stubber = Stubber(s3)
    for answer in answers:
        if answer is None:
            stubber.add_response("put_object", {})
        else:
            stubber.add_client_error("put_object", answer[0], http_status_code=answer[1])
    stubber.activate()
    return IntakeBucket(s3=s3, bucket="intake"), stubber


def test_after_a_conflict_the_same_request_tells_whether_the_condition_holds() -> None:
    bucket, asked = bucket_that_answers(CONFLICT, None)
    assert bucket.write_once("a", Pointer())
    asked.assert_no_pending_responses()
    bucket, asked = bucket_that_answers(CONFLICT, CONFLICT, FAILED)
    assert not bucket.write_if_unchanged("a", Pointer(), '"etag"')
    asked.assert_no_pending_responses()


def test_a_conflict_that_lasts_is_an_error_and_no_answer() -> None:
    bucket, _ = bucket_that_answers(*[CONFLICT] * 5)
    with pytest.raises(ClientError, match="ConditionalRequestConflict"):
        bucket.write_once("a", Pointer())
