"""What changes the shape of the templates: read from the CDK context, validated before anything is synthesised.

The context key ``flywheel`` in ``cdk.json`` holds them; each can be overridden by a context key of its own
(``cdk synth -c name=reviews -c labels=GOOD,BAD``). What operators tune while it runs is a CloudFormation parameter
instead (``stacks/turn_parameters.py``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

CONTEXT_KEY = "flywheel"
LABEL_DELIMITERS = " ~!@#$%^*-_+=|\\:;\t>?/"
"""Every character that Comprehend takes as LabelDelimiter."""
LONGEST_NAME = 54
"""A flywheel's name has at most 63 characters, of which a hyphen and the hash of its configuration take 9."""
_STRUCTURED = frozenset({"labels", "encryption", "training_vpc", "functions_vpc", "nag_packs", "tags"})
MOST_LABELS = {"MULTI_CLASS": 1000, "MULTI_LABEL": 100}
CONTROL_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f]")


class SettingsError(Exception):
    """Settings that cannot be deployed; the message is written for the person who made them."""


class Mode(StrEnum):
    MULTI_CLASS = "MULTI_CLASS"
    MULTI_LABEL = "MULTI_LABEL"


class EncryptionMode(StrEnum):
    AWS_OWNED = "aws-owned"
    NEW = "new"
    EXISTING = "existing"


class ApiLogRole(StrEnum):
    """With which role API Gateway writes logs: it has one for all APIs of an account and Region (decision 010)."""

    NEW = "new"
    EXISTING = "existing"


class NagPack(StrEnum):
    """A pack of cdk-nag, as its findings name it. AwsSolutions always looks."""

    SERVERLESS = "Serverless"
    NIST = "NIST.800.53.R5"
    HIPAA = "HIPAA.Security"
    PCI = "PCI.DSS.321"


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Encryption(Section):
    """Which key protects buckets, lake, model, training volume, topic, queues and logs."""

    mode: EncryptionMode = EncryptionMode.AWS_OWNED
    key_arn: (
        Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/([0-9a-f-]{36}|mrk-[0-9a-f]{32})$")]
        | None
    ) = None

    @model_validator(mode="after")
    def key_only_when_existing(self) -> Encryption:
        if (self.mode is EncryptionMode.EXISTING) != (self.key_arn is not None):
            raise ValueError('give "key_arn" with mode "existing", and only then')
        return self


