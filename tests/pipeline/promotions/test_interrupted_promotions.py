"""What two promotions at once, a redrive or a kill at any place leaves."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from flywheel.comprehend.flywheel import FOUND_WITHIN
from flywheel.promotions import requests
from flywheel.promotions.start_promotion import Poke
from flywheel.records import promotions, turns
from flywheel.records.promotions import Promotion, PromotionMode, PromotionSource, PromotionStatus
from flywheel.records.turns import TurnRecord
from flywheel.store.lease import Lease
from local.comprehend.faults import Fault
from tests.pipeline.deployed import Deployment
from tests.pipeline.promotions.world import BETTER, TEST, WRONG, World
from tests.simulation.functions import FunctionFailed


class TestTwoAtOnce:
    @pytest.mark.parametrize("done", ["BeginPromotion", "CheckModel", "UpdateActiveModel", "PublishModel"])
    def test_a_promotion_that_is_not_the_current_one_changes_nothing(self, world: World, done: str) -> None:
        at = world.at
        at.change(promotion_mode=PromotionMode.AUTOMATIC)
        world.ask(world.better)
        at.operator.poke_promotions()
        stale = at.run_before(done, machine="Promote")
        execution = at.executions("Promote")[-1]
        at.stop("Promote")
        at.settle()
        world.ask(world.better, source=PromotionSource.OPERATOR)
        at.promote_all()
        assert at.active_model() == world.better
        world.ask(world.other, source=PromotionSource.OPERATOR)
        at.promote_all()
        at.script.kill()
        for function in ("check_model", "update_active_model", "publish_model"):
            with pytest.raises(FunctionFailed, match="NotCurrentPromotion"):
                at.invoke(function, {"promotion": stale})
        assert at.script.changes == []
        # The redriven execution fails, and its report changes nothing but its own record.
        execution.redrive()
        at.settle()
        assert (execution.status, execution.error) == ("FAILED", "NotCurrentPromotion")
        world.check_at_rest(active=world.other, previous=world.better)
        assert [end.status for end in world.ends() if end.status is PromotionStatus.FAILED] == []

    def test_the_same_step_twice_is_once(self, world: World) -> None:
        world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.script.lose_answers()
        world.at.promote_all()
        world.check_at_rest(active=world.better, previous=world.active)

    def test_publishing_waits_until_comprehend_says_that_the_model_is_active(self, world: World) -> None:
        world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.operator.poke_promotions()
        run = world.at.run_before("PublishModel", machine="Promote")
        world.change_in_console(world.active)
        with pytest.raises(FunctionFailed, match="ServiceBusy"):
            world.at.invoke("publish_model", {"promotion": run})

    @pytest.mark.parametrize("fails", [False, True])
    def test_what_somebody_has_put_back_is_not_promoted_again(self, world: World, fails: bool) -> None:
        """Neither by the promotion that made it active, nor by the next one if that one failed."""
        world.at.change(promotion_mode=PromotionMode.AUTOMATIC)
        request = world.ask(world.better)
        world.at.operator.poke_promotions()
        run = world.at.run_before("PublishModel", machine="Promote")
        if fails:
            world.at.script.kill(after=0, times=1000, function="publish_model")
            world.at.go_on(run)
            execution = world.at.executions("Promote")[-1]
            world.at.until_quiet(lambda: execution.status == "FAILED")
            world.at.script.kill()
        world.change_in_console(world.active)
        world.at.go_on(run)
        world.at.settle()
        world.at.let_pass(FOUND_WITHIN)
        world.at.promote_all()
        world.check_at_rest(active=world.active)
        (end,) = [end for end in world.ends() if end.request_id == request.id]
        assert end.status is PromotionStatus.REFUSED
        assert "somebody has put" in end.reason

    def test_a_redriven_promotion_does_not_publish_what_somebody_replaced(self, world: World) -> None:
        world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.operator.poke_promotions()
        run = world.at.run_before("PublishModel", machine="Promote")
        world.change_in_console(world.other)
        world.at.go_on(run)
        world.at.settle()
        assert world.at.parameters()["active-model-arn"] == world.active
        world.at.run_until_at_rest()
        world.check_at_rest(active=world.other, previous=world.active)


class TestRedrive:
    def test_a_stopped_promotion_that_is_redriven_changes_nothing(self, world: World) -> None:
        request = world.ask(world.better)
        world.at.promote_all()
        run = world.waiting()
        run.stop()
        run.execution.redrive()
        world.at.settle()
        # It asks nobody about a request that has ended.
        assert run.execution.status != "RUNNING"
        assert world.promotion(request).status is PromotionStatus.STOPPED
        world.check_at_rest(active=world.active)

    def test_what_a_stopped_promotion_may_still_change_is_waited_for(self, world: World) -> None:
        request = world.ask(world.better, source=PromotionSource.OPERATOR)
        until = world.at.now() + timedelta(minutes=2)
        world.at.bucket.write(promotions.LEASE_KEY, Lease(holder="promotion-000099", until=until))
        world.at.promote_all()
        assert world.at.bucket.require(promotions.end_key(request.id), Promotion).status is PromotionStatus.PROMOTED
        made = world.at.bucket.require(promotions.made_active_key(request.id), promotions.MadeActive)
        assert made.at > until
        assert not world.at.bucket.exists(promotions.LEASE_KEY)

    def test_a_failed_promotion_is_tried_again_three_times_at_most(self, world: World) -> None:
        request = world.ask(world.better, source=PromotionSource.OPERATOR)
        world.at.faults.add(Fault(operation="UpdateFlywheel", code="KmsKeyValidationException"))
        before = len(world.at.executions("Promote"))
        tries = 0
        while world.at.poked_promotion(Poke.SCHEDULE).start:
            world.at.poke_promotions(Poke.SCHEDULE)
            world.at.settle()
            assert not world.at.poked_promotion(Poke.ENDED).start
            tries += 1
        assert tries == len(world.at.executions("Promote")) - before == 3
        assert world.promotion(request).status is PromotionStatus.FAILED
        assert world.at.active_model() == world.active


class TestKills:
    @pytest.mark.parametrize("times", [1, 7], ids=["tried-again", "given-up"])
    def test_the_next_promotion_goes_on_after_a_kill_at_any_place(self, times: int) -> None:
        """The machine tries again, or all of its seven attempts are killed, and the schedule brings the next one."""
        for after in itertools.count():
            at = approvable()
            at.script.kill(after=after, times=times)
            approve_all(at)
            if not at.script.killed:
                assert after > 6, "the promotion was hardly killed"
                return
            at.script.kill()
            approve_all(at)
            check_promoted(at, after)

    def test_a_promotion_that_is_killed_at_every_place_goes_on_each_time(self) -> None:
        at = approvable()
        at.script.kill_everywhere()
        killed = -1
        while len(at.script.killed) > killed:
            killed = len(at.script.killed)
            approve_all(at)
        at.script.kill()
        assert killed > 6, "the promotion was hardly killed"
        check_promoted(at, killed)


def approvable() -> Deployment:
    """A candidate that is to be approved, and an older one that it supersedes."""
    at = Deployment()
    at.upload("test/a.csv", TEST)
    at.upload("train/a.csv", WRONG)
    at.run_turn()
    at.change(promotion_mode=PromotionMode.APPROVAL)
    at.upload("train/b.csv", BETTER)
    turn = at.start_turn()
    at.script.events_take = 3600.0
    at.step_until(lambda: turn.execution.status == "SUCCEEDED")
    older = requests.open_requests(at.bucket)[0]
    at.bucket.write(
        promotions.request_key("older"),
        older.model_copy(
            update={"id": "older", "score": 0.0, "requested_at": older.requested_at - timedelta(1), "turn": None}
        ),
    )
    at.script.events_take = 0.5
    return at


def approve_all(at: Deployment) -> None:
    at.promote_all()
    while any(at.world.states.waits_for_a_person(one) for one in at.executions("Promote") if one.status == "RUNNING"):
        at.waiting_promotion().approve()


def check_promoted(at: Deployment, kills: int) -> None:
    at.run_until_at_rest()
    at.check_consistency()
    ends = {end.request_id: end for end in at.bucket.read_all(at.keys(promotions.ENDS), Promotion)}
    newest = at.iterations()[0]
    assert at.active_model() == newest["TrainedModelArn"], kills
    assert at.parameters()["previous-model-arn"] == at.iterations()[1]["TrainedModelArn"]
    assert ends["older"].status is PromotionStatus.SUPERSEDED
    end = ends[newest["FlywheelIterationId"]]
    assert end.status is PromotionStatus.PROMOTED
    record = at.bucket.require(turns.record_key("turn-000002"), TurnRecord)
    assert record.promotion == end
