"""`flywheel share` and `flywheel status`: what an account may import, why not the rest, and what is told of sharing."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from flywheel.records.sharing import version_key
from flywheel.sharing.check_account import Importable, check_account
from local.comprehend.faults import Fault
from ops.deployment.errors import OperatorError
from ops.tables.share import share_table, sharing_words
from ops.verbs.share import share as shown
from ops.verbs.share import sharing_now
from tests.pipeline.sharing.world import PROD, PROD_ROOT, STAGE, World

KEY = "arn:aws:kms:us-east-1:111122223333:key/1"
ROLE = f"arn:aws:iam::{PROD}:role/importer"


def checked(world: World, account: str = PROD) -> dict[str, Importable]:
    return {found.model_arn: found for found in shown(world.at.operator, account=account)}


def test_what_was_shared_may_be_imported_and_the_rest_was_never_promoted(world: World) -> None:
    world.trust(PROD, STAGE)
    world.promote(world.models[0])
    found = checked(world)
    assert [found[model].may_import for model in world.models] == [True, False, False]
    assert found[world.models[0]].reason == "Whoever the account lets may import it."
    assert "never promoted" in found[world.models[1]].reason
    assert {each.account for each in shown(world.at.operator)} == {PROD, STAGE}


def test_who_is_not_trusted_may_import_nothing(world: World) -> None:
    world.trust(STAGE)
    world.promote(world.models[0])
    found = checked(world)[world.models[0]]
    assert (found.may_import, found.reason) == (False, f"TrustedAccounts does not name {PROD}.")


def test_a_role_is_named(world: World) -> None:
    world.trust(ROLE)
    world.promote(world.models[0])
    assert checked(world)[world.models[0]].reason == f"It may be imported by {ROLE}."


def test_what_was_withdrawn_says_when_and_by_whom(world: World) -> None:
    world.trust(PROD)
    world.promote(world.models[0])
    world.promote(world.models[1])
    world.promote(world.models[0])
    found = checked(world)
    assert found[world.models[0]].may_import
    assert not found[world.models[1]].may_import
    assert "It was withdrawn at " in found[world.models[1]].reason
    assert "when Ada went back" in found[world.models[1]].reason


def test_a_policy_that_was_refused_says_why(world: World) -> None:
    world.trust(PROD)
    world.at.faults.add(
        Fault(operation="PutResourcePolicy", code="InvalidRequestException", message="No such principal.")
    )
    world.promote(world.models[0])
    found = checked(world)[world.models[0]]
    assert (found.may_import, "No such principal." in found.reason) == (False, True)
    sharing = sharing_now(world.at.operator)
    assert sharing
    assert (sharing.accounts, sharing.versions) == ((PROD,), 0)
    assert "No such principal." in sharing_words(sharing).lines[0]


def test_a_policy_that_somebody_deleted_is_not_there_yet(world: World) -> None:
    world.trust(PROD)
    world.promote(world.models[0])
    world.at.comprehend.delete_resource_policy(ResourceArn=world.models[0])
    assert "not say so yet" in checked(world)[world.models[0]].reason


def test_somebody_elses_statement_is_told_of(world: World) -> None:
    world.trust(STAGE)
    world.promote(world.models[0])
    world.put_policy(
        world.models[0],
        {"Effect": "Allow", "Action": "comprehend:ImportModel", "Resource": "*", "Principal": {"AWS": PROD}},
    )
    found = checked(world)[world.models[0]]
    assert found.may_import
    assert "somebody else" in found.reason


def test_what_is_gone_is_said(world: World) -> None:
    world.trust(PROD)
    world.promote(world.models[0])
    record = world.versions()[world.models[0]]
    world.at.bucket.write(
        version_key(world.models[0]), record.model_copy(update={"gone_at": record.announcement.shared_at})
    )
    assert checked(world)[world.models[0]].reason == "Comprehend does not have it any more."


@pytest.mark.parametrize(
    ("principal", "actions", "lacking"),
    [
        (PROD, ["kms:*"], None),
        (PROD_ROOT, ["kms:Decrypt", "kms:GenerateDataKey", "kms:CreateGrant"], None),
        ("*", ["kms:*"], None),
        (PROD_ROOT, ["kms:Decrypt"], "kms:GenerateDataKey, kms:CreateGrant"),
        (f"arn:aws:iam::{STAGE}:root", ["kms:*"], "kms:Decrypt, kms:GenerateDataKey, kms:CreateGrant"),
    ],
)
def test_a_key_that_does_not_let_the_account_in_is_said(
    world: World, principal: str, actions: list[str], lacking: str | None
) -> None:
    world.trust(PROD)
    world.promote(world.models[0])
    record = world.versions()[world.models[0]]
    announcement = record.announcement.model_copy(update={"key_arn": KEY})
    world.at.bucket.write(version_key(record.model_arn), record.model_copy(update={"announcement": announcement}))
    document = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions}]})

    def check(policy: str | None) -> Importable:
        (found,) = check_account(
            PROD,
            models=[],
            intake=world.at.bucket,
            comprehend=world.at.comprehend,
            read_key_policy=lambda key_arn: policy if key_arn == KEY else None,
        )
        return found

    found = check(document)
    assert found.may_import is (lacking is None)
    if lacking:
        assert f"does not allow {lacking} " in found.reason
    # Who may not read the key's policy learns nothing of it.
    assert check(None).may_import


def test_nothing_is_said_of_sharing_without_trusted_accounts(world: World) -> None:
    world.promote(world.models[0])
    assert sharing_now(world.at.operator) is None
    assert shown(world.at.operator) == []
    assert "No account is trusted" in str(share_table([]))


def test_status_says_whom_the_pipeline_could_not_tell(world: World) -> None:
    world.trust(PROD, STAGE)
    world.buses.closed(STAGE)
    world.promote(world.models[0])
    sharing = sharing_now(world.at.operator)
    assert sharing
    line = sharing_words(sharing)
    (told,) = line.lines
    assert told.startswith(f"1 version with 2 accounts; {STAGE} could not be told (AccessDeniedException: ")
    assert line.style == "yellow"


def test_an_account_has_twelve_digits(world: World) -> None:
    with pytest.raises(OperatorError, match="'prod' is no account: its id has 12 digits"):
        shown(world.at.operator, account="prod")


def test_the_table_shows_each(world: World) -> None:
    world.trust(PROD)
    world.promote(world.models[0])
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(share_table(shown(world.at.operator)))
    text = console.export_text()
    assert text.count(PROD) == 3
    assert "yes" in text
