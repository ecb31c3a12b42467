"""What a person sees in the console and does with it, in a real browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect

from flywheel.records import promotions
from flywheel.records.promotions import Promotion, PromotionStatus
from flywheel.records.turns import PAUSE_KEY, REQUEST_KEY, Pause, TurnRequest
from local.comprehend.faults import Fault
from tests.browser.conftest import View
from tests.browser.console.conftest import AXE, SCREENSHOTS, SIZES, settle, show
from tests.pipeline.documents import LABELS, documents
from tests.pipeline.ops.console_world import Console, busy_news, console, importing, people
from tests.simulation.api import ApiError

Open = Callable[..., View]
pytestmark = pytest.mark.usefixtures("simulated")
PAGES = ("", "turns", "turns/turn-000002", "models", "promotions", "endpoint", "uploads", "review")


@pytest.fixture(scope="module")
def news() -> Console:
    """Its second model waits for approval. Tests that look and change nothing share it."""
    return running_news()


def running_news() -> Console:
    world = busy_news()
    world.at.upload("train/third.csv", documents(*LABELS, start=700, count=40))
    world.begin_turn("AwaitIterationBegin")
    world.at.upload("train/waits.csv", documents(*LABELS, start=900, count=3))
    return world


@pytest.fixture(scope="module")
def recognizer() -> Console:
    return people()


def check(view: View, name: str) -> None:
    """A picture of the page for people, and what holds of every page."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    view.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True, animations="disabled")
    wide = view.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide[0] <= wide[1], f"{name} is wider than its window: {wide}"
    # As the protocol runs it, past the page's policy.
    view.evaluate(AXE.read_text(encoding="utf-8"))
    found = view.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    assert not found, json.dumps(
        [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]]) for one in found], indent=1
    )
    # An answer that refuses something is no fault of the page's.
    assert [said for said in view.complaints if not said.startswith("Failed to load resource")] == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
def test_every_page_in_each_size_and_light(open_console: Open, news: Console, size: str, dark: bool) -> None:
    view = open_console(news, width=SIZES[size], height=900, dark=dark)
    for page in PAGES:
        show(view, news.name, page)
        check(view, f"{page.replace('/', '-') or 'overview'}-{size}-{'dark' if dark else 'light'}")
    # One model's card, one rejected upload and the list of flywheels are found by their links.
    show(view, news.name, "models")
    # The newest is still being trained.
    view.page.locator("main table a").nth(1).click()
    expect(view.page.get_by_role("heading", name="Scores by label")).to_be_visible()
    check(view, f"model-{size}-{'dark' if dark else 'light'}")
    show(view, news.name, "uploads")
    view.page.get_by_role("link", name=re.compile("bad line")).first.click()
    expect(view.page.get_by_role("region", name="Bad lines")).to_be_visible()
    check(view, f"rejected-{size}-{'dark' if dark else 'light'}")
    show(view)
    expect(view.page.get_by_role("link", name=news.name, exact=True)).to_be_visible()
    check(view, f"flywheels-{size}-{'dark' if dark else 'light'}")
    assert {request.split("/")[2] for request in view.requests} == {view.page.url.split("/")[2]}


