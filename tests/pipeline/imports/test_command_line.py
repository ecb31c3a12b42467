"""The command line where models are imported: what it shows of them, and what it asks for."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from flywheel.imports.receive_announcement import AnnouncementRefused
from flywheel.records import promotions
from flywheel.records.decisions import Metrics
from flywheel.records.promotions import PromotionMode, PromotionSource, PromotionStatus
from ops.deployment.errors import NotAskedError, OperatorError, UnknownVersionError
from ops.tables.import_status import import_status_view
from ops.tables.models import models_table
from ops.verbs.approve import approve
from ops.verbs.import_model import import_model
from ops.verbs.import_status import import_status
from ops.verbs.models import NOT_HERE, ModelMark, list_models
from ops.verbs.promotions import find_request
from ops.verbs.report import save_report
from ops.verbs.rollback import rollback
from tests.pipeline.documents import LABELS, as_csv, documents
from tests.pipeline.imports.importing import ImportingDeployment


def shown(view: object) -> str:
    console = Console(width=400, record=True, file=StringIO())
    console.print(view)
    return console.export_text()


def serving_two(*, withdrawn: bool = False) -> tuple[ImportingDeployment, str, str]:
    """A deployment that has imported both models of the source, and serves the second."""
    at = ImportingDeployment()
    first, second = at.source.train("first"), at.source.train("second")
    early = at.now() - timedelta(minutes=5)
    at.hear(at.shared(first, at=early, scores=Metrics(F1Score=0.75)))
    at.hear(at.shared(second, promotion="promotion-000002", scores=Metrics(F1Score=0.875)))
    if withdrawn:
        at.hear(at.withdrawn(second, instead=first))
    return at, first, second


class TestModels:
    def test_each_version_says_where_it_comes_from_and_its_scores_there(self) -> None:
        at, first, second = serving_two()
        older, newer = at.service.version_arn(first), at.service.version_arn(second)
        found = {version.arn: version for version in list_models(at.operator)}
        assert set(found) == {older, newer}
        assert [found[arn].source_model_arn for arn in (older, newer)] == [first, second]
        assert [found[arn].score.metrics.F1Score for arn in (older, newer)] == [0.75, 0.875]
        assert [found[arn].marks for arn in (older, newer)] == [(ModelMark.PREVIOUS,), (ModelMark.ACTIVE,)]
        last = found[newer].promotion
        assert last
        assert last.status is PromotionStatus.PROMOTED
        table = shown(models_table(list(found.values()), metric="F1Score", imported=True))
        assert "F1Score there" in table
        assert "0.8750" in table
        assert second.partition("document-classifier/")[2] in table

    def test_one_that_was_refused_is_listed_too(self) -> None:
        at, *_ = serving_two()
        private = at.source.train("private", trusted=None)
        at.hear(at.shared(private, promotion="promotion-000003"))
        (newest,) = [version for version in list_models(at.operator) if version.source_model_arn == private]
        assert newest.status == NOT_HERE
        assert newest.promotion
        assert newest.promotion.status is PromotionStatus.REFUSED
        assert newest.active == ()
        found = import_status(at.operator)
        assert found.newest == newest
        assert "refused" in shown(import_status_view(found))

    def test_one_that_the_source_withdrew_is_marked(self) -> None:
        at, _, second = serving_two(withdrawn=True)
        found = import_status(at.operator)
        assert [version.arn for version in found.withdrawn] == [at.service.version_arn(second)]
        assert found.active
        assert found.active.marks == (ModelMark.ACTIVE, ModelMark.WITHDRAWN)
        assert "which serves here" in shown(import_status_view(found))


class TestStatus:
    def test_of_a_new_deployment(self) -> None:
        found = import_status(ImportingDeployment().operator)
        assert (found.active, found.newest, found.withdrawn) == (None, None, ())
        assert "flywheel news in account 111122223333" in shown(import_status_view(found))

    def test_says_what_serves_with_its_scores_and_its_smoke_test(self) -> None:
        at = ImportingDeployment(smoke_test_key="serving/smoke.csv")
        first = at.source.train("first")
        at.upload("serving/smoke.csv", as_csv(documents(*LABELS, start=100, count=1)))
        at.hear(at.shared(first, scores=Metrics(F1Score=0.75)))
        found = import_status(at.operator)
        assert found.active
        assert found.active.arn == at.service.version_arn(first)
        assert found.smoke_test
        assert found.smoke_test.passed
        text = shown(import_status_view(found))
        assert "F1Score 0.7500 (news in account 111122223333)" in text
        assert "The smoke test passed: 2 of 2" in text


class TestRollback:
    @pytest.mark.parametrize("by", ["default", "name", "arn", "source"])
    def test_to_the_former_version(self, by: str) -> None:
        at, first, _ = serving_two()
        older = at.service.version_arn(first)
        to = {"default": None, "name": older.rpartition("/")[2], "arn": older, "source": first}[by]
        asked = rollback(at.operator, to=to, reason="It is wrong.")
        assert asked.request
        assert (asked.request.source, asked.request.by) == (PromotionSource.OPERATOR, at.operator.clients.caller())
        at.promote_all()
        assert at.parameters()["active-model-arn"] == older
        assert len(at.imported()) == 2

    def test_to_the_active_one_asks_for_nothing(self) -> None:
        at, _, second = serving_two()
        assert rollback(at.operator, to=at.service.version_arn(second)).request is None

    def test_to_one_that_was_deleted_says_how_to_import_it_again(self) -> None:
        at, first, _ = serving_two()
        older = at.service.version_arn(first)
        at.comprehend.delete_document_classifier(DocumentClassifierArn=older)
        at.let_pass(timedelta(minutes=1))
        with pytest.raises(OperatorError, match=f"flywheel import {first}"):
            rollback(at.operator)

    def test_to_none_that_there_is(self) -> None:
        at, *_ = serving_two()
        with pytest.raises(UnknownVersionError, match="nothing-like-it"):
            rollback(at.operator, to="nothing-like-it")


class TestImport:
    def test_of_a_version_that_nobody_announced(self) -> None:
        at = ImportingDeployment(promotion_mode=PromotionMode.APPROVAL)
        first = at.source.train("first")
        asked = import_model(at.operator, first)
        assert asked.request
        assert asked.request.source_model_arn == first
        at.promote_all()
        end = at.bucket.require(promotions.end_key(asked.request.id), promotions.Promotion)
        assert (end.status, end.by, end.source_model_arn) == (PromotionStatus.PROMOTED, asked.request.by, first)
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)
        assert import_model(at.operator, first).request is None, "it serves"

    def test_of_one_that_was_imported_before_imports_nothing(self) -> None:
        at, first, _ = serving_two()
        older = at.service.version_arn(first)
        import_model(at.operator, first)
        at.promote_all()
        assert at.parameters()["active-model-arn"] == older
        assert len(at.imported()) == 2

    @pytest.mark.parametrize(
        ("arn", "why"),
        [
            ("first", "is not the ARN of a"),
            ("arn:aws:comprehend:eu-west-1:111122223333:document-classifier/a/version/b", "another Region"),
            ("arn:aws:comprehend:us-east-1:999955556666:document-classifier/a/version/b", "is not a model of account"),
        ],
    )
    def test_of_what_the_source_cannot_have(self, arn: str, why: str) -> None:
        at = ImportingDeployment()
        with pytest.raises(AnnouncementRefused, match=why):
            import_model(at.operator, arn)
        assert list(at.bucket.keys(promotions.REQUESTS)) == []


class TestApproval:
    def test_a_promotion_is_named_as_status_says(self) -> None:
        at = ImportingDeployment(promotion_mode=PromotionMode.APPROVAL)
        first, second = at.source.train("first"), at.source.train("second")
        import_model(at.operator, first)
        at.promote_all()
        at.hear(at.shared(second, scores=Metrics(F1Score=0.75)))
        (waiting,) = import_status(at.operator).promotions.open
        assert (waiting.status, waiting.promotion) == (PromotionStatus.WAITING, "promotion-000002")
        assert waiting.former_model_arn == at.service.version_arn(first)
        for name in ("promotion-000002", "2"):
            assert find_request(at.operator, name).source_model_arn == second
        with pytest.raises(OperatorError, match="There is no promotion 3"):
            approve(at.operator, "3")
        at.waiting_promotion().approve()

    def test_before_any(self) -> None:
        with pytest.raises(OperatorError, match="No promotion has begun yet"):
            approve(ImportingDeployment().operator, "1")

    def test_of_one_that_asked_nobody(self) -> None:
        at, *_ = serving_two()
        with pytest.raises(OperatorError) as refused:
            approve(at.operator, "1")
        assert not isinstance(refused.value, NotAskedError)


class TestReport:
    def test_is_the_page_in_the_bucket(self, tmp_path: Path) -> None:
        at, first, second = serving_two()
        saved = save_report(at.operator, output=tmp_path / "page.html")
        assert saved.promotion == "promotion-000002"
        page = Path(saved.path).read_text()
        assert saved.uri == f"s3://{at.app.intake}/{promotions.page_key('promotion-000002')}"
        assert at.bucket.read_bytes(promotions.page_key("promotion-000002")).decode() == page
        assert second in page
        assert "0.8750" in page
        assert first in Path(save_report(at.operator, "1", output=tmp_path / "1.html").path).read_text()

    def test_of_one_that_waits_says_so(self, tmp_path: Path) -> None:
        at = ImportingDeployment(promotion_mode=PromotionMode.APPROVAL)
        first = at.source.train("first")
        at.hear(at.shared(first))
        page = Path(save_report(at.operator, output=tmp_path / "page.html").path).read_text()
        assert "waits for a person" in page
        assert "The source has told no scores of it." in page

    def test_before_any(self) -> None:
        with pytest.raises(OperatorError, match="No promotion has begun yet"):
            save_report(ImportingDeployment().operator)
