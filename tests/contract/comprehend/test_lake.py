from __future__ import annotations

from pathlib import Path

import boto3
import pytest
from botocore.stub import ANY, Stubber

from local.comprehend.flywheels.lake import Lake, dataset_uri, evaluation_uri, lake_uri, statistics_uri
from local.comprehend.training_data import DataFile, DataSource, Part

MOMENT = 1_662_587_173.9  # 2022-09-07T21:46:13Z


@pytest.mark.parametrize("requested", ["s3://bucket/some/prefix", "s3://bucket/some/prefix/"])
def test_lake_lies_below_the_place_it_was_asked_for(requested: str) -> None:
    lake = lake_uri(requested=requested, flywheel_name="news", created=MOMENT)
    assert lake == "s3://bucket/some/prefix/news/schemaVersion=1/20220907T214613Z/"
    assert dataset_uri(lake=lake, dataset_name="d", created=MOMENT) == f"{lake}datasets/d/20220907T214613Z/"
    assert evaluation_uri(lake=lake, iteration_id="20220907T214613Z") == f"{lake}evaluation/20220907T214613Z/"
    assert statistics_uri(lake=lake, version="v").startswith(lake)


@pytest.mark.parametrize("key", ["1234abcd", None])
def test_everything_is_encrypted_with_the_lake_key(tmp_path: Path, key: str | None) -> None:
    encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
    client = boto3.client("s3", region_name="us-east-1", aws_access_key_id="k", aws_secret_access_key="s")
    lake = Lake(client=client, kms_key_id=key)
    path = tmp_path / "0.csv"
    path.write_bytes(b"A,text\n")
    with Stubber(client) as stubber:
        stubber.add_response("list_objects_v2", {}, {"Bucket": "bucket", "Prefix": "lake/", "MaxKeys": 1})
        for name in ("lake/", "lake/manifest.json", "lake/datasets/more/1.csv"):
            stubber.add_response("put_object", {}, {"Bucket": "bucket", "Key": name, "Body": ANY, **encryption})
        lake.prepare("s3://bucket/lake/")
        lake.put_json("s3://bucket/lake/manifest.json", {})
        source = DataSource(uri="s3://bucket/", part=Part.ROWS)
        files = [DataFile(path=path, name="more/1.csv", source=source)]
        lake.put_files("s3://bucket/lake/datasets/", files, sources=[source])
        stubber.assert_no_pending_responses()
