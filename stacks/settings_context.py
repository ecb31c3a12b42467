"""Settings as a CDK context holds them.

The context key ``flywheel`` in ``cdk.json`` holds them, and ``environments`` what each environment has of its own. Each
setting can be overridden by a context key of its own (``cdk synth -c name=reviews -c labels=GOOD,BAD``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from flywheel.comprehend.model_kind import ModelType

from .environments import NAME, NAME_WORDS, Environment, contradictions
from .settings import EncryptionMode, FlywheelSettings
from .settings_words import near, sentences, shown

CONTEXT_KEY = "flywheel"
ENVIRONMENTS_KEY = "environments"
_LISTS = frozenset({"labels", "entity_types", "initial_model_data", "nag_packs"})
_STRUCTURED = _LISTS | {"encryption", "training_vpc", "functions_vpc", "tags"}
_BELONGS_TO_THE_CDK = re.compile(r"[@:/]")
"""A context key: feature flags, and what the CDK CLI looked up."""
_ONLY_OF_THE_OTHER: dict[str, tuple[str, ...]] = {
    ModelType.ENTITY_RECOGNIZER: ("labels", "mode", "label_delimiter"),
    ModelType.DOCUMENT_CLASSIFIER: ("entity_types",),
}
"""Settings that the other type of model has and this one has not."""
SettingsT = TypeVar("SettingsT", bound=FlywheelSettings)


class SettingsError(Exception):
    """Settings that cannot be deployed; the message is written for the person who made them."""


def cdk_json_context(*, path: Path) -> dict[str, Any]:
    """The context of cdk.json, so that `python app.py` works without the CDK CLI, which otherwise passes it."""
    context: dict[str, Any] = json.loads(path.read_text())["context"]
    return context


def read_settings(*, context: Mapping[str, Any]) -> FlywheelSettings:
    """The settings of a CDK context (values of overrides are strings, as ``-c`` gives them).

    Raises SettingsError with one line for every wrong setting: its name, what was given and what is allowed.
    """
    wrong = _nearly_settings(context)
    settings = _settings(FlywheelSettings, _object(context, CONTEXT_KEY), _overrides(context), wrong=wrong)
    if settings is None or wrong:
        raise _error(f'settings (context key "{CONTEXT_KEY}" in cdk.json, or -c NAME=VALUE)', wrong)
    return settings


def read_environments(*, context: Mapping[str, Any]) -> dict[str, Environment]:
    """The environments of a CDK context by name: each with what all share and what it has of its own.

    Empty if the context names none. Raises SettingsError with one line for all that is wrong.
    """
    named = _object(context, ENVIRONMENTS_KEY)
    if not named:
        return {}
    wrong = _nearly_settings(context)
    found: dict[str, Environment] = {}
    for name in named:
        faults: list[str] = []
        if not NAME.fullmatch(name):
            faults.append(f"an environment's name is {NAME_WORDS}")
        own = _object(named, name, within=f"{ENVIRONMENTS_KEY}.")
        environment = _settings(Environment, _object(context, CONTEXT_KEY), own, _overrides(context), wrong=faults)
        if environment is not None:
            found[name] = environment
        wrong += [f"{name}: {fault}" for fault in faults]
    wrong = wrong or contradictions(found)
    if wrong:
        raise _error(f'environments (context key "{ENVIRONMENTS_KEY}" in cdk.json)', wrong)
    return found


def _settings(kind: type[SettingsT], *layers: Mapping[str, Any], wrong: list[str]) -> SettingsT | None:
    """What the layers say together, a later one above those before it; None after adding to `wrong`."""
    values: dict[str, Any] = {}
    for layer in layers:
        # Who overrides the type of model means another flywheel: the labels below are not that one's.
        other = _ONLY_OF_THE_OTHER.get(str(layer.get("model_type")), ())
        values = {name: value for name, value in values.items() if name not in other} | dict(layer)
    try:
        return kind.model_validate({name: _read(name, value) for name, value in values.items()})
    except ValidationError as error:
        wrong += sentences(error, model=kind)
        return None


def _overrides(context: Mapping[str, Any]) -> dict[str, Any]:
    return {name: context[name] for name in FlywheelSettings.model_fields if name in context}


def _nearly_settings(context: Mapping[str, Any]) -> list[str]:
    known = (CONTEXT_KEY, *FlywheelSettings.model_fields)
    odd = [key for key in context if key not in (*known, ENVIRONMENTS_KEY) and not _BELONGS_TO_THE_CDK.search(key)]
    # Many an app has a context key "environment" of its own, with a name in it.
    objects = [key for key in odd if isinstance(_structured(context[key]), dict)]
    meant = {key: near(key, known) for key in odd} | {key: near(key, (ENVIRONMENTS_KEY,)) for key in objects}
    return [f"{key} is no setting; did you mean {name}?" for key, name in meant.items() if name]


def _object(context: Mapping[str, Any], key: str, *, within: str = "") -> dict[str, Any]:
    given = _structured(context.get(key, {}))
    if not isinstance(given, dict):
        raise SettingsError(f'The context key "{within}{key}" must be an object of settings, not {shown(given)}.')
    return given


def _error(what: str, wrong: list[str]) -> SettingsError:
    return SettingsError("\n".join([f"These {what} cannot be deployed:", *(f"  - {line}" for line in wrong)]))


def _read(name: str, value: Any) -> Any:
    """A value as the models take it; what cannot be read is left for them to refuse."""
    if not isinstance(value, str):
        return value
    if name in _LISTS and not value.startswith("["):
        return tuple(item.strip() for item in value.split(","))
    if name == "encryption" and value in {EncryptionMode.AWS_OWNED, EncryptionMode.NEW}:
        return {"mode": value}
    if name == "encryption" and value.startswith("arn:"):
        return {"mode": "existing", "key_arn": value}
    return _structured(value) if name in _STRUCTURED else value


def _structured(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        return value
