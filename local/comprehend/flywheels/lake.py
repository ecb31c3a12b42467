"""The flywheel's data lake: where things lie in it, and how they get there.

``datasets/`` and ``evaluation/`` are the prefixes seen in AWS's samples; AWS publishes no others and advises against
relying on any.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from local.comprehend.identifiers import compact_timestamp
from local.comprehend.storage import bucket_and_key, encrypted_with
from local.comprehend.training_data import DataFile, DataSource

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


def lake_uri(*, requested: str, flywheel_name: str, created: float) -> str:
    """The lake of a flywheel, below the place it was asked for."""
    return f"{requested.rstrip('/')}/{flywheel_name}/schemaVersion=1/{compact_timestamp(created)}/"


def dataset_uri(*, lake: str, dataset_name: str, created: float) -> str:
    return f"{lake}datasets/{dataset_name}/{compact_timestamp(created)}/"


def evaluation_uri(*, lake: str, iteration_id: str) -> str:
    return f"{lake}evaluation/{iteration_id}/"


def statistics_uri(*, lake: str, version: str) -> str:
    return f"{lake}model-datasets/{version}/model-stats/"


class Lake:
    """Writes below the lake, encrypted with the flywheel's lake key when it has one."""

    def __init__(self, *, client: S3Client, kms_key_id: str | None) -> None:
        self._client = client
        self._encryption = encrypted_with(kms_key_id)

    def prepare(self, uri: str) -> None:
        """Prove that the role can list and write here, by writing the mark of an empty folder."""
        bucket, key = bucket_and_key(uri)
        self._client.list_objects_v2(Bucket=bucket, Prefix=key, MaxKeys=1)
        self._client.put_object(Bucket=bucket, Key=key, Body=b"", **self._encryption)

    def put_json(self, uri: str, content: object) -> None:
        bucket, key = bucket_and_key(uri)
        body = json.dumps(content, indent=1).encode()
        self._client.put_object(Bucket=bucket, Key=key, Body=body, **self._encryption)

    def put_files(self, prefix: str, files: Iterable[DataFile], *, sources: Sequence[DataSource]) -> None:
        """Write the files of a dataset, those of each of its sources apart."""
        for file in files:
            bucket, key = bucket_and_key(_source_uri(prefix, sources, file.source))
            with file.path.open("rb") as body:
                self._client.put_object(Bucket=bucket, Key=f"{key}{file.name}", Body=body, **self._encryption)


def sources_in_lake(prefix: str, sources: Sequence[DataSource]) -> tuple[DataSource, ...]:
    """The sources of a dataset as they are to be read from the lake."""
    return tuple(replace(source, uri=_source_uri(prefix, sources, source)) for source in sources)


def _source_uri(prefix: str, sources: Sequence[DataSource], source: DataSource) -> str:
    return prefix if len(sources) == 1 else f"{prefix}{source.part}-{sources.index(source)}/"
