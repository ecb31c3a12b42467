"""What the network does to the page: slow, gone, refused, reloaded, nothing left."""

from __future__ import annotations

import json

import pytest

from tests.browser.conftest import View
from tests.browser.review.conftest import Open
from tests.browser.review.host import Failure, Host
from tests.browser.review.samples import HEADLINES, headlines
from tests.browser.review.test_answers import answers, given, saved, shown


def notices(view: View) -> list[str]:
    return view.page.locator("[role=alert] p").all_inner_texts()


def claims(host: Host) -> list[int]:
    return [body["count"] for _, body in host.sent("POST")]


def try_now(view: View) -> None:
    """The page may do so by itself at this moment, and the button is gone."""
    view.evaluate("[...document.querySelectorAll('.banners button')].find(one => one.innerText === 'Try now')?.click()")


def test_ten_texts_are_loaded_and_more_asked_for_when_four_are_left(open_review: Open) -> None:
    host = Host(headlines(40))
    view = open_review(host)
    for number in range(6):
        assert len(claims(host)) == 1, number
        view.page.keyboard.press("1")
        saved(view)
    view.page.wait_for_function("document.querySelector('#progress').innerText === '6 of 40'")
    assert len(claims(host)) == 2
    # One more than it needs: the answer that is on its way counts as held.
    assert claims(host) == [10, 11]


def test_the_next_text_needs_no_answer_of_the_host(open_review: Open) -> None:
    host = Host(headlines(20))
    view = open_review(host)
    host.hold()
    for number in range(9):
        view.page.keyboard.press("1")
        assert shown(view) == HEADLINES[(number + 1) % 6]
    assert view.page.inner_text(".state") == "Saving 9"
    host.release()
    saved(view)
    assert [path[-1] for path, _ in host.sent("PUT")] == [*"012345678"]
    view.page.keyboard.press("1")
    view.page.wait_for_selector("main.item")


def test_without_a_network_work_goes_on_and_answers_wait(open_review: Open) -> None:
    host = Host(headlines(20))
    view = open_review(host)
    host.offline = True
    for _ in range(3):
        view.page.keyboard.press("2")
    view.page.wait_for_selector(".state.bad")
    assert shown(view) == HEADLINES[3]
    banner = view.page.inner_text(".banners [role=status] p")
    assert banner == (
        "The host does not answer. 3 answers wait on this computer and are sent as soon as it answers. "
        "You can go on with the texts that are loaded; do not close this page."
    )
    host.offline = False
    try_now(view)
    saved(view)
    assert answers(host) == [given("SCI_TECH")] * 3
    assert view.page.locator(".banners .notice").count() == 0
    view.complaints.clear()  # Chromium reports failed requests itself.


def test_answers_survive_a_reload_without_a_network_and_no_text_is_stored(open_review: Open) -> None:
    host = Host(headlines(20))
    view = open_review(host)
    view.page.keyboard.press("1")
    saved(view)
    host.offline = True
    for key in ("2", "s", "3"):
        view.page.keyboard.press(key)
    view.page.wait_for_selector(".state.bad")
    stored = view.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])")
    for text in HEADLINES:
        assert text[:12] not in stored
    kept = json.loads(view.evaluate("sessionStorage['review:news-flywheel:arn:aws:iam::111122223333:user/ada']"))
    assert [entry["id"] for entry in kept["outbox"]] == [item["id"] for item in host.items[1:4]]
    host.hold()
    view.page.reload()
    host.offline = False
    host.release()
    view.page.wait_for_selector("main.item")
    saved(view)
    assert shown(view) == HEADLINES[4]
    assert [*host.answers.values()] == [given("BUSINESS"), given("SCI_TECH"), {"verdict": "SKIP"}, given("SPORTS")]
    assert view.page.inner_text("#progress") == "3 of 19"


def test_undo_goes_on_over_a_reload(open_review: Open) -> None:
    host = Host(headlines(20))
    view = open_review(host)
    for key in ("1", "2", "3"):
        view.page.keyboard.press(key)
    saved(view)
    view.page.reload()
    view.page.wait_for_selector("main.item")
    for back, label in ((2, "SPORTS"), (1, "SCI_TECH")):
        view.page.keyboard.press("u")
        view.page.wait_for_function("text => document.querySelector('.text').innerText === text", arg=HEADLINES[back])
        assert view.page.inner_text(".choice.suggested .name") == label
    assert [*host.answers.values()] == [given("BUSINESS")]


def test_a_reload_shows_the_same_text_again(open_review: Open) -> None:
    host = Host(headlines(20))
    view = open_review(host)
    view.page.keyboard.press("1")
    saved(view)
    view.page.reload()
    view.page.wait_for_selector("main.item")
    assert shown(view) == HEADLINES[1]
    assert claims(host) == [10, 10]


@pytest.mark.parametrize(
    ("code", "status", "message"),
    [
        ("CLAIM_LOST", 409, "ben has it now."),
        ("PUBLISHED", 409, "It was published."),
        ("ITEM_GONE", 404, "It was deleted."),
    ],
)
def test_an_answer_that_the_host_refuses_is_told(open_review: Open, code: str, status: int, message: str) -> None:
    host = Host(headlines())
    host.refusals[host.items[0]["id"]] = Failure(status, code, message)
    view = open_review(host)
    view.page.keyboard.press("1")
    view.page.keyboard.press("2")
    saved(view)
    beginning = "Wall St. bears claw back into the black: short-sellers, Wall\u2026"
    assert notices(view) == [f"Your answer to \u201c{beginning}\u201d was not taken: {message}"]
    assert shown(view) == HEADLINES[2]
    assert view.page.inner_text("#progress").startswith("1 of")
    assert [*host.answers.values()] == [given("SCI_TECH")]
    view.page.click("[role=alert] button")
    assert notices(view) == []
    # What was refused cannot be undone: the next undo is of the other one.
    view.page.keyboard.press("u")
    assert shown(view) == HEADLINES[1]
    assert view.page.is_disabled("button:has-text('Undo')")


