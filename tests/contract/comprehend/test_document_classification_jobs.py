from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from tests.contract.classification_jobs import (
    OUTPUT,
    OUTPUT_BUCKET,
    PREFIX,
    described,
    ended,
    has_status,
    of_flywheel,
    per_file,
    predicted,
    predictions,
    request,
    start,
    trained,
)
from tests.contract.comprehend_world import ACCOUNT, BUCKET, DENIED_ROLE, ROLE, World
from tests.contract.error_codes import refused
from tests.contract.sample_documents import documents, text_about
from tests.contract.stepped_clock import START
from tests.contract.waiting import until


def test_answers_have_the_documented_members(make_world: Callable[..., World]) -> None:
    """As in the AWS CLI's examples."""
    world = make_world()
    _, model = trained(world)
    world.put("jobdata/SampleSMStext1.txt", text_about("SPORTS", seed="1").encode())
    world.set(job_queue_seconds=10, job_seconds=350)
    started = world.client.start_document_classification_job(
        **request(model, JobName="example job", InputDataConfig={"S3Uri": f"s3://{BUCKET}/jobdata/"})
    )
    id_ = started["JobId"]
    assert {name: value for name, value in started.items() if name != "ResponseMetadata"} == {
        "JobId": id_,
        "JobArn": f"{PREFIX}:document-classification-job/{id_}",
        "JobStatus": "SUBMITTED",
        "DocumentClassifierArn": model,
    }
    expected = {
        "JobId": id_,
        "JobArn": f"{PREFIX}:document-classification-job/{id_}",
        "JobName": "example job",
        "JobStatus": "SUBMITTED",
        "DocumentClassifierArn": model,
        "InputDataConfig": {"S3Uri": f"s3://{BUCKET}/jobdata/", "InputFormat": "ONE_DOC_PER_LINE"},
        "OutputDataConfig": {"S3Uri": f"{OUTPUT}{ACCOUNT}-CLN-{id_}/output/output.tar.gz"},
        "DataAccessRoleArn": ROLE,
    }
    submitted = described(world, id_)
    submit_time = submitted.pop("SubmitTime")
    assert submitted == expected
    world.clock.advance(10)
    until(lambda: described(world, id_)["JobStatus"] == "IN_PROGRESS")
    assert "EndTime" not in described(world, id_)
    world.clock.advance(350)
    completed = ended(world, id_)
    assert completed.pop("EndTime") - completed.pop("SubmitTime") == timedelta(seconds=360)
    assert completed == {**expected, "JobStatus": "COMPLETED"}
    assert (
        submit_time
        == world.client.list_document_classification_jobs()["DocumentClassificationJobPropertiesList"][0]["SubmitTime"]
    )


def test_flywheel_form_takes_the_active_model_of_the_start(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel, first = trained(world)
    world.put("jobdata/a.txt", text_about("SPORTS", seed="1").encode())
    world.dataset(flywheel, "train-2", documents(150, tag="wrong", mislabelled=True))
    second = world.iterate(flywheel)["TrainedModelArn"]
    world.set(job_queue_seconds=10)
    started = world.client.start_document_classification_job(**of_flywheel(flywheel))
    assert started["DocumentClassifierArn"] == first
    world.promote(flywheel, second)
    world.clock.advance(10)
    job = ended(world, started["JobId"])
    assert (job["DocumentClassifierArn"], job["FlywheelArn"]) == (first, flywheel)
    assert predictions(world, job)[0]["Classes"][0]["Name"] == "SPORTS"
    later = start(world, of_flywheel(flywheel))
    assert described(world, later)["DocumentClassifierArn"] == second


def test_given_members_are_described(world: World) -> None:
    _, model = trained(world)
    world.put("jobdata/a.txt", b"goal\n")
    given: Any = {
        "VolumeKmsKeyId": "11111111-2222-3333-4444-555555555555",
        "VpcConfig": {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]},
    }
    output = {"S3Uri": f"s3://{OUTPUT_BUCKET}", "KmsKeyId": "alias/results"}
    job = ended(world, start(world, request(model, OutputDataConfig=output, **given)))
    archive = f"s3://{OUTPUT_BUCKET}/{ACCOUNT}-CLN-{job['JobId']}/output/output.tar.gz"
    assert job["OutputDataConfig"] == {"S3Uri": archive, "KmsKeyId": "alias/results"}
    assert {name: job[name] for name in given} == given
    assert "JobName" not in job
    assert len(predictions(world, job)) == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"FlywheelArn": f"{PREFIX}:flywheel/news"}, "InvalidRequestException"),
        ({"DocumentClassifierArn": None}, "InvalidRequestException"),
        ({"DocumentClassifierArn": f"{PREFIX}:document-classifier/none/version/1"}, "ResourceNotFoundException"),
        ({"DocumentClassifierArn": None, "FlywheelArn": f"{PREFIX}:flywheel/none"}, "ResourceNotFoundException"),
        ({"DocumentClassifierArn": None, "FlywheelArn": f"{PREFIX}:flywheel/new"}, "ResourceUnavailableException"),
        ({"VolumeKmsKeyId": "alias/mine"}, "KmsKeyValidationException"),
        ({"OutputDataConfig": {"S3Uri": "s3://results", "KmsKeyId": "mine"}}, "KmsKeyValidationException"),
        ({"DataAccessRoleArn": "arn:aws:iam::444455556666:role/theirs"}, "AccessDeniedException"),
        ({"InputDataConfig": {"S3Uri": "s3://documents", "InputFormat": "CSV"}}, "InvalidRequestException"),
        ({"OutputDataConfig": {"S3Uri": "results/"}}, "InvalidRequestException"),
        ({"Tags": [{"Key": f"k{n}"} for n in range(51)]}, "TooManyTagsException"),
        (
            {
                "InputDataConfig": {
                    "S3Uri": f"s3://{BUCKET}",
                    "DocumentReaderConfig": {"DocumentReadAction": "TEXTRACT_DETECT_DOCUMENT_TEXT"},
                }
            },
            "InvalidRequestException",
        ),
    ],
)
def test_requests_that_start_nothing(world: World, changes: dict[str, Any], code: str) -> None:
    _, model = trained(world)
    world.flywheel("new")
    wanted = {name: value for name, value in request(model, **changes).items() if value is not None}
    with refused(code):
        world.client.start_document_classification_job(**wanted)
    assert world.client.list_document_classification_jobs()["DocumentClassificationJobPropertiesList"] == []


