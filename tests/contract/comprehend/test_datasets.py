from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.contract.comprehend_world import DENIED_ROLE, World
from tests.contract.error_codes import refused
from tests.contract.sample_documents import LABELS, csv_of, documents, multi_label_documents, rows, text_about
from tests.contract.stepped_clock import START
from tests.contract.waiting import until


def failure(world: World, flywheel: str, body: bytes, **members: Any) -> str:
    dataset = world.dataset(flywheel, "broken", body, **members)
    assert dataset["Status"] == "FAILED", dataset
    assert "NumberOfDocuments" not in dataset
    assert dataset["EndTime"]
    message: str = dataset["Message"]
    return message


def test_dataset_is_completed_after_a_time(make_world: Callable[..., World]) -> None:
    world = make_world(dataset_ingestion_seconds=30)
    flywheel = world.flywheel()
    arn = world.create_dataset(
        flywheel, "week-47", world.put("week.csv", documents()), Description="Reviewed documents week 47"
    )
    creating = world.dataset_properties(arn)
    assert creating["Status"] == "CREATING"
    assert creating.keys() == {
        "DatasetArn", "DatasetName", "DatasetType", "DatasetS3Uri", "Description", "Status", "CreationTime",
    }  # fmt: skip
    world.clock.advance(30)
    until(lambda: world.dataset_properties(arn)["Status"] == "COMPLETED")
    completed = world.dataset_properties(arn)
    assert completed["EndTime"].timestamp() == START + 30
    assert {name: completed[name] for name in completed if not name.endswith("Time")} == {
        "DatasetArn": f"{flywheel}/dataset/week-47",
        "DatasetName": "week-47",
        "DatasetType": "TRAIN",
        "DatasetS3Uri": f"{world.flywheel_properties(flywheel)['DataLakeS3Uri']}datasets/week-47/20261118T110640Z/",
        "Description": "Reviewed documents week 47",
        "Status": "COMPLETED",
        "NumberOfDocuments": 150,
    }


def test_type_is_train_unless_said(world: World) -> None:
    source: Any = {"DocumentClassifierInputDataConfig": {"S3Uri": world.put("a.csv", documents())}}
    answer = world.client.create_dataset(FlywheelArn=world.flywheel(), DatasetName="plain", InputDataConfig=source)
    assert world.dataset_properties(answer["DatasetArn"])["DatasetType"] == "TRAIN"


def test_every_object_that_begins_with_the_uri_is_read_and_copied(world: World) -> None:
    parts = {f"train{name}": documents(tag=name) for name in ("/1.csv", "/more/2.csv", "-old.csv")}
    for key, body in parts.items():
        world.put(f"in/{key}", body)
    (world.root / "documents/in/train/marker").mkdir()
    flywheel = world.flywheel()
    world.put("in/other.csv", b"not,read,at all")
    arn = world.create_dataset(flywheel, "all", "s3://documents/in/train")
    until(lambda: world.dataset_properties(arn)["Status"] != "CREATING")
    described = world.dataset_properties(arn)
    assert described["NumberOfDocuments"] == 450
    assert world.objects(described["DatasetS3Uri"]) == parts


@pytest.mark.parametrize(
    ("uri", "reason"),
    [("s3://documents/none", "No object begins with"), ("s3://no-such-bucket/a.csv", "NoSuchBucket")],
)
def test_unreadable_source_fails_the_dataset(world: World, uri: str, reason: str) -> None:
    arn = world.create_dataset(world.flywheel(), "lost", uri)
    until(lambda: world.dataset_properties(arn)["Status"] == "FAILED")
    assert reason in world.dataset_properties(arn)["Message"]


