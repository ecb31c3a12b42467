"""The list that `flywheel purge` shows before it removes anything."""

from __future__ import annotations

from rich import box
from rich.console import RenderableType
from rich.table import Table

from ops.kept import Kept
from ops.tables.figures import count


def kept_view(kept: Kept, *, delete_keys: bool) -> RenderableType:
    if kept.nothing and not kept.others:
        return f"Nothing of {kept.name} is kept in {kept.region}."
    table = Table(title=f"Kept of {kept.name} in {kept.region}", title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("What", no_wrap=True)
    table.add_column("Which", overflow="fold")
    table.add_column("Purge", overflow="fold")
    for flywheel in kept.flywheels:
        table.add_row("Flywheel", flywheel.arn, "deletes it with its datasets")
    for model in kept.models:
        table.add_row("Model", model.arn, "deletes it ($0.50 a month)")
    for bucket in kept.buckets:
        amount = count(bucket.versions, "object version")
        table.add_row("Bucket", bucket.name, f"deletes it with {'more than ' if bucket.more else ''}{amount}")
    for key in kept.keys:
        table.add_row("KMS key", key, "schedules its deletion in 30 days" if delete_keys else "leaves it (--key)")
    for other in kept.others:
        table.add_row("Other", other, "leaves it")
    return table
