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
from tests.pipeline.deployment import settled
from tests.pipeline.imports.importing import ImportingDeployment, SourceModels
from tests.pipeline.operator import PERSON, importer
from tests.pipeline.turn_driver import LABELS, as_csv, documents

Trained = tuple[SourceModels, str, str]


def shown(view: object) -> str:
    console = Console(width=400, record=True, file=StringIO())
    console.print(view)
    return console.export_text()


def serving_two(trained: Trained, *, withdrawn: bool = False) -> tuple[ImportingDeployment, str, str]:
    """A deployment that has imported both, and serves the second; their ARNs there."""
    _, first, second = trained
    at = ImportingDeployment()
    early = at.now() - timedelta(minutes=5)
    at.hear_and_promote(at.shared(first, at=early, scores=Metrics(F1Score=0.75)))
    at.hear_and_promote(at.shared(second, promotion="promotion-000002", scores=Metrics(F1Score=0.875)))
    if withdrawn:
        at.hear(at.withdrawn(second, instead=first))
    return at, at.service.version_arn(first), at.service.version_arn(second)


class TestModels:
    def test_each_version_says_where_it_comes_from_and_its_scores_there(self, trained: Trained) -> None:
        _, first, second = trained
        at, older, newer = serving_two(trained)
        found = {version.arn: version for version in list_models(importer(at))}
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

    def test_one_that_was_refused_is_listed_too(self, trained: Trained) -> None:
        source, *_ = trained
        at, *_ = serving_two(trained)
        private = source.train("private", trusted=None)
        at.hear_and_promote(at.shared(private, promotion="promotion-000003"))
        (newest,) = [version for version in list_models(importer(at)) if version.source_model_arn == private]
        assert newest.status == NOT_HERE
        assert newest.promotion
        assert newest.promotion.status is PromotionStatus.REFUSED
        assert newest.active == ()
        found = import_status(importer(at))
        assert found.newest == newest
        assert "refused" in shown(import_status_view(found))

    def test_one_that_the_source_withdrew_is_marked(self, trained: Trained) -> None:
        at, _, newer = serving_two(trained, withdrawn=True)
        found = import_status(importer(at))
        assert [version.arn for version in found.withdrawn] == [newer]
        assert found.active
        assert found.active.marks == (ModelMark.ACTIVE, ModelMark.WITHDRAWN)
        assert "which serves here" in shown(import_status_view(found))


class TestStatus:
    def test_of_a_new_deployment(self) -> None:
        found = import_status(importer(ImportingDeployment()))
        assert (found.active, found.newest, found.withdrawn) == (None, None, ())
        assert "flywheel news in account 444455556666" in shown(import_status_view(found))

    def test_says_what_serves_with_its_scores_and_its_smoke_test(self, trained: Trained) -> None:
        _, first, _ = trained
        at = ImportingDeployment(smoke_test_key="smoke.csv")
        at.upload("smoke.csv", as_csv(documents(*LABELS, start=100, count=1)))
        at.hear_and_promote(at.shared(first, scores=Metrics(F1Score=0.75)))
        found = import_status(importer(at))
        assert found.active
        assert found.active.arn == at.service.version_arn(first)
        assert found.smoke_test
        assert found.smoke_test.passed
        text = shown(import_status_view(found))
        assert "F1Score 0.7500 (news in account 444455556666)" in text
        assert "The smoke test passed: 2 of 2" in text


class TestRollback:
    @pytest.mark.parametrize("by", ["default", "name", "arn", "source"])
    def test_to_the_former_version(self, trained: Trained, by: str) -> None:
        _, first, _ = trained
        at, older, _ = serving_two(trained)
        to = {"default": None, "name": older.rpartition("/")[2], "arn": older, "source": first}[by]
        asked = rollback(importer(at), to=to, reason="It is wrong.")
        assert asked.request
        assert (asked.request.source, asked.request.by) == (PromotionSource.OPERATOR, PERSON)
        at.promote_all()
        assert at.parameters()["active-model-arn"] == older
        assert len(at.imported()) == 2

    def test_to_the_active_one_asks_for_nothing(self, trained: Trained) -> None:
        at, _, newer = serving_two(trained)
        assert rollback(importer(at), to=newer).request is None

    def test_to_one_that_was_deleted_says_how_to_import_it_again(self, trained: Trained) -> None:
        _, first, _ = trained
        at, older, _ = serving_two(trained)
        at.comprehend.delete_document_classifier(DocumentClassifierArn=older)
        settled(lambda: [at.status_of(older)], lambda found: found[0] is None)
        with pytest.raises(OperatorError, match=f"flywheel import {first}"):
            rollback(importer(at))

    def test_to_none_that_there_is(self, trained: Trained) -> None:
        at, *_ = serving_two(trained)
        with pytest.raises(UnknownVersionError, match="nothing-like-it"):
            rollback(importer(at), to="nothing-like-it")


