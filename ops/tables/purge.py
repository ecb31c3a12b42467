"""The list that `flywheel purge` shows before it removes anything."""

from __future__ import annotations

from rich.console import RenderableType

from ops.left_behind import Kept
from ops.tables.figures import count
from ops.tables.listing import Column, Listing


def kept_view(kept: Kept, *, delete_keys: bool) -> RenderableType:
    if kept.nothing and not kept.others:
        return f"Nothing of {kept.name} is kept in {kept.region}."
    table = Listing(
        Column(title="What"),
        Column(title="Which", wraps=True),
        Column(title="Purge", wraps=True),
        title=f"What is left of {kept.name} in {kept.region}",
    )
    for flywheel in kept.flywheels:
        table.add("Flywheel", flywheel.arn, "deletes it with its datasets")
    for model in kept.models:
        table.add("Model", model.arn, "deletes it ($0.50 a month)")
    for bucket in kept.buckets:
        amount = count(bucket.versions, "object version")
        table.add("Bucket", bucket.name, f"deletes it with {'more than ' if bucket.more else ''}{amount}")
    for key in kept.keys:
        table.add("KMS key", key, "schedules its deletion in 30 days" if delete_keys else "leaves it (--key)")
    for other in kept.others:
        table.add("Other", other, "leaves it")
    return table
