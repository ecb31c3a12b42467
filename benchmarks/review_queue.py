"""The next batch of the review queue, and the next item, with 10 and with many items waiting.

    python -m benchmarks.review_queue [--items N]

The queue's own functions, against the simulated S3. The requests are those that AWS would get; the time is this
machine's.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from flywheel.comprehend.model_kind import Task
from flywheel.document_classification import DOCUMENT_CLASSIFICATION
from flywheel.records.predictions import text_digest
from flywheel.records.review import ItemSource, Lane, Place, WaitingItem, rank_of_margin
from flywheel.review.answer_item import answer
from flywheel.review.claim_items import claim
from flywheel.review.queue import ReviewQueue
from flywheel.store.bucket import IntakeBucket
from tests.pipeline.deployed import Deployment
from tests.pipeline.s3_client import Client
from tests.simulation.installation import installed

BATCH = 10
REVIEWER = "arn:aws:iam::111122223333:user/benchmark"
REPEATS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=100_000)
    numbers = (BATCH * (REPEATS + 1), parser.parse_args().items)
    with installed():
        for items in numbers:
            measure(items)


def measure(items: int) -> None:
    client = Client(Deployment())
    queue = filled(client, items)
    batches, singles = [], []
    counted: dict[str, Counter[str]] = {}
    for _ in range(REPEATS):
        client.begin()
        batches.append(seconds(lambda: claim(queue, by=REVIEWER, count=BATCH, now=datetime.now(UTC))))
        counted["batch"] = Counter(client.requests)
        held = claim(queue, by=REVIEWER, count=BATCH, now=datetime.now(UTC)).items
        for item in held[:-1]:
            answer(queue, item=item.id, by=REVIEWER, now=datetime.now(UTC), labels=("SPORTS",))
        answer(queue, item=held[-1].id, by=REVIEWER, now=datetime.now(UTC), labels=("SPORTS",))
        client.begin()
        singles.append(seconds(lambda: claim(queue, by=REVIEWER, count=1, now=datetime.now(UTC))))
        counted["item"] = Counter(client.requests)
    for what, times in (("batch", batches), ("item", singles)):
        words = ", ".join(f"{count} {name}" for name, count in sorted(counted[what].items()))
        total = counted[what].total()
        print(f"{items:,} items, next {what}: {total} requests ({words}), {1000 * statistics.median(times):.0f} ms")


def filled(client: Client, items: int) -> ReviewQueue:
    """A queue of texts that are no near-duplicates."""
    client.s3.create_bucket(Bucket="queue")
    client.s3.put_bucket_versioning(Bucket="queue", VersioningConfiguration={"Status": "Enabled"})
    intake = IntakeBucket(s3=client.s3, bucket="queue")
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
