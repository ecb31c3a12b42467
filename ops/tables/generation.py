"""The answer of `flywheel generation new`."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from ops.tables.cost import money, quantity
from ops.tables.figures import count
from ops.tables.listing import Facts, Words, words
from ops.verbs.generation import NewGeneration, Seed

_NAMED_LABELS = 20
_DATASETS_NAMED = 10


def plan_view(plan: NewGeneration) -> RenderableType:
    facts = Facts()
    begun = " (cdk.json says so already: an earlier run did not come to its end)" if plan.begun else ""
    facts.add("New generation", f"{plan.generation} of {plan.name}{begun}")
    for seed in plan.seeds:
        facts.add(f"{seed.split.dataset_type} seed", _seed_words(seed))
    facts.add("Training", _training_words(plan))
    facts.add(
        "What stays",
        words(
            f"{plan.flywheel_arn} with its datasets and models, until `flywheel purge`",
            "the active model, its endpoint and its scores: it serves on until a model of the new generation is better",
        ),
    )
    note = "Other settings that were changed in cdk.json since the last deployment are deployed with it."
    return Group(facts, Text(note))


def _seed_words(seed: Seed) -> Words:
    lines = ["nothing"]
    if seed.datasets:
        each = ", ".join(f"{documents:,}" for documents in seed.datasets[:_DATASETS_NAMED])
        more = " and so on" if len(seed.datasets) > _DATASETS_NAMED else ""
        of_several = f" of {each}{more}" if len(seed.datasets) > 1 else ""
        lines = [f"{count(seed.documents, 'document')} in {count(len(seed.datasets), 'dataset')}{of_several}"]
        labels = sorted(seed.labels.items(), key=lambda item: (-item[1], item[0]))
        left = len(labels) - _NAMED_LABELS
        named = ", ".join(f"{label} {number:,}" for label, number in labels[:_NAMED_LABELS])
        lines.append(f"{named} and {left} labels more" if left > 0 else named)
    if seed.excluded:
        lines.append(f"without {count(seed.excluded, 'document')} that are excluded (`flywheel exclude` lists why)")
    if seed.waiting:
        lines.append(f"{count(seed.waiting.documents, 'document')} would wait: {seed.waiting.reason}")
    return words(*lines)


def _training_words(plan: NewGeneration) -> Words:
    if not plan.training:
        return words("none: there is no TRAIN dataset to train on")
    return words(
        "one iteration over all of them, an estimate:",
        *(
            f"{line.what}: {quantity(line.quantity)} {line.price.unit}, {money(line.dollars)} ({line.basis})"
            for line in plan.training
        ),
    )