def test_role_without_access_fails_the_dataset(world: World) -> None:
    flywheel = world.flywheel()
    world.client.update_flywheel(FlywheelArn=flywheel, DataAccessRoleArn=DENIED_ROLE)
    message = failure(world, flywheel, documents())
    assert DENIED_ROLE in message
    assert "AccessDenied" in message


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (documents() + b'SPORTS,"open quote\n', "not valid CSV"),
        (documents() + b"SPORTS,caf\xe9 goal\n", "line 151: not valid UTF-8"),
        (documents() + b"SPORTS\n", "line 151: expected two columns (label and document), found 1"),
        (documents() + b"SPORTS,one,two\n", "line 151: expected two columns (label and document), found 3"),
        (documents() + b"\n", "line 151: expected two columns (label and document), found 0"),
        (documents() + b"SPORTS,  \n", "line 151: the document is empty"),
        (documents() + b",text\n", "line 151: a label is empty"),
        (documents() + b"A" * 5001 + b",text\n", "line 151: a label is longer than 5000"),
        (b"SPORTS,goal\n", "needs at least 500 bytes"),
        (documents(49), "at least 50 training documents; too few of: BUSINESS (49), SCIENCE (49), SPORTS (49)"),
        (csv_of([("MUSIC", f"a song number {n}") for n in range(60)]), "No document has a label of this flywheel"),
    ],
)
def test_unusable_documents_fail_the_dataset(world: World, body: bytes, reason: str) -> None:
    assert reason in failure(world, world.flywheel(), body)


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"maximum_dataset_documents": 149}, "at most 149 documents"),
        ({"maximum_document_bytes": 10}, "larger than 10 bytes"),
        ({"maximum_dataset_bytes": 600}, "larger than the limit of 600 bytes"),
    ],
)
def test_documents_over_a_limit_fail_the_dataset(world: World, limit: dict[str, int], reason: str) -> None:
    world.set(**limit)
    assert reason in failure(world, world.flywheel(), documents())


def test_failed_dataset_keeps_its_name(world: World) -> None:
    flywheel = world.flywheel()
    failure(world, flywheel, b"bad")
    with refused("ResourceInUseException"):
        world.dataset(flywheel, "broken")


def test_failed_dataset_is_not_trained_on(world: World) -> None:
    flywheel = world.flywheel()
    failure(world, flywheel, documents(49))
    assert world.iterate(flywheel)["Status"] == "FAILED"


def test_unknown_labels_are_dropped_silently_and_counted_for_debugging(world: World) -> None:
    odd = [("SPORT", text_about("SPORTS", seed=f"odd{n}")) for n in range(7)]
    dataset = world.dataset(world.flywheel(), "odd", csv_of(rows() + odd))
    assert dataset["Status"] == "COMPLETED"
    assert dataset["NumberOfDocuments"] == 157
    status, debug = world.administration("GET", "debug")
    assert (status, debug) == (
        200,
        {
            "dropped": [
                {
                    "dataset_arn": dataset["DatasetArn"],
                    "documents": 157,
                    "dropped_documents": 7,
                    "unknown_labels": {"SPORT": 7},
                }
            ]
        },
    )


def test_minimum_per_label_holds_for_the_labels_that_occur(world: World) -> None:
    flywheel = world.flywheel()
    assert world.dataset(flywheel, "some", documents(50, labels=LABELS[:2]))["Status"] == "COMPLETED"
    assert world.dataset(flywheel, "few", documents(1), type_="TEST")["Status"] == "FAILED"  # below 500 bytes
    assert world.dataset(flywheel, "judge", documents(10), type_="TEST")["Status"] == "COMPLETED"


@pytest.mark.parametrize("reading", ["per_flywheel", "none"])
def test_minimum_per_label_is_not_of_the_dataset_under_other_readings(world: World, reading: str) -> None:
    world.set(minimum_per_label=reading)
    assert world.dataset(world.flywheel(), "small", documents(10))["Status"] == "COMPLETED"


def test_multi_label_documents(world: World) -> None:
    flywheel = world.flywheel(mode="MULTI_LABEL")
    # Each label stands alone in 17 documents and in two pairs: 51 in all.
    assert world.dataset(flywheel, "enough", multi_label_documents(17))["Status"] == "COMPLETED"
    assert "too few of: BUSINESS (48)" in failure(world, flywheel, multi_label_documents(16))


