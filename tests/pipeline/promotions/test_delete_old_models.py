"""Which models are kept, and what a kill or a refusal of Comprehend leaves."""

from __future__ import annotations

import contextlib
import itertools

import pytest

from flywheel.records.promotions import PromotionMode, PromotionSource
from flywheel.records.turns import DeletedModels, deleted_key
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.documents import LABELS, documents
from tests.pipeline.promotions.world import TEST, World, models
from tests.simulation.functions import FunctionFailed


class TestRetention:
    @pytest.fixture
    def many(self) -> Deployment:
        """Seven models, of which the fourth is active and the second was before."""
        at = Deployment(promotion_mode=PromotionMode.NEVER)
        at.upload("test/a.csv", TEST)
        for number in range(7):
            at.upload(f"train/{number}.csv", documents(*LABELS, start=1000 * number, count=10))
            at.run_turn()
        world = World(at=at, active="", better="", other="")
        for index in (1, 3):
            world.ask(models(at)[index], source=PromotionSource.OPERATOR)
            at.promote_all()
        return at

    def test_keeps_the_newest_and_what_is_needed(self, many: Deployment) -> None:
        before = models(many)
        world = World(at=many, active=before[3], better="", other="")
        many.change(promotion_mode=PromotionMode.APPROVAL)
        world.ask(before[2])
        many.promote_all()
        many.change(models_to_keep=1)
        run_retention(many)
        assert models(many) == [before[1], before[2], before[3], before[6]]

    def test_keeps_what_a_promotion_may_have_to_put_back(self, many: Deployment) -> None:
        before = models(many)
        many.comprehend.update_flywheel(FlywheelArn=many.flywheel_arn, ActiveModelArn=before[4])
        World(at=many, active=before[4], better="", other="").ask(before[2])
        many.operator.poke_promotions()
        promotion = many.run_before("PublishModel", machine="Promote")
        many.change(models_to_keep=1)
        run_retention(many)
        assert models(many) == [before[1], before[2], before[3], before[4], before[6]]
        many.go_on(promotion)

    def test_keeps_what_is_desired(self, many: Deployment) -> None:
        before = models(many)
        World(at=many, active="", better="", other="").edit(before[0])
        many.change(models_to_keep=2)
        run_retention(many)
        assert models(many) == [before[0], before[1], before[3], before[5], before[6]]

    def test_keeps_what_is_in_use_and_says_so(self, many: Deployment) -> None:
        before = models(many)
        many.change(models_to_keep=1)
        many.faults.add(Fault(operation="DeleteDocumentClassifier", code="ResourceInUseException", times=1))
        found = run_retention(many)
        assert found.in_use == (before[0],)
        assert found.deleted == (before[2], before[4], before[5])
        assert models(many) == [before[0], before[1], before[3], before[6]]

    def test_leaves_models_of_others_alone(self, many: Deployment) -> None:
        former = models(many)
        many.replace_flywheel()
        many.change(models_to_keep=1)
        run_retention(many)
        assert models(many) == former

    def test_a_killed_retention_is_repeated_and_its_record_is_whole(self, many: Deployment) -> None:
        before = models(many)
        many.change(models_to_keep=1)
        turn = many.start_turn().run_before("BeginTurn")
        for changes in itertools.count():
            many.script.kill(after=changes % 3)
            with contextlib.suppress(FunctionFailed):
                many.invoke("delete_old_models", {"turn": turn.name})
            if not many.script.killed:
                break
        many.script.kill()
        assert changes > 4, "it was hardly killed"
        found = many.bucket.require(deleted_key(turn.name), DeletedModels)
        assert models(many) == [before[1], before[3], before[6]]
        assert sorted(found.deleted) == sorted([before[0], before[2], before[4], before[5]])


def run_retention(at: Deployment) -> DeletedModels:
    turn = at.start_turn().run_before("BeginTurn")
    at.invoke("delete_old_models", {"turn": turn.name})
    turn.stop()
    return at.bucket.read(deleted_key(turn.name), DeletedModels) or DeletedModels()
