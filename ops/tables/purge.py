"""The list that `flywheel purge` shows before it removes anything."""

from __future__ import annotations

from rich.console import RenderableType

from ops.tables.figures import count
from ops.tables.listing import Column, Listing
from ops.verbs.left_behind import LeftBehind


def left_behind_view(left: LeftBehind, *, delete_keys: bool) -> RenderableType:
    if left.nothing and not left.others:
        return f"Nothing of {left.name} is kept in {left.region}."
    table = Listing(
        Column(title="What"),
        Column(title="Which", wraps=True),
        Column(title="Purge", wraps=True),
        title=f"What is left of {left.name} in {left.region}",
    )
    for flywheel in left.flywheels:
        table.add("Flywheel", flywheel.arn, "deletes it with its datasets")
    for model in left.models:
        table.add("Model", model.arn, "deletes it ($0.50 a month)")
    for bucket in left.buckets:
        amount = count(bucket.versions, "object version")
        table.add("Bucket", bucket.name, f"deletes it with {'more than ' if bucket.more else ''}{amount}")
    for key in left.keys:
        table.add("KMS key", key, "schedules its deletion in 30 days" if delete_keys else "leaves it (--key)")
    for other in left.others:
        table.add("Other", other, "leaves it")
    return table
