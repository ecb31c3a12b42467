"""The answer of `flywheel status` where models are imported."""

from __future__ import annotations

from rich.console import RenderableType

from flywheel.records.model_arn import short_name
from flywheel.records.promotions import PromotionMode
from ops.tables.endpoint import state_words
from ops.tables.figures import model_words, moment
from ops.tables.listing import Facts, Words, words
from ops.tables.promotions import add_promotions, promotion_words
from ops.verbs.import_status import ImportStatus
from ops.verbs.models import ModelVersion

_NAMED = 5
_MODES = {
    PromotionMode.AUTOMATIC: "AUTOMATIC: what the source shares is promoted once it has passed the smoke test",
    PromotionMode.APPROVAL: "APPROVAL: what the source shares waits until a person approves it",
    PromotionMode.NEVER: "NEVER: what the source shares is left to people, `flywheel import` promotes it",
}


def import_status_view(status: ImportStatus) -> RenderableType:
    facts = Facts()
    facts.add("Imports", f"{status.name} in {status.region}")
    facts.add("Source", _source_words(status))
    facts.add("Active model", _active_words(status))
    if status.active and status.smoke_test:
        facts.add("", words(status.smoke_test.sentence, style="" if status.smoke_test.passed else "red"))
    if status.newest and status.newest != status.active:
        facts.add("Shared last", _newest_words(status.newest))
    for version in status.withdrawn[:_NAMED]:
        facts.add("Withdrawn", words(_withdrawn_words(version, status), style="yellow"))
    facts.add("Endpoint", state_words(status.serving))
    add_promotions(facts, mode=_MODES[status.promotion_mode], now=status.promotions, desired=status.desired)
    return facts


def _source_words(status: ImportStatus) -> str:
    return f"flywheel {status.source_flywheel} in account {status.source_account}"


def _active_words(status: ImportStatus) -> Words:
    active = status.active
    if active is None:
        return words("none yet: the first version that the source shares, or `flywheel import`")
    scores, source = model_words(active.score).lines[1], active.source_model_arn
    return words(active.name, *([f"imported from {short_name(source)}"] if source else []), scores)


def _newest_words(version: ModelVersion) -> Words:
    name = short_name(version.source_model_arn or version.arn)
    became = promotion_words(version.promotion) if version.promotion else "nothing was asked for it"
    return words(f"{name} at {moment(version.shared_at)}: {became}")


def _withdrawn_words(version: ModelVersion, status: ImportStatus) -> str:
    name = short_name(version.source_model_arn or version.arn)
    serves = version == status.active
    return f"{name}, which serves here: `flywheel rollback` goes back to another one" if serves else name