def test_model_that_is_not_trained(make_world: Callable[..., World]) -> None:
    world = make_world(iteration_training_seconds=100)
    flywheel = world.flywheel()
    world.dataset(flywheel, "train-1")
    world.client.start_flywheel_iteration(FlywheelArn=flywheel)
    (model,) = until(lambda: world.client.list_document_classifiers()["DocumentClassifierPropertiesList"])
    with refused("ResourceUnavailableException"):
        world.client.start_document_classification_job(**request(model["DocumentClassifierArn"]))


@pytest.mark.parametrize(
    ("changes", "settings", "reason"),
    [
        ({"DataAccessRoleArn": DENIED_ROLE}, {}, "AccessDenied"),
        ({"OutputDataConfig": {"S3Uri": "s3://no-such-bucket/x"}}, {}, "NoSuchBucket"),
        ({"InputDataConfig": {"S3Uri": f"s3://{BUCKET}/nothing"}}, {}, "No object begins with"),
        ({"InputDataConfig": {"S3Uri": f"s3://{BUCKET}/empty"}}, {}, "no documents"),
        ({"InputDataConfig": {"S3Uri": f"s3://{BUCKET}/latin1.txt"}}, {}, "latin1.txt is not valid UTF-8"),
        ({}, {"maximum_job_documents": 2}, "more than 2 documents"),
        ({"InputDataConfig": {"S3Uri": f"s3://{BUCKET}/"}}, {"maximum_job_documents": 2}, "more than 2 files"),
        ({}, {"maximum_job_bytes": 14}, "larger than the limit of 14 bytes"),
        ({"InputDataConfig": per_file(f"s3://{BUCKET}/jobdata")}, {"maximum_job_file_bytes": 14}, "a.txt is larger"),
    ],
)
def test_failed_job_says_why(world: World, changes: dict[str, Any], settings: dict[str, Any], reason: str) -> None:
    _, model = trained(world)
    world.put("jobdata/a.txt", b"goal\nenzyme\nshares")
    world.put("empty.txt", b"")
    world.put("latin1.txt", "caf\u00e9".encode("latin-1"))
    world.set(**settings)
    job = ended(world, start(world, request(model, **changes)))
    assert job["JobStatus"] == "FAILED"
    assert reason in job["Message"]
    assert job["EndTime"] >= job["SubmitTime"]
    assert world.objects(OUTPUT) == {}


def test_limits_are_reached_without_harm(world: World) -> None:
    _, model = trained(world)
    world.put("jobdata/a.txt", b"goal\nenzyme\nshares")
    world.set(maximum_job_documents=3, maximum_job_bytes=18, maximum_job_file_bytes=1)
    assert len(predicted(world, request(model))) == 3


def test_job_that_was_to_fail(world: World) -> None:
    _, model = trained(world)
    world.put("jobdata/a.txt", b"goal\n")
    world.administration("POST", "faults", {"resource": "job", "times": 1, "message": "as asked"})
    jobs = [ended(world, start(world, request(model))) for _ in range(2)]
    assert [(job["JobStatus"], job.get("Message")) for job in jobs] == [("FAILED", "as asked"), ("COMPLETED", None)]


