"""One schedule, drawn from its seed before anything runs: the deployment, the weather, and who does what when."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.simulation.deployment.synthesis import context_of
from tests.simulation.schedule import deployments, parameters
from tests.simulation.schedule.act import Act
from tests.simulation.schedule.documents import Author, File
from tests.simulation.schedule.wings import draw_importers, draw_wings

HOUR = 3600.0
_ADOPTS = 0.08
KINDS = {"MULTI_CLASS": "classifier", "MULTI_LABEL": "multi-label", "ENTITIES": "recognizer"}
"""Of settings."""


def labels_of(kind: str, generation: int = 1) -> tuple[str, ...]:
    context = context_of(KINDS[kind], generation)
    return tuple(context.get("labels") or context["entity_types"])


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Shares from 0 to 1 of what the weather does; see `storm`."""

    refused: float = 0.0
    lost_answers: float = 0.0
    slow: float = 0.0
    outages: float = 0.0
    """How many an hour."""
    killed: float = 0.0
    suspended: float = 0.0
    abandoned: float = 0.0
    """Suspended before a change, while somebody stops the execution that waits for it: it goes on when the next one is
    at work."""
    invoked_again: float = 0.0
    """Step Functions gets no answer of an invocation and invokes again, while the first goes on."""
    not_invoked: float = 0.0
    """Lambda refuses an invocation."""
    broken: float = 0.0
    """Lambda refuses all invocations of the function, for some time."""
    unlucky: float = 0.0
    """Of the states of one machine: what one asks for is refused."""
    used_up: float = 0.0
    """How often an hour others of the account use up a quota of Comprehend for some time."""
    cut_off: float = 0.0
    """Of functions: their requests are lost for some time."""
    conflicts: float = 0.0
    """S3 answers a conditional write that another request for the key is under way."""
    events_lost: float = 0.0
    events_late: float = 0.0
    events_repeated: float = 0.0
    skewed: float = 0.0
    failed_resources: float = 0.0
    """Of datasets, iterations, jobs and endpoints of Comprehend."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    seed: int
    bounded: bool
    """The weather becomes calm, people stop, and the pipeline must come to rest."""
    kind: str
    parameters: Mapping[str, Mapping[str, str]]
    """Of the stacks, by "flywheel", "serving", "analysis"."""
    readings: Mapping[str, Any]
    """Settings of the local Comprehend: durations, quotas, and how AWS's open questions are read."""
    adopts: bool = False
    """The flywheel begins with an existing model."""
    behind: float = 0.0
    """Seconds, at most, by which the answers of services are behind that say that they are eventually consistent."""
    too_slow: bool = False
    """One of these durations is longer than the pipeline waits at a time."""
    rates: Rates
    acts: tuple[Act, ...]
    calm_after: float
    importing: Mapping[str, Mapping[str, str]] | None = None
    """Parameters of the stacks, "import" among them, where another account imports the models; None: none does."""
    smoke_test: File | None = None
    """What they are tried with there."""
    destroyed: tuple[str, ...] = ()
    """Stacks that are destroyed at the end, once all is at rest."""
    least_period: float = 0.0
    """Seconds between two looks of a schedule, at least."""
    improving: bool = False
    """Each training gives a better model than the one before, mostly."""

    @property
    def labels(self) -> tuple[str, ...]:
        return labels_of(self.kind)


