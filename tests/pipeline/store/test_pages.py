"""Listings of several pages: S3 gives at most 1,000 keys at once, and a turn may find more."""

from __future__ import annotations

from flywheel.records.decisions import DecisionKind
from flywheel.records.uploads import Split
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents

PAGE = 7
TEST = documents(*LABELS, count=5, words="judge: ")
FORMER = documents(*LABELS, start=1000, count=9)
NEW = documents(*LABELS, count=20)


def test_a_turn_finds_what_stands_on_every_page() -> None:
    """Uploads, replaced versions, prepared documents and the records of each."""
    at = Deployment()
    at.world.s3.keys_on_a_page = PAGE
    at.upload("test/test.csv", TEST)
    for number, document in enumerate(FORMER):
        at.upload(f"train/{number}.csv", [document])
    at.run_turn()
    for number, document in enumerate(NEW):
        key = f"train/small-{number}.csv"
        at.upload(key, b"an older version")
        at.upload(key, [document])
    page = at.s3.list_objects_v2(Bucket=at.app.intake, Prefix="train/")
    assert (page["IsTruncated"], page["KeyCount"]) == (True, PAGE)
    assert at.s3.list_object_versions(Bucket=at.app.intake, Prefix="train/")["IsTruncated"]
    record = at.run_turn()
    assert (record.counts.uploads, record.counts.unprepared) == (len(NEW), 0)
    assert len(record.replaced) == len(NEW)
    assert [(dataset.split, dataset.documents) for dataset in record.datasets] == [(Split.TRAIN, len(NEW))]
    assert record.decision is not DecisionKind.NOTHING
    assert not at.poked().start
    at.world.s3.keys_on_a_page = 1000
    # What looks at a deployment afterwards reads a page of each listing.
    found = at.check_consistency()
    assert found.trained_on == sorted(FORMER + NEW)
    assert found.tested_on == sorted(TEST)
    assert found.waiting == []