class Vpc(Section):
    """A network of the organisation, for those that allow no other."""

    subnets: Annotated[
        tuple[Annotated[str, Field(pattern=r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$")], ...],
        Field(min_length=1, max_length=16),
    ]
    security_groups: Annotated[
        tuple[Annotated[str, Field(pattern=r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$")], ...], Field(min_length=1, max_length=5)
    ]


class FlywheelSettings(Section):
    """One flywheel. Limits are those of Comprehend's API model and its guidelines and limits page."""

    name: Annotated[str, Field(max_length=LONGEST_NAME, pattern=r"^[a-zA-Z](-*[a-zA-Z0-9])*$")]
    """Begins the names of the stacks, and so must start with a letter as they do."""
    model_type: Literal["DOCUMENT_CLASSIFIER"] = "DOCUMENT_CLASSIFIER"
    mode: Mode = Mode.MULTI_CLASS
    language: Literal["en", "es", "fr", "de", "it", "pt"] = "en"
    labels: tuple[str, ...]
    """Sorted: their order means nothing to a classifier, and a reordered list must not replace the flywheel."""
    label_delimiter: str = "|"
    generation: Annotated[int, Field(ge=1)] = 1
    """A higher number replaces the flywheel by an equal one: to leave behind data found bad."""
    encryption: Encryption = Encryption()
    training_vpc: Vpc | None = None
    """Where Comprehend's training instances run."""
    functions_vpc: Vpc | None = None
    """Where the functions run: they need a way to every service they call (docs/security.md)."""
    reserved_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = None
    """So many executions are reserved for each function, and none can have more. Lambda refuses a stack that leaves the
    account fewer than 100 for everything else."""
    api_web_acl: (
        Annotated[
            str, Field(pattern=r"^arn:aws[a-z-]*:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/[^/]+/[0-9a-f-]{36}$")
        ]
        | None
    ) = None
    """ARN of a web ACL of AWS WAF that protects the real-time API."""
    nag_packs: tuple[NagPack, ...] = ()
    permissions_boundary: (
        Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$")] | None
    ) = None
    api_log_role: ApiLogRole = ApiLogRole.NEW
    tags: dict[
        Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\w .:/=+@-]+$")],
        Annotated[str, Field(max_length=256, pattern=r"^[\w .:/=+@-]*$")],
    ] = Field(default_factory=dict, max_length=40)
    """Also put on what is created at run time. CloudFormation adds its own to the 50 a resource can have."""
    powertools_layer_version: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$")] = "3.37.0"
    """A fixed version: "latest" would change the functions with every deployment."""

    @field_validator("labels")
    @classmethod
    def labels_are_usable(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        if not labels:
            raise ValueError("name the labels of your documents, at least two")
        repeated = sorted({label for label in labels if labels.count(label) > 1})
        if repeated:
            raise ValueError(f"each label once; {', '.join(map(repr, repeated))} is there more than once")
        for label in labels:
            if not label or label != label.strip():
                raise ValueError(f"{label!r}: a label is not empty and has no space at its ends")
            if len(label) > 5000:
                raise ValueError(f"{label[:30]!r}... has {len(label)} characters; a label has at most 5000")
            if CONTROL_CHARACTER.search(label):
                raise ValueError(f"{label!r}: a label has no control characters")
        return tuple(sorted(labels))

    @field_validator("tags")
    @classmethod
    def tags_are_not_reserved(cls, tags: dict[str, str]) -> dict[str, str]:
        if any(key.lower().startswith("aws:") for key in tags):
            raise ValueError('no tag may begin with "aws:"')
        return tags

    @field_validator("label_delimiter")
    @classmethod
    def delimiter_is_known(cls, delimiter: str) -> str:
        if len(delimiter) != 1 or delimiter not in LABEL_DELIMITERS:
            raise ValueError(f"exactly one of the characters {LABEL_DELIMITERS!r} (a space and a tab are among them)")
        return delimiter

    @model_validator(mode="after")
    def labels_fit_mode_and_delimiter(self) -> FlywheelSettings:
        most = MOST_LABELS[self.mode]
        if not 2 <= len(self.labels) <= most:
            raise ValueError(f"labels: {len(self.labels)} given; {self.mode} takes 2 to {most}")
        clash = [label for label in self.labels if self.label_delimiter in label]
        if clash:
            raise ValueError(
                f"label_delimiter: {self.label_delimiter!r} stands in the label {clash[0]!r}; "
                "choose a delimiter that is in no label"
            )
        return self

    @property
    def stack_name(self) -> str:
        return f"{self.name}-flywheel"

    @property
    def serving_stack_name(self) -> str:
        return f"{self.name}-serving"

    @property
    def analysis_stack_name(self) -> str:
        return f"{self.name}-analysis"

    @property
    def parameter_prefix(self) -> str:
        """Where Parameter Store holds what others need to read; no trailing slash."""
        return f"/comprehend-flywheel/{self.name}"


def cdk_json_context(*, path: Path) -> dict[str, Any]:
    """The context of cdk.json, so that `python app.py` works without the CDK CLI, which otherwise passes it."""
    context: dict[str, Any] = json.loads(path.read_text())["context"]
    return context


def read_settings(*, context: Mapping[str, Any]) -> FlywheelSettings:
    """The settings of a CDK context (values of overrides are strings, as ``-c`` gives them).

    Raises SettingsError with one line for every wrong setting: its name, what was given and what is allowed.
    """
    given = _structured(context.get(CONTEXT_KEY, {}), name=CONTEXT_KEY)
    if not isinstance(given, dict):
        raise SettingsError(f'The context key "{CONTEXT_KEY}" must be an object of settings, not {given!r}.')
    overrides = {
        name: _override(name=name, value=context[name]) for name in FlywheelSettings.model_fields if name in context
    }
    try:
        return FlywheelSettings.model_validate({**given, **overrides})
    except ValidationError as error:
        details = error.errors()
        # A wrong item makes pydantic call the whole list too short as well.
        wrong_lists = {detail["loc"][:-1] for detail in details}
        lines = [
            _sentence(name=".".join(map(str, detail["loc"])), detail=detail)
            for detail in details
            if not (detail["type"] == "too_short" and detail["loc"] in wrong_lists)
        ]
        heading = f'These settings (context key "{CONTEXT_KEY}" in cdk.json, or -c NAME=VALUE) cannot be deployed:'
        raise SettingsError("\n".join([heading, *(f"  - {line}" for line in lines)])) from error


def _override(*, name: str, value: Any) -> Any:
    if name in {"labels", "nag_packs"} and isinstance(value, str) and not value.startswith("["):
        return tuple(item.strip() for item in value.split(","))
    if name == "encryption" and value in ("aws-owned", "new"):
        return {"mode": value}
    if name == "encryption" and isinstance(value, str) and value.startswith("arn:"):
        return {"mode": "existing", "key_arn": value}
    return _structured(value, name=name) if name in _STRUCTURED else value


def _structured(value: Any, *, name: str) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError as error:
        raise SettingsError(f"The setting {name} must be JSON, but {value!r} is not: {error}.") from error


def _sentence(*, name: str, detail: Any) -> str:
    """One wrong setting; `detail` is one of pydantic's error details."""
    kind, given, context = detail["type"], detail["input"], detail.get("ctx", {})
    if kind == "missing":
        return f"{name} is missing."
    if kind == "extra_forbidden":
        return f"{name} is not a setting; the settings are {', '.join(FlywheelSettings.model_fields)}."
    if kind == "value_error" and not name:
        return f"{context['error']}."
    allowed = {
        "string_pattern_mismatch": f"it must match {context.get('pattern')}",
        "string_too_long": f"it has {len(str(given))} characters and may have {context.get('max_length')}",
        "literal_error": f"allowed is {context.get('expected')}",
        "enum": f"allowed is {context.get('expected')}",
        "value_error": str(context.get("error")),
    }.get(kind, detail["msg"])
    return f"{name} is {given!r}: {allowed}."
