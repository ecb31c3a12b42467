"""Entities detection jobs with a custom recognizer."""

from __future__ import annotations

from typing import Any

from tests.contract import endpoints
from tests.contract.comprehend_world import ACCOUNT, BUCKET, REGION, World
from tests.contract.error_codes import refused
from tests.contract.recognizers import job_ended, job_properties, job_request, output, trained
from tests.contract.sample_entities import filled, samples

PREFIX = f"arn:aws:comprehend:{REGION}:{ACCOUNT}"


def of_flywheel(flywheel: str, **changes: Any) -> dict[str, Any]:
    return {name: value for name, value in job_request("", FlywheelArn=flywheel, **changes).items() if value}


def test_one_document_a_line(world: World) -> None:
    _, model = trained(world)
    first, second = samples(2, tag="new")
    world.put("jobdata/a.txt", f"{first[0]}\n\n{second[0]}\n".encode())
    lines = output(world, job_request(model))
    assert [(line["File"], line["Line"]) for line in lines] == [("a.txt", 0), ("a.txt", 1), ("a.txt", 2)]
    assert [set(line) for line in lines] == [{"File", "Line", "Entities"}] * 3
    found = [[(each["BeginOffset"], each["EndOffset"], each["Type"]) for each in line["Entities"]] for line in lines]
    assert found == [first[1], [], second[1]]
    for each in lines[0]["Entities"]:
        assert set(each) == {"BeginOffset", "EndOffset", "Score", "Text", "Type"}
        assert each["Text"] == first[0][each["BeginOffset"] : each["EndOffset"]]


def test_one_document_a_file(world: World) -> None:
    _, model = trained(world)
    text, entities = filled("{PERSON} lives in {PLACE}, not far away.", seed="new")
    world.put("jobdata/a.txt", text.encode())
    config = {"S3Uri": f"s3://{BUCKET}/jobdata/", "InputFormat": "ONE_DOC_PER_FILE"}
    (line,) = output(world, job_request(model, InputDataConfig=config))
    assert (set(line), len(line["Entities"])) == ({"File", "Entities"}, len(entities))


def test_description(world: World) -> None:
    flywheel, model = trained(world)
    world.put("jobdata/a.txt", b"Nobody came today.\n")
    request = of_flywheel(flywheel, JobName="people", Tags=[{"Key": "team", "Value": "news"}])
    started = world.client.start_entities_detection_job(**request)
    assert (started["EntityRecognizerArn"], started["JobStatus"]) == (model, "SUBMITTED")
    assert started["JobArn"] == f"{PREFIX}:entities-detection-job/{started['JobId']}"
    job = job_ended(world, started["JobId"])
    assert job["OutputDataConfig"]["S3Uri"] == (
        f"s3://results/testfolder/{ACCOUNT}-NER-{started['JobId']}/output/output.tar.gz"
    )
    assert {name: job[name] for name in ("JobName", "LanguageCode", "FlywheelArn", "EntityRecognizerArn")} == {
        "JobName": "people",
        "LanguageCode": "en",
        "FlywheelArn": flywheel,
        "EntityRecognizerArn": model,
    }
    (listed,) = world.client.list_entities_detection_jobs(Filter={"JobName": "people"})[
        "EntitiesDetectionJobPropertiesList"
    ]
    assert listed == job
    assert world.client.list_document_classification_jobs()["DocumentClassificationJobPropertiesList"] == []
    tags = world.client.list_tags_for_resource(ResourceArn=started["JobArn"])["Tags"]
    assert tags == [{"Key": "team", "Value": "news"}]


def test_a_job_can_be_stopped_while_it_runs(world: World) -> None:
    _, model = trained(world)
    world.put("jobdata/a.txt", b"Nobody came today.\n")
    world.set(job_seconds=60)
    id_ = world.client.start_entities_detection_job(**job_request(model))["JobId"]
    assert world.client.stop_entities_detection_job(JobId=id_)["JobStatus"] == "STOP_REQUESTED"
    assert world.client.stop_entities_detection_job(JobId=id_)["JobStatus"] == "STOP_REQUESTED"
    world.clock.advance(60)
    job = job_ended(world, id_)
    assert (job["JobStatus"], "EndTime" in job, "Message" in job) == ("STOPPED", True, False)
    assert world.client.stop_entities_detection_job(JobId=id_)["JobStatus"] == "STOPPED"
    with refused("JobNotFoundException"):
        world.client.stop_entities_detection_job(JobId="0" * 32)
    world.set(job_seconds=0)
    done = world.client.start_entities_detection_job(**job_request(model))["JobId"]
    assert job_ended(world, done)["JobStatus"] == "COMPLETED"
    with refused("InvalidRequestException"):
        world.client.stop_entities_detection_job(JobId=done)


def test_wrong_requests(world: World) -> None:
    flywheel, model = trained(world)
    news, classifier = endpoints.trained(world)
    start = world.client.start_entities_detection_job
    with refused("InvalidRequestException") as refusal:
        start(**of_flywheel(""))
    assert "no built-in models" in refusal.message
    with refused("InvalidRequestException"):
        start(**job_request(model, FlywheelArn=flywheel))
    with refused("InvalidRequestException"):
        start(**job_request(classifier))
    with refused("InvalidRequestException"):
        start(**of_flywheel(news))
    with refused("InvalidRequestException"):
        world.client.start_document_classification_job(**of_flywheel(flywheel, LanguageCode=None))
    with refused("ResourceNotFoundException"):
        start(**job_request(f"{model}0"))
    with refused("JobNotFoundException") as refusal:
        job_properties(world, "0" * 32)
    assert "entities detection job" in refusal.message
