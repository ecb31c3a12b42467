"""How much better a classifier gets by reviewed documents: by those that the queue serves first, and at random.

    python -m benchmarks.review_learning TRAIN.csv TEST.csv [--first 60]

Both files are Comprehend's CSV (label, text; no header). Of each label the first model is trained on `--first`
documents; the others are the traffic that is reviewed.
"""

from __future__ import annotations

import argparse
import csv
import random
from collections import Counter
from pathlib import Path
from statistics import mean

from local.review.curves import MISTAKES, REVIEWED, Curves, Row, curves

SEEDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("--first", type=int, default=60)
    given = parser.parse_args()
    rows, test = (list(dict.fromkeys(_rows(path))) for path in (given.train, given.test))
    found = [_of_seed(seed, rows, test, first=given.first) for seed in range(SEEDS)]
    print(f"macro F1 on {len(test)} documents after {REVIEWED} answers, {MISTAKES:.0%} of them wrong; {SEEDS} seeds")
    for each in found:
        by_order, at_random = each.by_order[-1], each.at_random[-1]
        print(f"seed {each.seed}: {each.by_order[0]:.4f}, by order {by_order:.4f}, at random {at_random:.4f}")
    gains = [mean(getattr(each, how)[-1] - each.by_order[0] for each in found) for how in ("by_order", "at_random")]
    print(f"mean gain: by order {gains[0]:+.4f}, at random {gains[1]:+.4f}")


def _of_seed(seed: int, rows: list[Row], test: list[Row], *, first: int) -> Curves:
    shuffled = random.Random(seed).sample(rows, len(rows))
    seen: Counter[str] = Counter()
    before: list[Row] = []
    pool: list[Row] = []
    for row in shuffled:
        seen[row[0]] += 1
        (before if seen[row[0]] <= first else pool).append(row)
    return curves(seed, before=before, pool=pool, test=test)


def _rows(path: Path) -> list[Row]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [(row[0], row[1]) for row in csv.reader(file)]


if __name__ == "__main__":
    main()