class TestWhatIsShown:
    def test_the_address_bar_has_no_secret_and_a_reload_works(self, open_console: Open, news: Console) -> None:
        view = open_console(news)
        assert "token" not in view.page.url
        view.page.reload()
        settle(view)
        expect(view.page.get_by_role("heading", name="Now")).to_be_visible()

    def test_a_link_in_a_new_tab_works_while_the_first_is_open(self, open_console: Open, news: Console) -> None:
        view = open_console(news)
        other = view.context.new_page()
        other.goto(view.page.url)
        expect(other.get_by_role("heading", name="Now")).to_be_visible()

    def test_without_the_secret_nothing_is_shown(self, open_console: Open, news: Console, new_view: Open) -> None:
        stranger = new_view()
        stranger.page.goto(open_console(news).page.url)
        expect(stranger.page.get_by_text("Open the address that the command printed")).to_be_visible()

    def test_the_running_turn_is_a_picture_of_its_machine(self, open_console: Open) -> None:
        world = running_news()
        view = open_console(world)
        here = view.page.locator(".machine [aria-current=step]").first
        expect(here).to_contain_text("Comprehend trains and evaluates")
        expect(view.page.locator(".machine").first).to_contain_text("not needed")
        world.begin_turn("BeginTurn")
        # It looks again by itself.
        expect(here).to_contain_text("Look what is there", timeout=15_000)

    def test_a_models_card_says_what_it_was_trained_on(self, open_console: Open, news: Console) -> None:
        view = open_console(news, "models")
        view.page.locator("main table a").nth(1).click()
        uploads = view.page.get_by_role("region", name="Trained on, by upload")
        expect(uploads).to_contain_text("train/second.csv")
        expect(uploads).to_contain_text("train/first.csv")
        expect(view.page.get_by_role("region", name="Scores by label")).to_contain_text("SPORTS")

    def test_a_recognizers_pages_say_entity_type(self, open_console: Open, recognizer: Console) -> None:
        view = open_console(recognizer, "models")
        view.page.locator("main table a").first.click()
        expect(view.page.get_by_role("region", name="Trained on, by label")).to_contain_text("Entity type")
        check(view, "model-of-a-recognizer")

    def test_reports_run_nothing_and_stand_apart(self, open_console: Open, news: Console) -> None:
        view = open_console(news, "turns/turn-000002")
        assert view.evaluate("!!document.querySelector('.rendered').shadowRoot.querySelector('h1')")
        assert view.complaints == []

    def test_the_review_page_is_a_click_away(self, open_console: Open, news: Console) -> None:
        view = open_console(news, "review")
        expect(view.page.get_by_role("region", name="What waits, by lane")).to_contain_text("Uncertain")
        with view.context.expect_page() as opened:
            view.page.get_by_role("link", name=re.compile("Review now")).click()
        expect(opened.value.get_by_text(news.name).first).to_be_visible()
        assert "token" not in opened.value.url


class TestStates:
    def test_a_new_flywheel_has_nothing_yet(self, open_console: Open) -> None:
        world = console()
        view = open_console(world)
        for page, says in (
            ("", "Nothing runs."),
            ("turns", "No turn has ended yet."),
            ("models", "There is no model yet"),
            ("promotions", "No promotion was asked for yet."),
            ("uploads", "No turn has collected an upload yet."),
            ("review", "Nothing waits for a reviewer."),
            ("endpoint", "There is no endpoint."),
        ):
            show(view, world.name, page)
            expect(view.page.get_by_text(says)).to_be_visible()
            check(view, f"nothing-yet-{page or 'overview'}")

    def test_a_pause_says_who_and_why(self, open_console: Open) -> None:
        world = console()
        world.at.bucket.write(
            PAUSE_KEY, Pause(by="arn:aws:iam::1:user/anna", at=datetime.now(UTC), reason="stock-taking")
        )
        view = open_console(world)
        expect(view.page.get_by_text(re.compile("Paused by anna .*stock-taking"))).to_be_visible()
        expect(view.page.get_by_role("button", name="Resume")).to_be_visible()
        check(view, "paused")

    def test_a_turn_that_fails_says_at_which_step_and_why(self, open_console: Open) -> None:
        world = console()
        world.at.upload("train/a.csv", documents(*LABELS))
        world.at.faults.add(
            Fault(operation="StartFlywheelIteration", code="InvalidRequestException", message="No quota is left.")
        )
        # One that could be reported is told of by its report.
        world.at.script.kill(after=0, times=1000, function="report_turn")
        turn = world.at.start_turn()
        world.at.settle()
        assert turn.execution.status == "FAILED"
        view = open_console(world)
        expect(view.page.locator(".machine .failed")).to_contain_text("Start an iteration")
        expect(view.page.get_by_text("No quota is left.")).to_be_visible()
        check(view, "turn-failed")

    def test_what_is_denied_says_so_and_the_rest_is_there(self, open_console: Open, news: Console) -> None:
        news.at.world.failing = {"comprehend": ApiError("AccessDeniedException", "no", status=403)}
        try:
            view = open_console(news, "endpoint")
            expect(view.page.get_by_text("OperatorsPolicyArn").first).to_be_visible()
            check(view, "denied-endpoint")
            show(view, news.name, "promotions")
            expect(view.page.get_by_role("button", name="Approve")).to_be_visible()
            show(view, news.name, "")
            expect(view.page.get_by_text("OperatorsPolicyArn").first).to_be_visible()
            expect(view.page.locator(".machine").first).to_be_visible()
            check(view, "denied-overview")
        finally:
            news.at.world.failing = {}

    def test_an_importing_deployment_has_no_turns(self, open_console: Open) -> None:
        world = importing()
        view = open_console(world)
        expect(view.page.get_by_role("heading", name="Source")).to_be_visible()
        expect(view.page.get_by_role("link", name="Turns")).to_have_count(0)
        check(view, "imports-overview")
        for page in ("models", "promotions", "endpoint"):
            show(view, world.name, page)
            check(view, f"imports-{page}")

    def test_a_host_that_ended_is_told(self, open_console: Open, news: Console) -> None:
        view = open_console(news)
        view.context.set_offline(True)
        show(view, news.name, "models")
        expect(view.page.get_by_text("The host does not answer").first).to_be_visible()


