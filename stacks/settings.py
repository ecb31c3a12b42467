"""What changes the shape of the templates: validated before anything is synthesised (`settings_context.py` reads it).

What operators tune while it runs is a CloudFormation parameter instead (`parameters.py` of the wings).
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from flywheel.comprehend.model_kind import ModelType
from flywheel.document_classification.kind import MOST_LABELS
from flywheel.model_kinds import kind_of
from flywheel.store.parameters import PARAMETER_ROOT
from flywheel.text.byte_limits import size_as_json

from .label_rules import MOST_ENTITY_TYPES, check_entity_types, check_labels

LABEL_DELIMITERS = " ~!@#$%^*-_+=|\\:;\t>?/"
"""Every character that Comprehend takes as LabelDelimiter."""
LONGEST_NAME = 54
"""A flywheel's name has at most 63 characters, of which a hyphen and the hash of its configuration take 9."""
MOST_TEMPLATE_BYTES = 1_000_000
"""CloudFormation takes no larger template."""
TEMPLATE_ROOM = 600_000
"""Of a template, for labels and tags. The Flywheel stack's without them is below the rest."""
TAGGED_RESOURCES = 140
"""More than any of the stacks has: the tags stand at each of them."""
BYTES_AROUND_TAG = 55
BYTES_AROUND_LABEL = 20
CUSTOM_RESOURCE_ROOM = 100_000
"""Of a custom resource's event, for labels and tags as JSON in ASCII. An update has them twice, and neither Lambda nor
Step Functions is documented to take more than 256 KiB."""
"""Quotes, names of members and indentation, in the template."""


class Mode(StrEnum):
    MULTI_CLASS = "MULTI_CLASS"
    MULTI_LABEL = "MULTI_LABEL"


class Role(StrEnum):
    """What a deployment does with models (decision 022)."""

    TRAIN = "train"
    """It has a flywheel."""
    IMPORT = "import"
    """It imports and serves the models that a flywheel of another account, or of another name, shares with it."""


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


_MODEL_RESOURCE = {kind: kind_of(kind).arn_resource for kind in ModelType}
_NETWORK = 'an object, such as {"subnets": ["subnet-..."], "security_groups": ["sg-..."]}'


