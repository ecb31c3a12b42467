"""Review where it is deployed: under the reviewers' policy, and under the role of publish_answers."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from flywheel.records.exclusions import read_exclusions
from flywheel.records.predictions import PREDICTIONS, Suggestion, text_digest
from flywheel.records.review import BATCHES, Batch, ItemSource, ItemState, Lane, Proposal, Verdict, WaitingItem
from flywheel.review.add_item import add
from flywheel.review.answer_item import answer, undo
from flywheel.review.claim_items import claim
from flywheel.review.describe_queue import describe_queue, guidelines
from local.cloud import LocalCloud
from ops.deployment.clients import Clients
from ops.deployment.published import Deployment, find_deployment
from ops.verbs.exclude import exclude_reviewer
from ops.verbs.forget import forget
from ops.verbs.review_publish import answers_waiting, publish
from ops.verbs.review_queue import review_queue
from tests.local_cloud.pipeline import CONTEXT, LABELS, NAME, STACK, Pipeline, documents
from tests.local_cloud.resources import Synthesise, create_role, until

CALM, STORM = LABELS
REVIEWER = "arn:aws:sts::111122223333:assumed-role/reviewers/rita"
ITEMS = 24


@pytest.fixture(scope="module")
def pipeline(cloud: LocalCloud, synthesise: Synthesise) -> Pipeline:
    """One that nothing but people start."""
    account = cloud.account("100000000024")
    assembly = synthesise(context=CONTEXT)
    return Pipeline.deploy(
        account, assembly, TriggerOnUpload="false", MinimumDocumentsPerLabel="6", ReviewTestPercent="40"
    )


def unlike(number: int) -> str:
    """A text that is no near-duplicate of another."""
    digest = hashlib.sha256(str(number).encode()).hexdigest()
    return f"{LABELS[number % 2].lower()} {' '.join(digest[place : place + 6] for place in range(0, 60, 6))}"


def put(deployment: Deployment, text: str, *, lane: Lane = Lane.UNCERTAIN, proposed: str | None = None) -> None:
    now = datetime.now(UTC)
    item = WaitingItem(
        text=text,
        source=ItemSource.API,
        suggestion=Suggestion(labels=(CALM,), confidence=0.5, margin=0.1),
        proposals=(Proposal(by="arn:of:somebody", at=now, labels=(proposed,)),) if proposed else (),
        at=now,
    )
    add(item, lane=lane, rank=100, intake=deployment.intake)


def review(reviewer: Deployment, label: str | None = None) -> int:
    """Answer all that waits."""
    queue, answered = review_queue(reviewer), 0
    while items := claim(queue, by=REVIEWER, count=10, now=datetime.now(UTC)).items:
        for item in items:
            right = label or item.text.split(" ")[0].upper()
            answer(queue, item=item.id, by=REVIEWER, now=datetime.now(UTC), labels=(right,))
            answered += 1
    return answered


def batches(pipeline: Pipeline) -> list[Batch]:
    intake = pipeline.deployment.intake
    return [batch for batch in intake.read_all(intake.keys(BATCHES), Batch) if batch.uploaded]


def published(pipeline: Pipeline) -> set[str]:
    return {each.item for batch in batches(pipeline) for each in batch.items}


def test_a_reviewer_may_review_and_nothing_else(pipeline: Pipeline) -> None:
    put(pipeline.deployment, unlike(900))
    reviewer = pipeline.as_person("Reviewers")
    queue, now = review_queue(reviewer), datetime.now(UTC)
    assert guidelines(reviewer.intake) is None
    assert describe_queue(reviewer.intake).waiting[Lane.UNCERTAIN].number == 1
    (item,) = claim(queue, by=REVIEWER, count=1, now=now).items
    assert answer(queue, item=item.id, by=REVIEWER, now=now, verdict=Verdict.NOT_SURE).state is ItemState.WAITING
    assert undo(queue, item=item.id, by=REVIEWER, now=now).state is ItemState.CLAIMED
    assert answer(queue, item=item.id, by=REVIEWER, now=now, labels=(STORM,)).state is ItemState.ANSWERED
    assert undo(queue, item=item.id, by=REVIEWER, now=now).state is ItemState.CLAIMED
    answer(queue, item=item.id, by=REVIEWER, now=now, verdict=Verdict.SKIP)
    # What else they may not is in tests/local_cloud/ops/test_people.py.
    with pytest.raises(ClientError, match="AccessDenied"):
        reviewer.clients.functions.invoke(FunctionName=str(reviewer.published.publish_answers_arn), Payload=b"{}")


def test_answers_become_documents_of_a_turn(pipeline: Pipeline) -> None:
    texts = [unlike(number) for number in range(ITEMS)]
    for text in texts:
        put(pipeline.deployment, text)
    reviewer, operator = pipeline.as_person("Reviewers"), pipeline.as_person("Operators")
    assert review(reviewer) == ITEMS
    # The answers themselves make publish_answers look.
    until(lambda: batches(pipeline) or None)
    publish(operator)
    until(lambda: published(pipeline) == set(map(text_digest, texts)) or None)
    assert answers_waiting(operator) is None
    pipeline.drop("test/base.csv", _csv(documents(10)))
    pipeline.drop("train/base.csv", _csv(documents(50)))
    record = pipeline.turn_now()
    assert record.reviewed is not None
    assert record.reviewed.documents == ITEMS
    assert record.reviewed.reviewers == {REVIEWER: ITEMS}
    assert [result for result in record.uploads if result.bad_lines] == []

    def told() -> bool | None:
        pipeline.listen()
        sentence = f"{ITEMS} documents came from review, by rita ({ITEMS})."
        return any(sentence in notification for notification in pipeline.heard) or None

    until(told)


def test_what_is_reviewed_again_takes_the_place_of_the_former_document(pipeline: Pipeline) -> None:
    """publish_answers excludes, and takes back what it excluded, under its own role."""
    text = unlike(500)
    reviewer, operator = pipeline.as_person("Reviewers"), pipeline.as_person("Operators")
    for place, label in enumerate((CALM, STORM, CALM)):
        put(pipeline.deployment, text, lane=Lane.FEEDBACK, proposed=label if place else None)
        assert review(reviewer, label) == 1
        found = publish(operator)
        assert found.documents == 1
        assert len(read_exclusions(pipeline.deployment.intake).documents) == (1 if place else 0)


def test_who_is_operator_and_reviewer_takes_a_reviewer_out_and_forgets_a_text(pipeline: Pipeline) -> None:
    text = unlike(700)
    put(pipeline.deployment, text)
    review(pipeline.as_person("Reviewers"))
    publish(pipeline.as_person("Operators"))
    pipeline.drop(f"{PREDICTIONS}2026-03-02/{text_digest(text)}.json", b"{}")
    both = _with_both(pipeline)
    forgotten = forget(both, text)
    assert (forgotten.deleted, forgotten.predictions, forgotten.excluded) == (1, 1, 1)
    change = exclude_reviewer(both, "rita", reason="a test")
    assert change.documents >= 1
    assert change.reviewer == REVIEWER


def _with_both(pipeline: Pipeline) -> Deployment:
    role = create_role(pipeline.account, trusted={"AWS": pipeline.account.account})
    stack = pipeline.account.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    arns = {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}
    for policy in ("Operators", "Reviewers"):
        pipeline.account.client("iam").attach_role_policy(
            RoleName=role.rsplit("/", 1)[-1], PolicyArn=arns[f"{policy}PolicyArn"]
        )
    return find_deployment(Clients(pipeline.account.session(role_arn=role)), name=NAME)


def _csv(rows: list[tuple[str, str]]) -> bytes:
    return "".join(f"{label},{text}\n" for label, text in rows).encode()
