"""The next batch of the review queue, and the next item, with 10 and with many items waiting.

    python -m benchmarks.review_queue [--items N]

The queue's own functions, against the local S3 in this process. The requests are those that AWS would get; the time is
this machine's, and the local S3 goes through all keys to list some of them, which S3 does not.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from flywheel.comprehend.model_kind import Task
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.records.predictions import text_digest
from flywheel.records.review import ItemSource, Lane, Place, WaitingItem, rank_of_margin
from flywheel.review.answer_item import answer
from flywheel.review.claim_items import claim
from flywheel.review.queue import ReviewQueue
from flywheel.store.bucket import IntakeBucket
from tests.pipeline.in_process_cloud import in_process_cloud

BATCH = 10
REVIEWER = "arn:aws:iam::111122223333:user/benchmark"
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    for items in (BATCH * (REPEATS + 1), parser.parse_args().items):
        measure(items)


def measure(items: int) -> None:
    queue = filled(items)
    requests: Counter[str] = Counter()
    s3 = in_process_cloud().clients["s3"]

    def count(model: Any, **_: Any) -> None:
        requests[model.name] += 1

    s3.meta.events.register("before-call", count)
    batches, singles = [], []
    counted: dict[str, Counter[str]] = {}
    for _ in range(REPEATS):
        requests.clear()
        batches.append(seconds(lambda: claim(queue, by=REVIEWER, count=BATCH, now=datetime.now(UTC))))
        counted["batch"] = Counter(requests)
        held = claim(queue, by=REVIEWER, count=BATCH, now=datetime.now(UTC)).items
        for item in held[:-1]:
            answer(queue, item=item.id, by=REVIEWER, now=datetime.now(UTC), labels=("SPORTS",))
        answer(queue, item=held[-1].id, by=REVIEWER, now=datetime.now(UTC), labels=("SPORTS",))
        requests.clear()
        singles.append(seconds(lambda: claim(queue, by=REVIEWER, count=1, now=datetime.now(UTC))))
        counted["item"] = Counter(requests)
    s3.meta.events.unregister("before-call", count)
    for what, times in (("batch", batches), ("item", singles)):
        words = ", ".join(f"{count} {name}" for name, count in sorted(counted[what].items()))
        total = counted[what].total()
        print(f"{items:,} items, next {what}: {total} requests ({words}), {1000 * statistics.median(times):.0f} ms")


def filled(items: int) -> ReviewQueue:
    """A queue of texts that are no near-duplicates."""
    s3 = in_process_cloud().clients["s3"]
    name = f"queue-{items}"
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    intake = IntakeBucket(s3=s3, bucket=name)
    at, chance = datetime.now(UTC), random.Random(1)
    for number in range(items):
        item = WaitingItem(text=f"a text that waits, number {number}", source=ItemSource.API, at=at)
        place = Place(
            lane=Lane.UNCERTAIN,
            rank=rank_of_margin(chance.random()),
            similarity=chance.getrandbits(64),
            item=text_digest(item.text),
        )
        intake.write(place.key, item)
    return ReviewQueue(intake=intake, kind=DOCUMENT_CLASSIFICATION, task=Task(labels=("SPORTS", "BUSINESS")))


def seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