def draw_plan(seed: int, *, bounded: bool) -> Plan:
    draw = random.Random(f"{seed}/plan/{bounded}")
    kind = draw.choices(("MULTI_CLASS", "MULTI_LABEL", "ENTITIES"), (6, 2, 2))[0]
    length = draw.choice((6, 12, 24)) * HOUR
    author = Author(random=draw, kind=kind, labels=labels_of(kind))
    importing, smoke_test = None, None
    if kind == "MULTI_CLASS" and draw.random() < 0.4:
        importing, smoke_test = deployments.drawn_importer(
            draw, source=context_of(KINDS[kind])["name"], labels=author.labels
        )
    generation = deployments.generation_at(draw, length)
    adopts = kind == "MULTI_CLASS" and generation is None
    adopts = adopts and random.Random(f"{seed}/adopts/{bounded}").random() < _ADOPTS
    given = {stack: parameters.drawn(draw, stack) for stack in ("flywheel", "serving", "analysis")}
    wings = draw_wings(f"{seed}/{bounded}", kind=kind, labels=labels_of(kind), length=length)
    for stack, values in wings.parameters.items():
        given[stack].update(values)
    if importing:
        given["flywheel"]["TrustedAccounts"] = draw.choices(*parameters.TRUST)[0]
        wings.acts += _importers(f"{seed}/{bounded}", given, importing, length=length, labels=author.labels)
    acts = _acts(draw, author, length, generation)
    acts += deployments.answers(draw, given["flywheel"]["PromotionMode"], length=length, importing=False)
    if importing:
        acts += deployments.answers(draw, importing["import"]["PromotionMode"], length=length, importing=True)
    acts += deployments.acts(draw, author, length=length, importing=importing is not None)
    acts += wings.acts
    acts += deployments.serving_later(random.Random(f"{seed}/serving/{bounded}"), length=length)
    too_slow = _too_slow(random.Random(f"{seed}/too slow/{bounded}"), importing=importing is not None)
    of_imports = {"model_import_seconds": random.Random(f"{seed}/imports/{bounded}").choice((60, 600, 3600))}
    return Plan(
        seed=seed,
        bounded=bounded,
        kind=kind,
        parameters=given,
        readings=_readings(draw) | of_imports | too_slow,
        adopts=adopts,
        behind=random.Random(f"{seed}/behind/{bounded}").choice((0.0, 5.0, 60.0)),
        too_slow=bool(too_slow),
        rates=_rates(draw, random.Random(f"{seed}/invocations/{bounded}")),
        acts=tuple(sorted(acts, key=lambda act: act.at)),
        calm_after=length + HOUR,
        importing=importing,
        smoke_test=smoke_test,
        destroyed=draw.choice(((), (), (), ("serving",), ("flywheel", "import", "serving", "analysis"))),
        least_period=draw.choice((0.0, *[3 * HOUR] * 9)),
        improving=wings.improving,
    )


def _importers(
    seed: str,
    given: Mapping[str, dict[str, str]],
    importing: Mapping[str, dict[str, str]],
    *,
    length: float,
    labels: tuple[str, ...],
) -> list[Act]:
    """Acts where models are imported, whose parameters go before those drawn there and where they are trained."""
    drawn = draw_importers(seed, labels=labels, length=length)
    for stack, values in drawn.parameters.items():
        (given if stack == "flywheel" else importing)[stack].update(values)
    return drawn.acts


def _readings(draw: random.Random) -> dict[str, Any]:
    """Every open question of the reference is read in one of its ways."""
    refusals = ("ResourceInUseException", "TooManyRequestsException", "InvalidRequestException")
    return {
        "flywheel_creation_seconds": 60,
        "dataset_ingestion_seconds": draw.choice((60, 600, 1800)),
        "iteration_evaluation_seconds": draw.choice((60, 600)),
        "iteration_training_seconds": draw.choice((600, 3600, 7200)),
        "job_queue_seconds": 60,
        "job_seconds": draw.choice((120, 900)),
        "endpoint_creation_seconds": draw.choice((300, 1200)),
        "endpoint_update_seconds": draw.choice((300, 1200)),
        "endpoint_deletion_seconds": 120,
        "model_deletion_seconds": 30,
        "created_things_found_after_seconds": draw.choice((0, 0, 5, 60)),
        "endpoint_follow_delay_seconds": draw.choice((0, 30)),
        "minimum_per_label": draw.choice(("per_dataset", "per_flywheel", "none")),
        "minimum_documents_multi_class": 2,
        "minimum_documents_multi_label": 2,
        "minimum_total_documents_multi_label": 2,
        "minimum_annotations": 2,
        "first_model_becomes_active": draw.random() < 0.3,
        "evaluate_active_without_test_data": draw.random() < 0.5,
        "test_datasets_scored": draw.choice(("all", "new")),
        "second_iteration_error": draw.choice(refusals),
        "iteration_during_ingestion": draw.choice(("allow", *refusals)),
        "concurrent_iterations_error": draw.choice(refusals),
        "update_during_iteration": draw.choice(("allow", "InvalidRequestException", "TooManyRequestsException")),
        "start_without_data": draw.choice(("fail_iteration", "InvalidRequestException")),
        "first_model_name": draw.choice(("generated", "flywheel")),
        "recognizer_iteration_scale": draw.choice((1, 100)),
        "recognizer_averages": draw.choice(("micro", "macro")),
        "recognizer_accuracy": draw.choice(("documents", "absent")),
        "bad_value_error": draw.choice(("InvalidRequestException", "ValidationException")),
        "endpoint_moves_by": draw.choice(("either", "flywheel_alone", "flywheel_with_model")),
        "endpoint_deletion_during_change": draw.choice(("allow", "ResourceInUseException")),
        "flywheel_deletion_with_endpoints": draw.choice(("allow", "ResourceInUseException")),
        "lake_uri_ends_with_slash": draw.random() < 0.5,
    }