_KEY_ARN = (
    "the ARN of a key (not of an alias), such as "
    "arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444455556666"
)
_KeyArn = Annotated[
    str, Field(pattern=r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/([0-9a-f-]{36}|mrk-[0-9a-f]{32})$")
]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Encryption(Section):
    """Which key protects buckets, lake, model, training volume, topic, queues and logs."""

    mode: EncryptionMode = EncryptionMode.AWS_OWNED
    key_arn: _KeyArn | None = Field(None, description=_KEY_ARN)

    @model_validator(mode="after")
    def key_only_when_existing(self) -> Encryption:
        if (self.mode is EncryptionMode.EXISTING) != (self.key_arn is not None):
            raise ValueError('give "key_arn" with mode "existing", and only then')
        return self


class Vpc(Section):
    """A network of the organisation, for those that allow no other."""

    subnets: Annotated[
        tuple[Annotated[str, Field(pattern=r"^subnet-([0-9a-f]{8}|[0-9a-f]{17})$")], ...],
        Field(min_length=1, max_length=16, description='a list of 1 to 16 ids, such as ["subnet-0123456789abcdef0"]'),
    ]
    security_groups: Annotated[
        tuple[Annotated[str, Field(pattern=r"^sg-([0-9a-f]{8}|[0-9a-f]{17})$")], ...],
        Field(min_length=1, max_length=5, description='a list of 1 to 5 ids, such as ["sg-0123456789abcdef0"]'),
    ]


class FlywheelSettings(Section):
    """One flywheel. Limits are those of Comprehend's API model and its guidelines and limits page."""

    name: Annotated[
        str,
        Field(
            max_length=LONGEST_NAME,
            pattern=r"^[a-zA-Z](-*[a-zA-Z0-9])*$",
            description=f"a name of up to {LONGEST_NAME} letters, digits and hyphens that begins with a letter and "
            "does not end with a hyphen, such as news",
        ),
    ]
    """Begins the names of the stacks, and so must start with a letter as they do."""
    role: Role = Role.TRAIN
    model_type: ModelType = ModelType.DOCUMENT_CLASSIFIER
    mode: Mode = Mode.MULTI_CLASS
    """Of a document classifier, as are `labels` and `label_delimiter`."""
    language: Literal["en", "es", "fr", "de", "it", "pt"] = "en"
    labels: Annotated[tuple[str, ...], Field(description='a list, such as ["A", "B"] or A,B')] = ()
    """Sorted: their order means nothing to a classifier, and a reordered list must not replace the flywheel. A
    deployment that imports models needs none: it takes the models as they are."""
    entity_types: Annotated[
        tuple[str, ...], Field(description='a list, such as ["PERSON", "PLACE"] or PERSON,PLACE')
    ] = ()
    """Of an entity recognizer. Sorted, as `labels`."""
    label_delimiter: str = Field("|", description="a character, such as |")
    generation: Annotated[int, Field(ge=1, description="a whole number from 1, such as 2")] = 1
    """A higher number replaces the flywheel by an equal one: to leave behind data found bad."""
    initial_model_arn: (
        Annotated[
            str,
            Field(
                max_length=256,
                pattern=r"^arn:aws[a-z-]*:comprehend:[a-z0-9-]+:[0-9]{12}:(document-classifier|entity-recognizer)/"
                r"[a-zA-Z0-9](-*[a-zA-Z0-9])*(/version/[a-zA-Z0-9](-*[a-zA-Z0-9])*)?$",
            ),
        ]
        | None
    ) = Field(
        None,
        description="the ARN of a trained model, such as "
        "arn:aws:comprehend:eu-west-1:111122223333:document-classifier/NAME/version/VERSION",
    )
    """A model that exists already, with which the flywheel begins (decision 019). That it is there, in this account and
    Region, and fits is for the deployment to find out."""
    initial_model_data: Annotated[
        tuple[Annotated[str, Field(max_length=1024, pattern=r"^s3://[a-z0-9][.a-z0-9-]{1,61}[a-z0-9](/.*)?$")], ...],
        Field(max_length=20, description='a list of up to 20 S3 URIs, such as ["s3://BUCKET/FOLDER/"]'),
    ] = ()
    """Where the data of the initial model lie: Comprehend copies them into the data lake. What begins with one of these
    the data access role may read."""
    source_key_arn: _KeyArn | None = Field(None, description=_KEY_ARN)
    """In a deployment that imports models: the customer managed key of the account that trains them."""
    encryption: Encryption = Field(
        Encryption(),
        description='an object, such as {"mode": "new"} or {"mode": "existing", "key_arn": "arn:..."}; with -c also '
        "aws-owned, new or the ARN of a key",
    )
    training_vpc: Vpc | None = Field(None, description=_NETWORK)
    """Where Comprehend's training instances run."""
    functions_vpc: Vpc | None = Field(None, description=_NETWORK)
    """Where the functions run: they need a way to every service they call (docs/security.md)."""
    reserved_concurrency: Annotated[int, Field(ge=1, le=1000)] | None = Field(
        None, description="a whole number from 1 to 1000, such as 10"
    )
    """So many executions are reserved for each function, and none can have more. Lambda refuses a stack that leaves the
    account fewer than 100 for everything else."""
    api_web_acl: (
        Annotated[
            str, Field(pattern=r"^arn:aws[a-z-]*:wafv2:[a-z0-9-]+:[0-9]{12}:regional/webacl/[^/]+/[0-9a-f-]{36}$")
        ]
        | None
    ) = Field(
        None,
        description="the ARN of a regional web ACL, such as "
        "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/NAME/00000000-1111-2222-3333-444455556666",
    )
    """ARN of a web ACL of AWS WAF that protects the real-time API."""
    nag_packs: tuple[NagPack, ...] = Field((), description='a list, such as ["Serverless"] or Serverless')
    permissions_boundary: (
        Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9+=,.@_/-]+$")] | None
    ) = Field(None, description="the ARN of a policy, such as arn:aws:iam::111122223333:policy/developers")
    api_log_role: ApiLogRole = ApiLogRole.NEW
    tags: dict[
        Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[\w .:/=+@-]+$")],
        Annotated[str, Field(max_length=256, pattern=r"^[\w .:/=+@-]*$")],
    ] = Field(
        default_factory=dict,
        max_length=40,
        description='an object of up to 40 tags, such as {"owner": "news"}: keys of 1 to 128 and values of up to 256 '
        "letters, digits, spaces and _ . : / = + - @",
    )
    """Also put on what is created at run time. CloudFormation adds its own to the 50 a resource can have."""
    powertools_layer_version: Annotated[
        str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+$", description="three numbers, such as 3.37.0")
    ] = "3.37.0"
    """A fixed version: "latest" would change the functions with every deployment."""

    @field_validator("labels", "entity_types")
    @classmethod
    def labels_are_usable(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        check_labels(labels)
        return tuple(sorted(labels))

    @field_validator("entity_types")
    @classmethod
    def entity_types_are_usable(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        check_entity_types(types)
        return types

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
    def labels_or_types_fit_the_model_type(self) -> FlywheelSettings:
        if self.model_type is ModelType.ENTITY_RECOGNIZER:
            if self.labels:
                raise ValueError("labels: an entity recognizer has none; name its entity_types")
            if not self._least_labels(1) <= len(self.entity_types) <= MOST_ENTITY_TYPES:
                raise ValueError(
                    f"entity_types: {len(self.entity_types)} given; a recognizer takes 1 to {MOST_ENTITY_TYPES}"
                )
        elif self.entity_types:
            raise ValueError("entity_types: a document classifier has none; set model_type to ENTITY_RECOGNIZER")
        return self

    @model_validator(mode="after")
    def labels_fit_mode_and_delimiter(self) -> FlywheelSettings:
        if self.model_type is not ModelType.DOCUMENT_CLASSIFIER:
            return self
        if not self.labels and self.role is Role.TRAIN:
            raise ValueError("labels: name the labels of your documents, at least two")
        most = MOST_LABELS[self.mode]
        if not self._least_labels(2) <= len(self.labels) <= most:
            raise ValueError(f"labels: {len(self.labels)} given; {self.mode} takes 2 to {most}")
        clash = [label for label in self.labels if self.label_delimiter in label]
        if clash:
            raise ValueError(
                f"label_delimiter: {self.label_delimiter!r} stands in the label {clash[0]!r}; "
                "choose a delimiter that is in no label"
            )
        return self

    @model_validator(mode="after")
    def initial_model_is_complete(self) -> FlywheelSettings:
        if self.initial_model_arn is None:
            if self.initial_model_data:
                raise ValueError("initial_model_data: it goes with initial_model_arn only")
            return self
        resource = self.initial_model_arn.split(":")[5].partition("/")[0]
        if resource != _MODEL_RESOURCE[self.model_type]:
            raise ValueError(
                f"initial_model_arn: the ARN of a {self.model_type} has {_MODEL_RESOURCE[self.model_type]} in it, "
                f"not {resource}"
            )
        if not self.initial_model_data:
            raise ValueError(
                "initial_model_data: name where the data are that the initial model was trained on "
                f"(InputDataConfig of {self.initial_model_arn})"
            )
        used = size_as_json([self.task_labels, self.tags])
        if used > CUSTOM_RESOURCE_ROOM:
            raise ValueError(
                f"initial_model_arn: labels and tags need {used:,} bytes, but a flywheel that begins with a model has "
                f"room for {CUSTOM_RESOURCE_ROOM:,} of them; shorten them"
            )
        return self

    @model_validator(mode="after")
    def labels_and_tags_fit_a_template(self) -> FlywheelSettings:
        labels = sum(len(label.encode()) + BYTES_AROUND_LABEL for label in self.task_labels)
        tags = sum(len(f"{key}{value}".encode()) + BYTES_AROUND_TAG for key, value in self.tags.items())
        if labels + TAGGED_RESOURCES * tags > TEMPLATE_ROOM:
            raise ValueError(
                f"labels and tags: a template has room for {TEMPLATE_ROOM:,} bytes of them, but the "
                f"{len(self.task_labels)} labels need {labels:,} and the {len(self.tags)} tags "
                f"{TAGGED_RESOURCES * tags:,} (they stand at each of up to {TAGGED_RESOURCES} resources); shorten them"
            )
        return self

    def _least_labels(self, number: int) -> int:
        return number if self.role is Role.TRAIN else 0

    @property
    def task_labels(self) -> tuple[str, ...]:
        """The labels, or a recognizer's entity types."""
        return self.labels or self.entity_types

    @property
    def stack_name(self) -> str:
        return f"{self.name}-flywheel"

    @property
    def import_stack_name(self) -> str:
        return f"{self.name}-import"

    @property
    def serving_stack_name(self) -> str:
        return f"{self.name}-serving"

    @property
    def analysis_stack_name(self) -> str:
        return f"{self.name}-analysis"

    @property
    def parameter_prefix(self) -> str:
        """Where Parameter Store holds what others need to read; no trailing slash."""
        return f"{PARAMETER_ROOT}/{self.name}"