def test_an_invalid_answer_comes_again_with_the_reason(open_review: Open) -> None:
    host = Host(headlines())
    host.refusals[host.items[0]["id"]] = Failure(400, "INVALID_ANSWER", "The flywheel has no label BUSINESS.")
    view = open_review(host)
    view.page.keyboard.press("1")
    view.page.wait_for_selector("[role=alert] p")
    assert notices(view)[0].endswith("and the text comes again: The flywheel has no label BUSINESS.")
    # Not in place of the text that somebody reads now, but after it.
    assert shown(view) == HEADLINES[1]
    host.refusals.clear()
    view.page.keyboard.press("2")
    assert shown(view) == HEADLINES[0]
    assert view.page.inner_text(".reading .notice") == "The flywheel has no label BUSINESS."
    view.page.keyboard.press("4")
    saved(view)
    assert host.answers[host.items[0]["id"]] == given("WORLD")


def test_what_was_published_stays_answered(open_review: Open) -> None:
    host = Host(headlines())
    view = open_review(host)
    view.page.keyboard.press("1")
    saved(view)
    host.refusals[host.items[0]["id"]] = Failure(409, "PUBLISHED", "It was published at 07:40.")
    view.page.keyboard.press("u")
    view.page.wait_for_selector("[role=alert] p")
    assert notices(view)[0].endswith("could not be taken back: It was published at 07:40.")
    assert shown(view) == HEADLINES[1]
    assert view.page.inner_text("#progress") == "1 of 6"


@pytest.mark.parametrize(("status", "code"), [(503, "UNAVAILABLE"), (429, ""), (500, "")])
def test_a_busy_host_is_asked_again(open_review: Open, status: int, code: str) -> None:
    host = Host(headlines())
    view = open_review(host)
    host.refusals[host.items[0]["id"]] = Failure(status, code, "S3 is throttled.")
    view.page.keyboard.press("1")
    view.page.wait_for_selector(".banners .notice.mild:has-text('S3 is throttled. 1 answer waits')")
    assert shown(view) == HEADLINES[1]
    host.refusals.clear()
    try_now(view)
    saved(view)
    assert answers(host)[-1] == given("BUSINESS")


def test_a_person_without_rights_is_told_what_is_missing(open_review: Open) -> None:
    host = Host(headlines())
    sentence = "You may not review: attach the policy news-flywheel-reviewers."
    host.refusals["session"] = Failure(403, "NOT_ALLOWED", sentence)
    view = open_review(host, shows="main.calm button")
    assert view.page.inner_text("main [role=status]") == sentence
    host.refusals = {"claims": Failure(403, "NOT_ALLOWED", sentence)}
    view.page.click("button:has-text('Try now')")
    view.page.wait_for_selector(".banners .notice.bad")
    assert view.page.inner_text(".banners [role=status] p").strip() == sentence
    host.refusals = {}
    try_now(view)
    view.page.wait_for_selector("main.item")


def test_missing_guidelines_are_a_sentence(open_review: Open) -> None:
    host = Host(headlines())
    host.refusals["guidelines"] = Failure(404, "GUIDELINES_MISSING", "There are no guidelines yet.")
    view = open_review(host)
    view.page.keyboard.press("h")
    view.page.wait_for_selector("dialog [role=status]:has-text('There are no guidelines yet.')")


def test_an_empty_queue_is_calm_and_looked_at_again(open_review: Open) -> None:
    host = Host(headlines(1))
    view = open_review(host, shows="main.item")
    view.page.clock.install()
    view.page.reload()
    view.page.wait_for_selector("main.item")
    view.page.keyboard.press("1")
    view.page.wait_for_selector("main.calm h2:has-text('Nothing waits for you')")
    assert "You gave 1 answer today." in view.page.inner_text("main")
    assert view.evaluate("document.activeElement.textContent") == "Nothing waits for you"
    for key in ("1", "Enter", "s", "?"):
        view.page.keyboard.press(key)
    assert len(answers(host)) == 1
    host.items += headlines(3)[1:]
    view.page.clock.run_for(36_000)
    view.page.wait_for_selector("main.item")
    assert shown(view) == HEADLINES[1]
    view.page.keyboard.press("u")
    assert shown(view) == HEADLINES[0]


def test_claims_are_renewed_and_what_was_lost_is_told(open_review: Open) -> None:
    host = Host(headlines(), claim_seconds=300)
    view = open_review(host)
    view.page.clock.install()
    view.page.reload()
    view.page.wait_for_selector("main.item")
    before = len(claims(host))
    for item in host.items[:2]:
        host.lose(item["id"])
    view.page.clock.run_for(106_000)
    view.page.wait_for_selector("[role=alert] p")
    assert len(claims(host)) > before
    assert notices(view)[0].endswith("is not reserved for you any more: somebody else has it, or it was deleted.")
    assert shown(view) == HEADLINES[2]


def test_nothing_is_asked_of_anybody_but_the_host(open_review: Open) -> None:
    host = Host(headlines(20))
    view = open_review(host)
    for key in ("1", "u", "s", "h", "Escape", "k", "Escape"):
        view.page.keyboard.press(key)
    saved(view)
    assert {address.split("/")[2] for address in view.requests} == {"127.0.0.1"}
    assert view.complaints == []
    assert view.evaluate("document.cookie + Object.keys(localStorage).join()") == ""