def _too_slow(draw: random.Random, *, importing: bool) -> dict[str, float]:
    """Now and then something takes longer than the pipeline waits for it at a time."""
    chosen = draw.choice(
        (
            {"dataset_ingestion_seconds": 9 * HOUR},
            {"iteration_training_seconds": 37 * HOUR},
            {"job_seconds": 4 * HOUR},
            {"endpoint_creation_seconds": HOUR},
            {"endpoint_update_seconds": HOUR},
        )
    )
    found = chosen if draw.random() < 0.08 else {}
    if importing and draw.random() < 0.12:
        return draw.choice(({"model_import_seconds": 13 * HOUR}, {"job_seconds": 4 * HOUR})) | found
    return found


def _rates(draw: random.Random, of_tasks: random.Random) -> Rates:
    """Most schedules are bad in a few ways: in one that is bad in all, nothing gets far."""

    def sometimes(share: float, most: float, draw: random.Random = draw) -> float:
        return draw.uniform(0, most) if draw.random() < share else 0.0

    return Rates(
        refused=sometimes(0.3, 0.03),
        lost_answers=sometimes(0.3, 0.02),
        slow=sometimes(0.3, 0.02),
        outages=sometimes(0.2, 0.5),
        killed=sometimes(0.4, 0.15),
        suspended=sometimes(0.4, 0.15),
        abandoned=sometimes(0.4, 0.1),
        invoked_again=sometimes(0.3, 0.1),
        not_invoked=sometimes(0.3, 0.1, of_tasks),
        broken=sometimes(0.3, 0.03, of_tasks),
        unlucky=sometimes(0.6, 0.6, of_tasks),
        used_up=sometimes(0.3, 0.8, of_tasks),
        cut_off=sometimes(0.3, 0.25, of_tasks),
        conflicts=sometimes(0.4, 0.1, of_tasks),
        events_lost=sometimes(0.3, 0.4),
        events_late=sometimes(0.3, 0.4),
        events_repeated=sometimes(0.3, 0.3),
        skewed=sometimes(0.3, 1.0),
        failed_resources=sometimes(0.3, 0.3),
    )


_PEOPLE = {
    "turn now": 3,
    "overrule the minimum": 1,
    "pause": 1,
    "resume": 1,
    "approve": 4,
    "decline": 1,
    "roll back": 2,
    "edit desired-model-arn": 1,
    "change the model in the console": 1,
    "delete an old model": 1,
    "stop a turn": 3,
    "stop a promotion": 2,
    "stop a serving": 1,
    "redrive a turn": 3,
    "redrive a promotion": 2,
    "start a turn by hand": 1,
    "start a promotion by hand": 1,
    "delete an upload": 1,
    "exclude an upload": 1,
    "poke": 1,
}


def _acts(draw: random.Random, author: Author, length: float, generation: float | None) -> list[Act]:
    """`generation` is the moment at which a new one is deployed."""
    acts = [
        Act(at=draw.uniform(0, 600), kind="upload", file=author.file("test", "first", per_label=draw.randint(2, 6))),
        Act(at=draw.uniform(0, 900), kind="upload", file=author.file("train", "first", per_label=draw.randint(4, 12))),
    ]
    names = [f"file-{number}" for number in range(6)]
    for _ in range(draw.choice((1, 3, 6, 12))):
        split = draw.choices(("train", "test"), (4, 1))[0]
        few, at = draw.random() < 0.2, draw.uniform(600, length)
        later = generation is not None and at > generation
        # Some bring labels of the other generation.
        author.labels = labels_of(author.kind, 2 if later is not (draw.random() < 0.1) else 1)
        written = author.file(
            split,
            draw.choice(names),
            per_label=1 if few else draw.randint(2, 12),
            bad=draw.choice((0, 0, 0, 1, 3)),
            repeat=draw.choice((0, 0, 2)),
            leak=draw.choice((0, 0, 0, 2)),
        )
        acts.append(Act(at=at, kind="upload", file=written))
        if draw.random() < 0.1:
            # The same again, under another name or the same.
            acts.append(Act(at=draw.uniform(600, length), kind="upload", file=written))
    kinds = draw.choices(list(_PEOPLE), list(_PEOPLE.values()), k=draw.choice((0, 2, 5, 12)))
    acts += [Act(at=draw.uniform(600, length), kind=kind, chance=draw.random()) for kind in kinds]
    if generation is not None:
        acts.append(Act(at=generation, kind="deploy a new generation"))
    for act in [act for act in acts if act.at > 900]:
        if act.file is not None and draw.random() < 0.2:
            # Under the same name, when a turn may be at work on the first version.
            name = act.file.name.partition(".")[0]
            file = author.file(act.file.split, name, per_label=draw.randint(1, 6))
            acts.append(Act(at=act.at + draw.choice((5, 8, 12, 20, 60)), kind="upload", file=file))
    return acts
