"""What reviewers do, as the host of the review page does it for them; and what operators do about review."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from flywheel.faults.errors import FlywheelError
from flywheel.records.predictions import text_digest
from flywheel.records.review import GUIDELINES_KEY, WAITING, Verdict
from flywheel.review import answer_item, claim_items
from flywheel.review.describe_queue import describe_queue, guidelines
from flywheel.review.errors import ReviewError
from flywheel.review.propose import propose
from ops.verbs import exclude, review_publish
from ops.verbs.forget import forget
from ops.verbs.review_queue import review_queue
from tests.simulation.acts.truth import mistake, truth
from tests.simulation.kernel import BEGINNING

if TYPE_CHECKING:
    from collections.abc import Callable

    from flywheel.records.review import ReviewItem
    from flywheel.review.queue import ReviewQueue
    from tests.simulation.acting import Acting
    from tests.simulation.people import People
    from tests.simulation.schedule.act import Act

POLICY = "PeopleReviewersPolicy"
_FAILED = (FlywheelError, ClientError, BotoCoreError)


def review(people: People, act: Act) -> None:
    """A reviewer takes batches and answers them; `vanishes` is after how many seconds the host's machine is gone."""
    person = _reviewer(people, act.detail["who"])
    kernel = people.world.kernel
    guidelines(people.deployment_of(person).intake)
    sitting = _Sitting(people, act, person)
    process = kernel.start(sitting.run, name=person.who)
    if act.detail.get("vanishes"):
        kernel.later(act.detail["vanishes"], process.kill)
    process.join()
    sitting.unsure()
    if isinstance(process.error, Exception):
        raise process.error


def _reviewer(people: People, name: str) -> Acting:
    return people.world.with_policies(name, POLICY, account=people.app.account)


@dataclass
class _Sitting:
    people: People
    act: Act
    person: Acting
    item: str = ""
    """About which a request is under way."""

    def run(self) -> None:
        draw = self.people.world.kernel.random(f"reviewer {self.person.who}")
        queue = review_queue(self.people.deployment_of(self.person))
        for _ in range(self.act.detail["batches"]):
            claimed = claim_items.claim(queue, by=self.by, count=self.act.detail["count"], now=self.now())
            for item in claimed.items:
                if self.people.world.kernel.now >= BEGINNING + self.act.detail["until"]:
                    return
                self.people.world.kernel.sleep(draw.uniform(2, self.act.detail["seconds"]))
                self.answer(queue, item)
                if draw.random() < 0.1:
                    self.people.world.kernel.sleep(draw.uniform(1, 60))
                    self.undo(queue, item)
            if not claimed.items:
                return

    @property
    def by(self) -> str:
        return self.person.caller.arn

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.people.world.clock_of(self.person.who), tz=UTC)

    def answer(self, queue: ReviewQueue, item: ReviewItem) -> None:
        draw = self.people.world.kernel.random(f"reviewer {self.person.who}")
        verdict = draw.choices((Verdict.ANSWER, Verdict.SKIP, Verdict.NOT_SURE), (17, 2, 1))[0]
        kind, labels = self.people.app.kind, queue.task.labels
        said = truth(item.text, kind=kind)
        if draw.random() < self.act.detail["wrong"]:
            said = mistake(item.text, kind=kind, labels=labels, chance=draw.random())
        if verdict is not Verdict.ANSWER or (not said and kind != "ENTITIES"):
            verdict, said = (Verdict.SKIP if verdict is Verdict.ANSWER else verdict), ()
        if self.tried(
            item,
            lambda: answer_item.answer(queue, item=item.id, by=self.by, now=self.now(), verdict=verdict, labels=said),
        ):
            self.people.heard.answered[item.id, self.by] = (verdict, frozenset(said))

    def undo(self, queue: ReviewQueue, item: ReviewItem) -> None:
        self.tried(item, lambda: answer_item.undo(queue, item=item.id, by=self.by, now=self.now()))

    def tried(self, item: ReviewItem, work: Callable[[], Any]) -> bool:
        """As the page: what fails for another reason than the review's own is tried again."""
        heard, key = self.people.heard, (item.id, self.by)
        if key in heard.answering:
            heard.at_once.add(key)
        heard.answering.append(key)
        try:
            return self._tried(item, work)
        finally:
            heard.answering.remove(key)

    def _tried(self, item: ReviewItem, work: Callable[[], Any]) -> bool:
        kernel, heard = self.people.world.kernel, self.people.heard
        known = heard.answered.pop((item.id, self.by), None)
        self.item = item.id
        for _ in range(3):
            try:
                work()
            except ReviewError as error:
                self.people.world.tell(self.person.who, f"is told: {type(error).__name__}: {error}"[:200])
                self.people.world.visits[f"act/review/{type(error).__name__}"] += 1
                if known is not None:
                    heard.answered[item.id, self.by] = known
                break
            except _FAILED:
                # Whether it took effect is not known any more.
                known = None
                kernel.sleep(10)
            else:
                self.item = ""
                return True
        self.item = ""
        return False

    def unsure(self) -> None:
        if self.item:
            self.people.heard.unsure(self.item, self.by)