class TestImport:
    def test_of_a_version_that_nobody_announced(self, trained: Trained) -> None:
        _, first, _ = trained
        at = ImportingDeployment(promotion_mode=PromotionMode.APPROVAL)
        asked = import_model(importer(at), first)
        assert asked.request
        assert asked.request.source_model_arn == first
        at.promote_all()
        end = at.bucket.require(promotions.end_key(asked.request.id), promotions.Promotion)
        assert (end.status, end.by, end.source_model_arn) == (PromotionStatus.PROMOTED, PERSON, first)
        assert at.parameters()["active-model-arn"] == at.service.version_arn(first)
        assert import_model(importer(at), first).request is None, "it serves"

    def test_of_one_that_was_imported_before_imports_nothing(self, trained: Trained) -> None:
        _, first, _ = trained
        at, older, _ = serving_two(trained)
        import_model(importer(at), first)
        at.promote_all()
        assert at.parameters()["active-model-arn"] == older
        assert len(at.imported()) == 2

    @pytest.mark.parametrize(
        ("arn", "why"),
        [
            ("first", "is not the ARN of a"),
            ("arn:aws:comprehend:eu-west-1:444455556666:document-classifier/a/version/b", "another Region"),
            ("arn:aws:comprehend:us-east-1:999955556666:document-classifier/a/version/b", "is not a model of account"),
        ],
    )
    def test_of_what_the_source_cannot_have(self, arn: str, why: str) -> None:
        at = ImportingDeployment()
        with pytest.raises(AnnouncementRefused, match=why):
            import_model(importer(at), arn)
        assert list(at.bucket.keys(promotions.REQUESTS)) == []


class TestApproval:
    def test_a_promotion_is_named_as_status_says(self, trained: Trained) -> None:
        _, first, second = trained
        at = ImportingDeployment(promotion_mode=PromotionMode.APPROVAL)
        import_model(importer(at), first)
        at.promote_all()
        at.hear_and_promote(at.shared(second, scores=Metrics(F1Score=0.75)))
        (waiting,) = import_status(importer(at)).promotions.open
        assert (waiting.status, waiting.promotion) == (PromotionStatus.WAITING, "promotion-000002")
        assert waiting.former_model_arn == at.service.version_arn(first)
        for name in ("promotion-000002", "2"):
            assert find_request(importer(at), name).source_model_arn == second
        with pytest.raises(OperatorError, match="There is no promotion 3"):
            approve(importer(at), "3")
        assert at.promotion
        at.promotion.approve()

    def test_before_any(self) -> None:
        with pytest.raises(OperatorError, match="No promotion has begun yet"):
            approve(importer(ImportingDeployment()), "1")

    def test_of_one_that_asked_nobody(self, trained: Trained) -> None:
        at, *_ = serving_two(trained)
        with pytest.raises(OperatorError) as refused:
            approve(importer(at), "1")
        assert not isinstance(refused.value, NotAskedError)


class TestReport:
    def test_is_the_page_in_the_bucket(self, trained: Trained, tmp_path: Path) -> None:
        _, first, second = trained
        at, *_ = serving_two(trained)
        saved = save_report(importer(at), output=tmp_path / "page.html")
        assert saved.promotion == "promotion-000002"
        page = Path(saved.path).read_text()
        assert saved.uri == f"s3://{at.name}/{promotions.page_key('promotion-000002')}"
        assert at.bucket.read_bytes(promotions.page_key("promotion-000002")).decode() == page
        assert second in page
        assert "0.8750" in page
        assert first in Path(save_report(importer(at), "1", output=tmp_path / "1.html").path).read_text()

    def test_of_one_that_waits_says_so(self, trained: Trained, tmp_path: Path) -> None:
        _, first, _ = trained
        at = ImportingDeployment(promotion_mode=PromotionMode.APPROVAL)
        at.hear_and_promote(at.shared(first))
        page = Path(save_report(importer(at), output=tmp_path / "page.html").path).read_text()
        assert "waits for a person" in page
        assert "The source has told no scores of it." in page

    def test_before_any(self) -> None:
        with pytest.raises(OperatorError, match="No promotion has begun yet"):
            save_report(importer(ImportingDeployment()))
