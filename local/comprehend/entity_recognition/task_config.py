"""What a recognizer is for, as a flywheel's TaskConfig says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.comprehend.errors import invalid_request

MAXIMUM_TYPES = 25


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """``types`` are the entity types that count."""

    language: str
    types: tuple[str, ...]

    @staticmethod
    def of(config: dict[str, Any]) -> TaskConfig:
        """The task that the member TaskConfig of a request names; raises InvalidRequestException."""
        recognition = config.get("EntityRecognitionConfig")
        if recognition is None or "DocumentClassificationConfig" in config:
            raise invalid_request("The model type ENTITY_RECOGNIZER needs an EntityRecognitionConfig and no other.")
        return TaskConfig(language=config["LanguageCode"], types=types_of(recognition["EntityTypes"]))

    def described(self, *, with_labels: bool) -> dict[str, Any]:
        """As in FlywheelProperties. The member with the types is never absent: it is a required one."""
        return {
            "LanguageCode": self.language,
            "EntityRecognitionConfig": {"EntityTypes": [{"Type": type_} for type_ in self.types if with_labels]},
        }

    def require_match(self, model: TaskConfig) -> None:
        """Raise InvalidRequestException unless a model of that task can be a flywheel's of this one."""
        if self.language != model.language:
            raise invalid_request(f"The model is in {model.language}, the flywheel in {self.language}.")
        if set(self.types) != set(model.types):
            raise invalid_request("The model was made for other entity types than the flywheel's.")


def types_of(items: list[dict[str, str]]) -> tuple[str, ...]:
    """The types in the member EntityTypes of a request; raises InvalidRequestException."""
    types = tuple(item["Type"] for item in items)
    if len(set(types)) < len(types):
        raise invalid_request("An entity type is given more than once.")
    if not 1 <= len(types) <= MAXIMUM_TYPES:
        raise invalid_request(f"A recognizer needs 1 to {MAXIMUM_TYPES} entity types, not {len(types)}.")
    return types
