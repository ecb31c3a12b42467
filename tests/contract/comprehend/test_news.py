"""Training on real news gives the quality it should; skips where the data are not at hand."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.contract.comprehend_world import World
from tests.contract.sample_documents import csv_of

DATA = Path(__file__).parents[4] / "shared" / "data"
TRAIN = DATA / "aws_comprehend_active_learning" / "train.csv"
TEST = DATA / "ag_news" / "test.csv"
CLASSES = {"1": "World", "2": "Sports", "3": "Business", "4": "SciTech"}


@pytest.mark.skipif(not (TRAIN.exists() and TEST.exists()), reason="the news data are not part of the project")
def test_macro_f1_on_ag_news(world: World) -> None:
    judged = csv.reader(io.StringIO(TEST.read_text(encoding="utf-8"), newline=""))
    test = csv_of((CLASSES[class_], f"{title}: {text}") for class_, title, text in judged)
    task = {
        "LanguageCode": "en",
        "DocumentClassificationConfig": {"Mode": "MULTI_CLASS", "Labels": list(CLASSES.values())},
    }
    flywheel = world.flywheel(TaskConfig=task)
    assert world.dataset(flywheel, "train", TRAIN.read_bytes())["NumberOfDocuments"] == 6161
    assert world.dataset(flywheel, "test", test, type_="TEST")["NumberOfDocuments"] == 7600
    iteration = world.iterate(flywheel)
    assert iteration["TrainedModelMetrics"]["AverageF1Score"] >= 0.87