def test_multi_label_minimum_of_the_training_quotas(world: World) -> None:
    world.set(minimum_documents_multi_label=10)
    flywheel = world.flywheel(mode="MULTI_LABEL")
    assert world.dataset(flywheel, "enough", multi_label_documents(9))["Status"] == "COMPLETED"
    assert "needs at least 50 documents, not 48" in failure(world, flywheel, multi_label_documents(8))


def test_wrong_delimiter_fuses_labels_silently(world: World) -> None:
    body = multi_label_documents(60, delimiter=";")
    dataset = world.dataset(world.flywheel(mode="MULTI_LABEL"), "fused", body, delimiter="|")
    assert dataset["Status"] == "COMPLETED"
    _, debug = world.administration("GET", "debug")
    assert debug["dropped"][0]["unknown_labels"]["BUSINESS;SPORTS"] == 60
    assert debug["dropped"][0]["dropped_documents"] == 180


def test_delimiter_means_nothing_for_one_label_a_document(world: World) -> None:
    labels = ["A|B", "C"]
    task = {"LanguageCode": "en", "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": labels}}
    flywheel = world.flywheel(TaskConfig=task)
    body = csv_of((label, f"some text number {n}") for label in labels for n in range(50))
    dataset = world.dataset(flywheel, "piped", body, delimiter="|")
    assert dataset["Status"] == "COMPLETED"
    assert world.administration("GET", "debug")[1] == {"dropped": []}


@pytest.mark.parametrize(
    "source",
    [
        {
            "DataFormat": "AUGMENTED_MANIFEST",
            "AugmentedManifests": [{"AttributeNames": ["a"], "S3Uri": "s3://documents/m"}],
            "DocumentClassifierInputDataConfig": {"S3Uri": "s3://documents/d"},
        },
        {
            "AugmentedManifests": [{"AttributeNames": ["a"], "S3Uri": "s3://documents/m"}],
            "DocumentClassifierInputDataConfig": {"S3Uri": "s3://documents/d"},
        },
        {"DataFormat": "AUGMENTED_MANIFEST"},
        {"DataFormat": "COMPREHEND_CSV"},
        {"EntityRecognizerInputDataConfig": {"Documents": {"S3Uri": "s3://documents/d"}}},
    ],
)
def test_source_that_does_not_fit_is_refused(world: World, source: Any) -> None:
    with refused("InvalidRequestException"):
        world.client.create_dataset(FlywheelArn=world.flywheel(), DatasetName="odd", InputDataConfig=source)


def test_only_an_active_flywheel_takes_datasets(make_world: Callable[..., World]) -> None:
    world = make_world()
    with refused("ResourceNotFoundException"):
        world.create_dataset(world.flywheel().replace("news", "none"), "first", "s3://documents/a")
    broken = world.flywheel("broken", DataAccessRoleArn=DENIED_ROLE)
    with refused("InvalidRequestException"):
        world.create_dataset(broken, "first", "s3://documents/a")


def test_quotas(make_world: Callable[..., World]) -> None:
    world = make_world(maximum_datasets_of_a_type=2, maximum_creating_datasets=3, dataset_ingestion_seconds=10)
    flywheel, other = world.flywheel("one"), world.flywheel("two")
    uri = world.put("a.csv", documents())
    for name in ("a", "b"):
        world.create_dataset(flywheel, name, uri)
    with refused("ResourceLimitExceededException") as of_type:
        world.create_dataset(flywheel, "c", uri)
    assert "2 TRAIN datasets" in of_type.message
    world.create_dataset(flywheel, "c", uri, type_="TEST")
    with refused("ResourceLimitExceededException") as creating:
        world.create_dataset(other, "d", uri)
    assert "being created" in creating.message


def test_dataset_of_nowhere(world: World) -> None:
    arn = f"{world.flywheel()}/dataset/none"
    with refused("ResourceNotFoundException"):
        world.dataset_properties(arn)
    with refused("ResourceNotFoundException"):
        world.dataset_properties(arn.replace("news", "other"))