def propose_something(people: People, act: Act) -> None:
    """As `flywheel feedback` proposes a corrected row."""
    person = _reviewer(people, act.detail["who"])
    text = act.detail["texts"][0]
    queue = review_queue(people.deployment_of(person))
    labels = truth(text, kind=people.app.kind)
    people.heard.sent[text] = max(people.heard.sent[text], float("inf"))
    propose(queue, text=text, labels=labels, by=person.caller.arn, now=people.now())
    people.heard.proposed[text_digest(text), person.caller.arn] = frozenset(labels)
    people.heard.sent[text] = people.world.kernel.now


def publish(people: People, _: Act) -> None:
    describe_queue(people.deployment.intake)
    review_publish.publish(people.deployment)


def write_guidelines(people: People, _: Act) -> None:
    people.client("s3").put_object(Bucket=people.app.intake, Key=GUIDELINES_KEY, Body=b"Be exact.")


def withdraw(people: People, act: Act) -> None:
    """Named by the ARN: the last part is the same of all sessions here."""
    arn = _reviewer(people, act.detail["who"]).caller.arn
    people.heard.withdrawn.add(arn)
    exclude.exclude_reviewer(people.deployment, arn, reason="they were wrong throughout", now=people.now())


def forget_text(people: People, act: Act) -> None:
    """By the text, or by the item's id: of one that waits, if one does."""
    waiting = "".join(people.world.s3.keys(people.app.intake, WAITING))
    known = sorted(people.heard.sent)
    known = [text for text in known if text_digest(text) in waiting] or known
    if not known:
        return
    text = known[int(act.chance * len(known))]
    _forget(people, text, named=text if act.detail["by_text"] else text_digest(text))


def forget_the_rest(people: People) -> None:
    """Whoever was told that it did not work asks again."""
    with people.acting(*GROUPS["forget a text"]):
        for text, named in list(people.heard.forgetting.items()):
            _forget(people, text, named=named)


def _forget(people: People, text: str, *, named: str) -> None:
    heard, began = people.heard, people.world.kernel.now
    heard.forgotten.pop(text, None)
    heard.forgetting[text] = named
    forget(people.deployment, named, now=people.now())
    heard.forgetting.pop(text, None)
    heard.forgotten[text] = (began, people.world.kernel.now)


ACTS: dict[str, Callable[[People, Act], Any]] = {
    "review": review,
    "propose": propose_something,
    "publish what reviewers agreed on": publish,
    "withdraw a reviewer": withdraw,
    "forget a text": forget_text,
    "write guidelines for reviewers": write_guidelines,
}
GROUPS = {
    "publish what reviewers agreed on": ("Operators",),
    **dict.fromkeys(("withdraw a reviewer", "forget a text"), ("Operators", "Reviewers")),
}
