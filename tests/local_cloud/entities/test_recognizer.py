"""A recognizer's flywheel as it is deployed: under the functions' own roles, from a dropped folder to answers."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from flywheel.records.analyses import AnalysisOutcome, AnalysisSummary, output_key
from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionStatus
from flywheel.records.serving import ServingStatus, smoke_test_of
from local.cloud import LocalCloud
from ops.verbs.classify import find_api
from ops.verbs.upload import upload
from ops.verbs.validate import options_of, rules_of, validate
from tests.local_cloud.pipeline import LONG, NAME, Pipeline
from tests.local_cloud.resources import Synthesise, until
from tests.local_cloud.serving_stack import Serving
from tests.pipeline.entities.documents import TYPES, Annotated, annotated, as_json_lines

CONTEXT = {"name": NAME, "model_type": "ENTITY_RECOGNIZER", "entity_types": ",".join(TYPES)}
SMOKE_TEST_KEY = "serving/smoke.jsonl.gz"
ANALYSIS_STACK = f"{NAME}-analysis"


def as_folder(documents: list[Annotated]) -> dict[str, bytes]:
    rows = ["File,Line,Begin Offset,End Offset,Type"]
    for line, (_, spans) in enumerate(documents):
        rows += [f"letters.txt,{line},{span.begin},{span.end},{span.type}" for span in spans]
    lines = [text for text, _ in documents]
    return {"letters.txt": "\n".join(lines).encode(), "annotations.csv": "\n".join(rows).encode()}


@pytest.fixture(scope="module")
def deployed(cloud: LocalCloud, synthesise: Synthesise) -> Serving:
    """All three stacks, with a model that learned from a folder; the hold-out decided, and the smoke test passed."""
    assembly = synthesise(context=CONTEXT)
    account = cloud.account("100000000090")
    pipeline = Pipeline.deploy(account, assembly, TriggerOnUpload="false", Evidence="HOLDOUT")
    pipeline.drop("test/people.jsonl", as_json_lines(annotated(start=300, count=60)))
    for name, content in as_folder(annotated(count=200)).items():
        pipeline.drop(f"train/letters/{name}.gz", gzip.compress(content))
    record = pipeline.turn_now()
    assert record.decision is DecisionKind.PROMOTE, record
    assert pipeline.promotion_of(record).status is PromotionStatus.PROMOTED
    pipeline.drop(SMOKE_TEST_KEY, gzip.compress(as_json_lines(annotated(start=500, count=5))))
    serving = Serving(pipeline=pipeline, assembly=assembly)
    serving.deploy(InferenceUnits="50", SmokeTestKey=SMOKE_TEST_KEY, SmokeTestMinimum="0.6")
    serving.state_becomes(ServingStatus.IN_SERVICE)
    parameters = {"QuietPeriodMinutes": "0", "PollSeconds": "30", "DocumentsPerPart": "4"}
    given = {f"{ANALYSIS_STACK}:{key}": value for key, value in parameters.items()}
    account.deploy(assembly, stacks=[ANALYSIS_STACK], parameters=given)
    return serving


def test_the_model_is_a_recognizer_that_the_hold_out_and_the_smoke_test_measured(deployed: Serving) -> None:
    pipeline = deployed.pipeline
    model = pipeline.active_model()
    assert model is not None
    assert ":entity-recognizer/" in model
    (record,) = pipeline.records()
    assert record.holdout is not None
    assert record.holdout.candidate is not None
    assert record.holdout.candidate.micro.f1 > 0.5
    assert {result.upload.key for result in record.uploads} == {"train/letters/", "test/people.jsonl"}
    tested = until(lambda: smoke_test_of(model, intake=pipeline.deployment.intake), patience=LONG)
    assert (tested.documents, tested.passed) == (5, True)


def test_the_api_finds_entities(deployed: Serving) -> None:
    (text, spans), *_ = annotated(start=900, count=1)
    answer = find_api(deployed.pipeline.deployment).classify([f"\U0001f600 {text}"])
    assert answer.status == 200
    (document,) = answer.body["documents"]
    found = {(one["begin"], one["end"], one["type"]) for one in document["entities"]}
    assert found & {(span.begin + 2, span.end + 2, span.type) for span in spans}
    for one in document["entities"]:
        assert f"\U0001f600 {text}"[one["begin"] : one["end"]] == one["text"]
        assert one["begin_utf16"] == one["begin"] + 1


def test_an_analysis_job_gives_each_line_its_entities(deployed: Serving) -> None:
    pipeline = deployed.pipeline
    lines = [text for text, _ in annotated(start=700, count=6)]
    pipeline.drop("analysis/input/letters/a.txt", "\n".join(lines).encode())
    pipeline.drop("analysis/input/letters/job.json", b"")
    intake = pipeline.deployment.intake
    summary = until(lambda: intake.read(output_key("letters", "summary.json"), AnalysisSummary), patience=LONG)
    assert summary.outcome is AnalysisOutcome.SUCCEEDED, summary.reason
    rows = [json.loads(line) for line in intake.read_bytes(output_key("letters", "predictions.jsonl")).splitlines()]
    assert [row["text"] for row in rows] == lines
    assert all(row["text"][one["begin"] : one["end"]] == one["text"] for row in rows for one in row["entities"])
    assert summary.labels["PERSON"] >= 4


def test_an_operator_validates_a_folder_and_uploads_it(deployed: Serving, tmp_path: Path) -> None:
    deployment = deployed.pipeline.deployment
    folder = tmp_path / "postcards"
    folder.mkdir()
    for name, content in as_folder(annotated(start=1100, count=30)).items():
        (folder / name).write_bytes(content)
    (found,) = validate([folder], rules=rules_of(deployment), options=options_of(deployment))
    assert found.annotations == dict.fromkeys(TYPES, 30)
    uploaded = upload(deployment, [folder])
    assert [file.key for file in uploaded] == ["train/postcards/annotations.csv", "train/postcards/letters.txt"]
    assert set(deployment.intake.keys("train/postcards/")) == {file.key for file in uploaded}
