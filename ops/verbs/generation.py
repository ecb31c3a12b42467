"""A new generation: a new flywheel beside the old one, seeded with what was accepted and is not excluded."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flywheel.comprehend.model_kind import Task
from flywheel.datasets.look_ahead import Outlook, look_ahead
from flywheel.datasets.plan import dataset_part
from flywheel.datasets.stored_parts import StoredPart
from flywheel.records.datasets import WaitingDocuments, accepted_manifests, by_single_label
from flywheel.records.exclusions import Exclusions, read_exclusions
from flywheel.records.uploads import Split
from flywheel.store.record import Record
from ops.deployment.errors import InvalidSettingError, OperatorError
from ops.deployment.published import SETTINGS_FILE, Deployment, environments_in, find_deployment, name_in, read_context
from ops.deployment.service_errors import ANY_FAILURE
from ops.verbs.cost import Line, Per, cost
from ops.verbs.prepared import size_about

SETTING = "generation"
_DEPLOY = ("make", "--no-print-directory", "deploy")
_NOT_YET = "a flywheel that is not there yet"


class Seed(Record):
    """What a new generation would make of the documents of one split."""

    split: Split
    datasets: tuple[int, ...] = ()
    """Documents of each dataset."""
    labels: dict[str, int] = {}
    """Documents by label, or annotations by entity type."""
    excluded: int = 0
    waiting: WaitingDocuments | None = None
    """Documents that would not be seeded, and why."""

    @property
    def documents(self) -> int:
        return sum(self.datasets)


class NewGeneration(Record):
    name: str
    flywheel_arn: str
    """Of the present generation, which stays."""
    deployed: int
    generation: int
    """The new one's number."""
    begun: bool
    """The settings file has the new number already: an earlier run did not come to its end."""
    seeds: tuple[Seed, ...]
    training: tuple[Line, ...] = ()
    """What the first iteration costs, as `flywheel cost` estimates it; none where nothing is trained."""


def plan_generation(deployment: Deployment, folder: Path) -> NewGeneration:
    """What `flywheel generation new` would do from the settings in `folder`.

    Raises OperatorError, flywheel.faults.errors.InvalidRecord and botocore's errors.
    """
    deployed, setting = generations(deployment, folder)
    seeds = seeds_of(deployment)
    trains = any(seed.datasets for seed in seeds if seed.split is Split.TRAIN)
    return NewGeneration(
        name=deployment.name,
        flywheel_arn=deployment.flywheel_arn,
        deployed=deployed,
        generation=max(setting, deployed + 1),
        begun=setting > deployed,
        seeds=seeds,
        training=tuple(line for line in cost(deployment).lines if line.per is Per.TURN) if trains else (),
    )


def deploy_generation(
    deployment: Deployment, plan: NewGeneration, folder: Path, *, environment: Mapping[str, str]
) -> None:
    """Write the setting and run `make deploy` in `folder`, in this terminal. Raises OperatorError if that fails.

    If the flywheel was not replaced, the setting is put back. Killed and run again it counts no further: the setting is
    ahead of the deployment then.
    """
    write_generation(folder, plan.generation)
    try:
        done = subprocess.run(_DEPLOY, cwd=folder, env={**os.environ, **environment}, check=False)
    except FileNotFoundError as error:
        write_generation(folder, plan.deployed)
        raise OperatorError(f"`make` is not here: the setting `{SETTING}` is {plan.deployed} again.") from error
    if not done.returncode:
        return
    try:
        now = find_deployment(deployment.clients, name=deployment.name).published.generation
    except ANY_FAILURE as error:
        raise OperatorError(
            f"The deployment failed, and which generation is deployed cannot be asked. {SETTINGS_FILE} says "
            f"{plan.generation}: `flywheel generation new` goes on from there."
        ) from error
    if now == plan.generation:
        raise OperatorError(
            f"Generation {now} is deployed, but another stack could not be: mend what `make deploy` says and run it "
            f"again. {SETTINGS_FILE} says {now}."
        )
    write_generation(folder, plan.deployed)
    raise OperatorError(
        f"The deployment failed: generation {plan.deployed} goes on, and {SETTINGS_FILE} says {plan.deployed} again. "
        "Mend what `make deploy` said above, then run this again."
    )


