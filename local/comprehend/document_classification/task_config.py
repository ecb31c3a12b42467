"""What a classifier is for, as a flywheel's TaskConfig says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.comprehend.document_classification.training_data import LabelRules
from local.comprehend.errors import invalid_request

MAXIMUM_LABELS = {"MULTI_CLASS": 1000, "MULTI_LABEL": 100}


@dataclass(frozen=True, kw_only=True)
class TaskConfig:
    """``labels`` is None when no list was fixed: then every label counts."""

    language: str
    mode: str
    labels: tuple[str, ...] | None

    @staticmethod
    def of(config: dict[str, Any]) -> TaskConfig:
        """The task that the member TaskConfig of a request names; raises InvalidRequestException."""
        classification = config.get("DocumentClassificationConfig")
        if classification is None or "EntityRecognitionConfig" in config:
            raise invalid_request(
                "The model type DOCUMENT_CLASSIFIER needs a DocumentClassificationConfig and no other."
            )
        mode, labels = classification["Mode"], classification.get("Labels")
        if labels is not None:
            if len(set(labels)) < len(labels):
                raise invalid_request("A label is given more than once.")
            if not 2 <= len(labels) <= MAXIMUM_LABELS[mode]:
                raise invalid_request(f"{mode} needs 2 to {MAXIMUM_LABELS[mode]} labels, not {len(labels)}.")
        return TaskConfig(language=config["LanguageCode"], mode=mode, labels=None if labels is None else tuple(labels))

    @property
    def multi_label(self) -> bool:
        return self.mode == "MULTI_LABEL"

    @property
    def rules(self) -> LabelRules:
        known = None if self.labels is None else frozenset(self.labels)
        return LabelRules(known=known, multi_label=self.multi_label)

    def described(self, *, with_labels: bool) -> dict[str, Any]:
        """As in FlywheelProperties."""
        labels = list(self.labels) if self.labels is not None and with_labels else None
        return {"LanguageCode": self.language, "DocumentClassificationConfig": {"Mode": self.mode, "Labels": labels}}

    def require_match(self, model: TaskConfig) -> None:
        """Raise InvalidRequestException unless a model of that task can be a flywheel's of this one."""
        if (self.mode, self.language) != (model.mode, model.language):
            raise invalid_request(
                f"The model is {model.mode} in {model.language}, the flywheel {self.mode} in {self.language}."
            )
        if set(self.labels or ()) != set(model.labels or ()):
            raise invalid_request("The model was made for other labels than the flywheel's.")
