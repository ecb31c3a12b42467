"""The answer of `flywheel status`."""

from __future__ import annotations

from collections import Counter

from rich.console import Group, RenderableType
from rich.filesize import decimal as size
from rich.text import Text

from flywheel.records.decisions import DecisionKind
from flywheel.records.promotions import PromotionMode
from flywheel.records.turns import TurnRecord
from flywheel.records.uploads import Split
from ops.tables.endpoint import state_words
from ops.tables.exclude import stays_words
from ops.tables.figures import count, model_words, moment
from ops.tables.listing import Column, Facts, Listing, Words, words
from ops.tables.promotions import add_promotions
from ops.tables.share import sharing_words
from ops.tables.turns import progress_sentence
from ops.verbs.exclude import Excluded
from ops.verbs.prepared import Prepared, UploadState, UploadWaiting
from ops.verbs.status import RUNNING_OUT, DatasetQuota, NextTurn, Status

_NAMED_UPLOADS = 5
_NAMED_LABELS = 20


def status_view(status: Status) -> RenderableType:
    facts = Facts()
    facts.add("Flywheel", f"{status.name} in {status.region}: {_flywheel_words(status)}")
    facts.add("Active model", _model_words(status))
    if status.changed_outside:
        facts.add("", words(status.changed_outside, style="yellow"))
    facts.add("Endpoint", state_words(status.serving))
    if status.sharing:
        facts.add("Shared", sharing_words(status.sharing))
    facts.add("Turn", progress_sentence(status.running) if status.running else _last_turn_words(status))
    add_promotions(facts, mode=_MODES[status.promotion_mode], now=status.promotions, desired=status.desired)
    if status.paused:
        because = f": {status.paused.reason}" if status.paused.reason else ""
        facts.add("Paused", words(f"by {status.paused.by} at {moment(status.paused.at)}{because}", style="yellow"))
    if status.request:
        facts.add("Asked for", f"a turn, by {status.request.by} at {moment(status.request.at)}")
    facts.add("Next turn", _next_turn_words(status.next_turn))
    facts.add("Uploads", _upload_words(status))
    for prepared in status.prepared:
        facts.add(f"{prepared.split.dataset_type} waiting", _prepared_words(prepared))
    for quota in status.quotas:
        facts.add(f"{quota.split.dataset_type} datasets", _quota_words(quota))
    if status.answers:
        facts.add("Reviewed", f"{count(status.answers.answers, 'answer')} wait: {status.answers.because}")
    if status.excluded.uploads or status.excluded.total_documents:
        facts.add("Excluded", _excluded_words(status.excluded))
    tables = [_label_table(prepared) for prepared in status.prepared if prepared.documents]
    return Group(facts, *(part for table in tables for part in (Text(), table)))


def _flywheel_words(status: Status) -> str:
    return f"{status.flywheel_status}, {status.flywheel_message}" if status.flywheel_message else status.flywheel_status


def _model_words(status: Status) -> Words:
    if status.active is None:
        return words(f"none yet: {_FIRST_MODEL[status.promotion_mode]}")
    return model_words(status.active)


_FIRST_MODEL = {
    PromotionMode.AUTOMATIC: "the first model that reaches MinimumScore becomes active",
    PromotionMode.APPROVAL: "the first model that reaches MinimumScore becomes active when a person approves it",
    PromotionMode.NEVER: "`flywheel rollback --to` makes a model active",
}


_MODES = {
    PromotionMode.AUTOMATIC: "AUTOMATIC: a better candidate is promoted at once",
    PromotionMode.APPROVAL: "APPROVAL: a better candidate waits until a person approves it",
    PromotionMode.NEVER: "NEVER: a better candidate is left to people, `flywheel rollback --to` promotes it",
}


def _last_turn_words(status: Status) -> str:
    last = status.last_turn
    if last is None:
        return "none yet"
    what = last.cause or last.error or _decision_words(last)
    return f"none runs; {last.turn} {last.outcome} at {moment(last.ended_at)}: {what}"


