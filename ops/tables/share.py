"""The answer of `flywheel share`, and what `flywheel status` says of sharing."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType

from flywheel.records.model_arn import short_name
from flywheel.sharing.check_account import Importable
from ops.tables.figures import count
from ops.tables.listing import Column, Listing, Words, words
from ops.verbs.share import SharingNow


def share_table(found: Sequence[Importable]) -> RenderableType:
    if not found:
        return "No account is trusted (TrustedAccounts), or no model has been trained yet."
    table = Listing(
        Column(title="Account"), Column(title="Version"), Column(title="May import"), Column(title="Why", wraps=True)
    )
    for each in found:
        table.add(
            each.account,
            short_name(each.model_arn),
            "yes" if each.may_import else "no",
            each.reason,
            style=None if each.may_import else "dim",
        )
    return table


def sharing_words(sharing: SharingNow) -> Words:
    shared = f"{count(sharing.versions, 'version')} with {count(len(sharing.accounts), 'account')}"
    wrong = [
        *sharing.problems,
        *(f"{account} could not be told ({why})" for account, why in sharing.undelivered.items()),
    ]
    return words("; ".join([shared, *wrong]), style="yellow" if wrong else "")