def seeds_of(deployment: Deployment) -> tuple[Seed, ...]:
    """What the first turn of a new generation would seed it with."""
    exclusions = read_exclusions(deployment.intake)
    return tuple(_seed(deployment, split, exclusions) for split in (Split.TEST, Split.TRAIN))


def _seed(deployment: Deployment, split: Split, exclusions: Exclusions) -> Seed:
    """As compose_datasets would compose them, one dataset after the other."""
    planned: list[StoredPart] = []
    documents: list[int] = []
    combinations: dict[str, int] = {}
    while True:
        outlook = _look_ahead(deployment, split, exclusions, planned)
        if outlook.included:
            documents.append(sum(outlook.included.values()))
            combinations = {
                key: combinations.get(key, 0) + outlook.included.get(key, 0)
                for key in (*combinations, *outlook.included)
            }
            parts = [(each.stored, dataset_part(each, outlook.minimum.held_back)) for each in outlook.candidates]
            planned += [stored for stored, part in parts if part.documents or part.dropped]
        if not (outlook.included and outlook.full):
            return Seed(
                split=split,
                datasets=tuple(documents),
                labels=by_single_label(combinations),
                excluded=outlook.excluded,
                waiting=outlook.waiting(),
            )


def _look_ahead(deployment: Deployment, split: Split, exclusions: Exclusions, planned: list[StoredPart]) -> Outlook:
    return look_ahead(
        split,
        intake=deployment.intake,
        flywheel_arn=_NOT_YET,
        accepted=accepted_manifests(deployment.intake, split),
        kind=deployment.kind,
        task=Task(labels=deployment.labels, multi_label=deployment.multi_label),
        minimum=deployment.parameters.minimum_documents_per_label,
        conflicting_labels=deployment.parameters.conflicting_labels,
        size=size_about,
        exclusions=exclusions,
        planned=planned,
    )


def generations(deployment: Deployment, folder: Path) -> tuple[int, int]:
    """The deployed one's number, and the one in the settings of `folder`. Raises OperatorError."""
    context = read_context(folder)
    name = name_in(context)
    if environments_in(context):
        raise OperatorError(
            f"{SETTINGS_FILE} names environments: set `{SETTING}` of the one that {deployment.name} is, then "
            "`make synth` and `make deploy ENV=...`."
        )
    if name != deployment.name:
        raise OperatorError(
            f"{SETTINGS_FILE} in this folder names {name or 'no flywheel'}, not {deployment.name}: run this where "
            f"{deployment.name} is deployed from."
        )
    deployed = deployment.published.generation
    if deployed is None:
        raise OperatorError(
            f"{deployment.name} was deployed by an earlier version, which did not say its generation: `make deploy` "
            "once without a change, then run this again."
        )
    setting = _holder(context).get(SETTING, 1)
    if not isinstance(setting, int) or setting < deployed:
        raise OperatorError(
            f"Generation {deployed} is deployed, but {SETTINGS_FILE} says {setting}: it is not the file that "
            f"{deployment.name} was deployed from. Set `{SETTING}` to {deployed} if the rest is right."
        )
    return deployed, setting


def _holder(context: dict[str, Any]) -> dict[str, Any]:
    """Where the setting stands: a context key of its own overrides the one among the settings."""
    settings = context.get("flywheel")
    return context if SETTING in context or not isinstance(settings, dict) else settings


def write_generation(folder: Path, generation: int) -> None:
    """Set it in the folder's cdk.json, and change nothing else. Raises InvalidSettingError."""
    path = folder / SETTINGS_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    _holder(content["context"])[SETTING] = generation
    # In one go: half a file would be nobody's settings.
    new = path.with_name(f".{SETTINGS_FILE}.new")
    try:
        new.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        new.replace(path)
    except OSError as error:
        raise InvalidSettingError(f"{path} cannot be written ({error.strerror}).") from error