def _decision_words(last: TurnRecord) -> str:
    became = f" ({last.promotion.status})" if last.promotion else ""
    return {
        DecisionKind.PROMOTE: f"decided to promote its candidate{became}",
        DecisionKind.KEEP: "kept the active model",
        DecisionKind.REPORT: "reported the active model's score",
        DecisionKind.NOTHING: "nothing to decide",
    }[last.decision]


def _quota_words(quota: DatasetQuota) -> Words:
    counted = {"being created": quota.creating, "failed": quota.failed}
    remarks = ", ".join(f"{number} {what}" for what, number in counted.items() if number)
    used = f"{quota.used} of {quota.limit} used"
    used = f"{used} ({remarks})" if remarks else used
    return words(used, RUNNING_OUT, style="yellow") if quota.running_out else words(used)


def _excluded_words(excluded: Excluded) -> Words:
    lines = [
        f"{each.exclusion.upload.key if each.exclusion.upload else each.id}: {each.exclusion.reason}"
        for each in excluded.uploads[:_NAMED_UPLOADS]
    ]
    if len(excluded.uploads) > _NAMED_UPLOADS:
        lines.append(f"and {len(excluded.uploads) - _NAMED_UPLOADS:,} uploads more (`flywheel exclude` lists them)")
    if excluded.total_documents:
        lines.append(count(excluded.total_documents, "single document"))
    if excluded.in_datasets:
        lines.append(stays_words(excluded.in_datasets))
    return words(*lines)


def _next_turn_words(next_turn: NextTurn) -> str:
    said = f"{'due' if next_turn.due else 'not due'}: {next_turn.reason}"
    return f"{said} (again at {moment(next_turn.looked_at_again)})" if next_turn.looked_at_again else said


def _upload_words(status: Status) -> Words:
    if not status.uploads:
        return words("none to collect")
    lines = []
    for state in UploadState:
        uploads = [upload for upload in status.uploads if upload.state is state]
        if not uploads:
            continue
        places = Counter(upload.split for upload in uploads)
        each = ", ".join(f"{places[split]} in {split}/" for split in Split if places[split])
        lines.append(f"{each}, {size(sum(upload.size for upload in uploads))}, {state}")
        lines += [_upload_line(upload) for upload in uploads[:_NAMED_UPLOADS]]
        if len(uploads) > _NAMED_UPLOADS:
            lines.append(f"and {len(uploads) - _NAMED_UPLOADS:,} more")
    return words(*lines)


def _upload_line(upload: UploadWaiting) -> str:
    return f"{upload.key} ({moment(upload.last_modified)})" + (f": {upload.reason}" if upload.reason else "")


def _prepared_words(prepared: Prepared) -> Words:
    excluded = f", {prepared.excluded:,} excluded (`flywheel exclude` lists why)" if prepared.excluded else ""
    if not prepared.parts:
        return words(f"no documents{excluded}")
    amount = f"{count(prepared.documents, 'document')} in {count(prepared.parts, 'part')}, {size(prepared.bytes)}"
    if prepared.copies:
        amount += f", and {prepared.copies:,} that do not count (copies, or in the other split)"
    return words(f"{amount}{excluded}", prepared.reason)


def _label_table(prepared: Prepared) -> Listing:
    left = len(prepared.labels) - _NAMED_LABELS
    table = Listing(
        Column(title="Label", wraps=True),
        *(Column(title=title, number=True) for title in ("Documents", "Needed", "Missing")),
        title=f"Waiting {prepared.split.dataset_type} documents by label",
        caption=f"and {left} labels more (--json shows all)" if left > 0 else None,
    )
    # With hundreds of labels those that lack documents are what people look for.
    ordered = sorted(prepared.labels, key=lambda label: -label.missing)[:_NAMED_LABELS]
    for label in ordered:
        style = "yellow" if label.missing else None
        table.add(label.label, str(label.documents), str(label.needed), str(label.missing or ""), style=style)
    return table