class TestActions:
    """Each is asked twice; none is done by the first."""

    @pytest.fixture
    def world(self) -> Console:
        return busy_news()

    def test_approval(self, open_console: Open, world: Console) -> None:
        view = open_console(world)
        ask(view.page, "Approve", "better in every label")
        expect(view.page.get_by_role("dialog")).to_contain_text("becomes the active model of")
        world.at.settle()
        waits = world.at.waiting_promotion()
        check(view, "asked-twice")
        view.page.get_by_role("button", name="Approve this model").click()
        expect(view.page.get_by_role("dialog")).to_contain_text("is approved")
        assert waits.answer["reason"] == "better in every label"
        assert end_of(world).status is PromotionStatus.PROMOTED

    def test_decline_wants_a_reason(self, open_console: Open, world: Console) -> None:
        view = open_console(world, "promotions")
        view.page.get_by_role("button", name="Decline").click()
        expect(view.page.get_by_role("button", name="Go on")).to_be_disabled()
        view.page.get_by_label("Why").fill("not before the holidays")
        view.page.get_by_role("button", name="Go on").click()
        view.page.get_by_role("button", name="Decline this model").click()
        expect(view.page.get_by_role("dialog")).to_contain_text("is declined")
        end = end_of(world)
        assert end.status is PromotionStatus.DECLINED
        assert "not before the holidays" in end.reason

    def test_leaving_it_changes_nothing_and_gives_the_focus_back(self, open_console: Open, world: Console) -> None:
        view = open_console(world)
        ask(view.page, "Approve", "")
        view.page.get_by_role("button", name="Leave it as it is").click()
        expect(view.page.get_by_role("dialog")).to_have_count(0)
        expect(view.page.get_by_role("button", name="Approve")).to_be_focused()
        world.at.settle()
        assert world.at.waiting_promotion()

    def test_pause_and_resume_by_keyboard(self, open_console: Open, world: Console) -> None:
        view = open_console(world)
        view.page.get_by_role("button", name="Pause").focus()
        view.page.keyboard.press("Enter")
        expect(view.page.get_by_label("Why")).to_be_focused()
        for key in ("s", "Tab", "Enter"):
            view.page.keyboard.press(key)
        expect(view.page.get_by_role("heading", name="This will happen")).to_be_focused()
        assert world.at.bucket.read(PAUSE_KEY, Pause) is None
        view.page.keyboard.press("Tab")
        view.page.keyboard.press("Enter")
        expect(view.page.get_by_role("dialog")).to_contain_text("no turn starts")
        view.page.keyboard.press("Escape")
        expect(view.page.get_by_role("button", name="Resume")).to_be_visible()
        pause = world.at.bucket.read(PAUSE_KEY, Pause)
        assert pause is not None
        view.page.get_by_role("button", name="Resume").click()
        view.page.get_by_role("button", name="Resume the pipeline").click()
        expect(view.page.get_by_role("dialog")).to_contain_text("has ended")
        assert world.at.bucket.read(PAUSE_KEY, Pause) is None

    def test_a_turn_now(self, open_console: Open, world: Console) -> None:
        view = open_console(world)
        view.page.get_by_role("button", name="Start a turn now").click()
        expect(view.page.get_by_role("dialog")).to_contain_text("costs money")
        assert world.at.bucket.read(REQUEST_KEY, TurnRequest) is None
        view.page.get_by_role("dialog").get_by_role("button", name="Start a turn now").click()
        expect(view.page.get_by_role("dialog")).to_contain_text("is asked for")
        assert world.at.bucket.read(REQUEST_KEY, TurnRequest) is not None

    def test_what_cannot_be_done_says_why(self, open_console: Open, world: Console) -> None:
        view = open_console(world, "promotions")
        ask(view.page, "Roll back", "")
        expect(view.page.get_by_role("dialog")).to_contain_text("nothing to go back to")
        check(view, "refused")


def end_of(world: Console) -> Promotion:
    """Of the promotion that waited, once its machine has gone on."""
    world.at.settle()
    return world.at.bucket.require(promotions.record_key("promotion-000002"), Promotion)


def ask(page: Page, button: str, reason: str) -> None:
    page.get_by_role("button", name=button).first.click()
    page.get_by_label("Why").fill(reason)
    page.get_by_role("button", name="Go on").click()
