"""Evidence HOLDOUT on real documents: are the figures scikit-learn's, and does chance stay out of production?

    python -m benchmarks.holdout --train TRAIN.csv --test TEST.csv [--test-classes World,Sports,...] [--repeats N]

TRAIN is Comprehend CSV (label,text). TEST is too, or with --test-classes a file of class number (from 1), title and
text. The turn runs in the simulation on the local Comprehend, which really trains and answers. Each repeat shuffles
the training documents anew and runs two flywheels:

- a few more: four in five of the documents, then 300 of the same kind;
- all: a tenth of the documents, then all the others.

MinimumScore is 0, and so is MinimumImprovement unless it is given: then only the interval keeps a candidate with a
better score.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import sys
import tarfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from sklearn.metrics import accuracy_score, confusion_matrix, precision_recall_fscore_support

from flywheel.records.decisions import Evidence, HoldoutResult
from flywheel.records.holdouts import FrozenHoldout, HoldoutAttempt, holdout_key
from flywheel.records.turns import TurnRecord
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import Document
from tests.simulation.installation import installed

TOLERANCE = 1e-9
A_FEW = 300


def main() -> int:
    with installed():
        return measure()


def measure() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--test-classes", default="", help="labels of the class numbers of TEST, joined with commas")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--minimum-improvement", type=float, default=0.0)
    arguments = parser.parse_args()
    train = [(row[0], row[1]) for row in rows_of(arguments.train)]
    test = test_documents(arguments.test, arguments.test_classes.split(",") if arguments.test_classes else [])
    labels = tuple(sorted({label for label, _ in train}))
    print(f"{len(train)} training documents, {len(test)} test documents, labels {', '.join(labels)}")
    worst = 0.0
    for seed in range(arguments.repeats):
        shuffled = random.Random(seed).sample(train, len(train))
        most, tenth = len(train) * 4 // 5, len(train) // 10
        for name, first, last in (("a few more", most, most + A_FEW), ("all", tenth, len(train))):
            began = time.monotonic()
            at = Deployment(labels=labels, evidence=Evidence.HOLDOUT, minimum_improvement=arguments.minimum_improvement)
            record = compare(at, shuffled[:first], shuffled[first:last], test)
            worst = max(worst, *(difference_to_sklearn(at, record, which) for which in ("active", "candidate")))
            print(f"repeat {seed}, {name} ({first} then {last}): {summary(record)}")
            print(f"    {record.reasons[0]} [{time.monotonic() - began:.0f} s]")
    print(f"largest difference to scikit-learn: {worst:.1e}")
    return 0 if worst <= TOLERANCE else 1


def rows_of(file: Path) -> Iterator[list[str]]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.reader(lines)


def test_documents(file: Path, classes: Sequence[str]) -> list[Document]:
    if classes:
        return [(classes[int(row[0]) - 1], f"{row[1]}: {row[2]}") for row in rows_of(file)]
    return [(row[0], row[1]) for row in rows_of(file)]


def compare(at: Deployment, first: list[Document], more: list[Document], test: list[Document]) -> TurnRecord:
    """The turn that gets `more`, after one that made a model of `first`."""
    at.upload("test/test.csv", test)
    at.upload("train/first.csv", first)
    at.run_turn()
    at.upload("train/more.csv", more)
    return at.run_turn()


def difference_to_sklearn(at: Deployment, record: TurnRecord, which: str) -> float:
    """The largest difference of any figure of a model to scikit-learn's on the same answers, read anew."""
    holdout = record.holdout
    result: HoldoutResult | None = getattr(holdout, which)
    if holdout is None or result is None:
        raise SystemExit(f"The {which} model was not scored: {record.error or record.reasons}")
    frozen = at.bucket.require(holdout_key(holdout.holdout_id), FrozenHoldout)
    truths = [labels[0] for labels in frozen.labels]
    answers = answers_of(at, result.arn, holdout_id=holdout.holdout_id)
    ordered = list(at.labels)
    pairs: list[tuple[float, float]] = [(result.accuracy, accuracy_score(truths, answers))]
    for average, scores in (("macro", result.macro), ("micro", result.micro)):
        found = precision_recall_fscore_support(truths, answers, labels=ordered, average=average, zero_division=0)
        pairs += zip((scores.precision, scores.recall, scores.f1), found[:3], strict=True)
    each = precision_recall_fscore_support(truths, answers, labels=ordered, zero_division=0)
    for label, *found in zip(result.labels, *each, strict=True):
        pairs += zip((label.precision, label.recall, label.f1, label.support), found, strict=True)
    counts = {(pair.true, pair.predicted): pair.documents for pair in result.confusions}
    matrix = confusion_matrix(truths, answers, labels=ordered)
    for true, row in zip(ordered, matrix, strict=True):
        pairs += ((counts.get((true, said), 0), count) for said, count in zip(ordered, row, strict=True))
    return max(abs(float(mine) - float(theirs)) for mine, theirs in pairs)


def answers_of(at: Deployment, model_arn: str, *, holdout_id: str) -> list[str]:
    """The best class of each line of the job's output, read without the pipeline; of equals the first in its list."""
    keys = [key for key in at.keys(f"evaluations/predictions/{holdout_id}/") if key.endswith("/prediction.json")]
    found = next(p for p in at.bucket.read_all(keys, HoldoutAttempt) if p.model_arn == model_arn)
    content = at.bucket.read_bytes(found.archive or "")
    by_line: dict[int, str] = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as members:
        for member in members:
            lines = members.extractfile(member)
            for line in lines or ():
                answer = json.loads(line)
                best = max(entry["Score"] for entry in answer["Classes"])
                equals = [entry["Name"] for entry in answer["Classes"] if entry["Score"] == best]
                by_line[int(answer["Line"])] = min(equals, key=at.labels.index)
    return [by_line[line] for line in range(len(by_line))]


def summary(record: TurnRecord) -> str:
    holdout = record.holdout
    if holdout is None or holdout.candidate is None or holdout.active is None or holdout.interval is None:
        return f"{record.decision}"
    interval = holdout.interval
    return (
        f"{record.decision}; {holdout.documents} documents, F1 {holdout.active.macro.f1:.4f} -> "
        f"{holdout.candidate.macro.f1:.4f}, gain {interval.difference:+.4f} in [{interval.low:+.4f}, "
        f"{interval.high:+.4f}], ${holdout.dollars:.2f}"
    )


if __name__ == "__main__":
    sys.exit(main())