def test_same_token_is_the_same_job(world: World) -> None:
    _, model = trained(world)
    world.put("jobdata/a.txt", b"goal\n")
    job = start(world, request(model, ClientRequestToken="t-1"))
    assert ended(world, job)["JobStatus"] == "COMPLETED"
    again = world.client.start_document_classification_job(**request(model, ClientRequestToken="t-1"))
    assert (again["JobId"], again["JobStatus"]) == (job, "COMPLETED")
    with refused("InvalidRequestException"):
        start(world, request(model, ClientRequestToken="t-1", JobName="another"))
    assert start(world, request(model)) != job


def test_ten_jobs_at_once(make_world: Callable[..., World]) -> None:
    world = make_world()
    _, model = trained(world)
    world.put("jobdata/a.txt", b"goal\n")
    world.set(job_queue_seconds=10)
    jobs = [start(world, request(model)) for _ in range(10)]
    with refused("TooManyRequestsException"):
        start(world, request(model))
    world.clock.advance(10)
    for job in jobs:
        ended(world, job)
    start(world, request(model))


def test_model_of_a_running_job_cannot_be_deleted(make_world: Callable[..., World]) -> None:
    world = make_world()
    flywheel, first = trained(world)
    world.put("jobdata/a.txt", b"goal\n")
    world.dataset(flywheel, "train-2")
    world.promote(flywheel, world.iterate(flywheel)["TrainedModelArn"])
    world.set(job_queue_seconds=5, job_seconds=5)
    job = start(world, request(first))
    for status in ("SUBMITTED", "IN_PROGRESS"):
        until(partial(has_status, world, job, status))
        with refused("ResourceInUseException") as refusal:
            world.client.delete_document_classifier(DocumentClassifierArn=first)
        assert job in refusal.message
        world.clock.advance(5)
    ended(world, job)
    world.client.delete_document_classifier(DocumentClassifierArn=first)
    until(lambda: len(world.client.list_document_classifiers()["DocumentClassifierPropertiesList"]) == 1)
    with refused("ResourceNotFoundException"):
        start(world, request(first))


def test_unknown_job(world: World) -> None:
    with refused("JobNotFoundException") as refusal:
        described(world, "0" * 32)
    assert refusal.status == 404


def test_job_of_another_account_or_region_is_unknown(world: World) -> None:
    _, model = trained(world)
    world.put("jobdata/a.txt", b"goal\n")
    job = start(world, request(model))
    for other in (world.client_of(account="222233334444"), world.client_of(region="eu-west-1")):
        with refused("JobNotFoundException"):
            other.describe_document_classification_job(JobId=job)
        assert other.list_document_classification_jobs()["DocumentClassificationJobPropertiesList"] == []


def test_tags(world: World) -> None:
    _, model = trained(world)
    world.put("jobdata/a.txt", b"goal\n")
    tags: Any = [{"Key": "team", "Value": "news"}]
    arn = world.client.start_document_classification_job(**request(model, Tags=tags))["JobArn"]
    world.client.tag_resource(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "1"}])
    world.client.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert world.client.list_tags_for_resource(ResourceArn=arn)["Tags"] == [{"Key": "cost", "Value": "1"}]
    with refused("ResourceNotFoundException"):
        world.client.list_tags_for_resource(ResourceArn=f"{arn}0")


def test_pages_and_filters(world: World) -> None:
    _, model = trained(world)
    world.put("jobdata/a.txt", b"goal\n")
    began, made = world.clock.now() - START, []
    for number in range(5):
        world.clock.advance(1)
        role = DENIED_ROLE if number == 2 else ROLE
        made.append(start(world, request(model, JobName=f"job {number % 2}", DataAccessRoleArn=role)))
        ended(world, made[-1])

    def listed(**arguments: Any) -> list[int]:
        pages = world.client.get_paginator("list_document_classification_jobs").paginate(**arguments)
        return [made.index(job["JobId"]) for page in pages for job in page["DocumentClassificationJobPropertiesList"]]

    page = world.client.list_document_classification_jobs(MaxResults=2)
    assert len(page["DocumentClassificationJobPropertiesList"]) == 2
    assert listed(PaginationConfig={"PageSize": 2}) == [4, 3, 2, 1, 0]
    middle = datetime.fromtimestamp(START + began, tz=UTC) + timedelta(seconds=3)
    assert listed(Filter={"SubmitTimeAfter": middle}) == [4, 3]
    assert listed(Filter={"SubmitTimeBefore": middle}) == [1, 0]
    assert listed(Filter={"JobName": "job 1"}) == [3, 1]
    assert listed(Filter={"JobStatus": "FAILED"}) == [2]
    assert listed(Filter={"JobStatus": "IN_PROGRESS"}) == []
    with refused("InvalidFilterException"):
        listed(Filter={"JobName": "job 1", "JobStatus": "FAILED"})
    with refused("InvalidRequestException"):
        world.client.list_document_classification_jobs(NextToken=page["NextToken"], Filter={"JobName": "job 1"})
