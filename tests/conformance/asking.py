"""One flywheel's life, looked at where AWS's documents are silent: two iterations, an endpoint for minutes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tests.conformance.findings import Findings, Question
from tests.conformance.places import Place
from tests.contract.sample_documents import LABELS, csv_of, documents, multi_label_documents, rows, text_about

_BURST = 40


class GaveUp(Exception):
    """What was waited for did not come about."""


@dataclass(kw_only=True)
class Asking:
    place: Place
    findings: Findings
    say: Callable[[str], None]

    def all(self) -> None:
        """Raises GaveUp or ClientError; what was found until then is noted."""
        flywheel = self._first_flywheel()
        self._minimum(flywheel, Question.MINIMUM_MULTI_CLASS, _few(multi_label=False))
        other = self._flywheel("labels", mode="MULTI_LABEL")
        self._settled_flywheel(other)
        self._minimum(other, Question.MINIMUM_MULTI_LABEL, _few(multi_label=True))
        self._dataset(flywheel, "train-1", documents(60, tag="one"))
        self._dataset(flywheel, "test-1", documents(20, tag="judge"), type_="TEST")
        first = self._first_iteration(flywheel)
        endpoint = self._endpoint(flywheel)
        second = self._second_iteration(flywheel, active=first)
        self._follow(flywheel, endpoint, model=second)
        self._move(flywheel, endpoint, model=second)
        self._throttle(endpoint)
        self._delete(flywheel, endpoint)

    def _first_flywheel(self) -> str:
        self.say("A flywheel, and small datasets that may be refused")
        bad = self.place.role_arn.replace(":role/", ":flywheel/")
        self.findings.note(Question.BAD_VALUE, self._answer("describe_flywheel", FlywheelArn=bad))
        arn = self._flywheel("news", mode="MULTI_CLASS")
        found = self._answer("describe_flywheel", FlywheelArn=arn)
        self.findings.note(Question.FOUND_AT_ONCE, "yes" if found == "allowed" else f"no: {found}")
        lake = self._settled_flywheel(arn)["DataLakeS3Uri"]
        self.findings.note(Question.LAKE_URI, "yes" if lake.endswith("/") else "no")
        return arn

    def _flywheel(self, name: str, *, mode: str) -> str:
        answer = self.place.comprehend.create_flywheel(
            FlywheelName=f"{self.place.name}-{name}",
            DataAccessRoleArn=self.place.role_arn,
            DataLakeS3Uri=f"s3://{self.place.bucket}/lake",
            ModelType="DOCUMENT_CLASSIFIER",
            TaskConfig={
                "LanguageCode": "en",
                "DocumentClassificationConfig": {"Mode": mode, "Labels": list(LABELS)},
            },
        )
        return str(answer["FlywheelArn"])

    def _settled_flywheel(self, arn: str) -> dict[str, Any]:
        found = self._until("describe_flywheel", "FlywheelProperties", "Status", {"ACTIVE", "FAILED"}, FlywheelArn=arn)
        if found["Status"] == "FAILED":
            raise GaveUp(f"The flywheel is FAILED: {found.get('Message')}")
        return found

    def _dataset(self, flywheel: str, name: str, body: bytes, *, type_: str = "TRAIN") -> dict[str, Any]:
        prefix = flywheel.rpartition("/")[2]
        self.place.put(f"{prefix}/{name}/documents.csv", body)
        arn = self.place.comprehend.create_dataset(
            FlywheelArn=flywheel,
            DatasetName=name,
            DatasetType=type_,
            InputDataConfig={
                "DataFormat": "COMPREHEND_CSV",
                "DocumentClassifierInputDataConfig": {"S3Uri": f"s3://{self.place.bucket}/{prefix}/{name}/"},
            },
        )["DatasetArn"]
        return self._until("describe_dataset", "DatasetProperties", "Status", {"COMPLETED", "FAILED"}, DatasetArn=arn)

    def _minimum(self, flywheel: str, question: Question, body: bytes) -> None:
        found = self._dataset(flywheel, "few", body)
        failed = found["Status"] == "FAILED"
        self.findings.note(question, "yes" if failed else "no", detail=self._without_account(found.get("Message", "")))

    def _first_iteration(self, flywheel: str) -> str:
        self.say("The first iteration")
        iteration = self._start(flywheel)
        self.findings.note(Question.SECOND_ITERATION, self._answer("start_flywheel_iteration", FlywheelArn=flywheel))
        ended = self._ended_iteration(flywheel, iteration)
        model = str(ended.get("TrainedModelArn"))
        active = self._described_flywheel(flywheel).get("ActiveModelArn")
        self.findings.note(Question.FIRST_MODEL_ACTIVE, "yes" if active else "no")
        name = model.partition("document-classifier/")[2].partition("/")[0]
        own = name == flywheel.rpartition("/")[2]
        self.findings.note(
            Question.FIRST_MODEL_NAME,
            "the flywheel's name" if own else "a generated name",
            detail=re.sub(r"[0-9a-f]{8}", "<8 hex digits>", name.replace(self.place.name, "<name>")),
        )
        self.findings.note(Question.MESSAGE, str(ended.get("Message", "")))
        self.place.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
        return model

    def _second_iteration(self, flywheel: str, *, active: str) -> str:
        self.say("The second iteration, with new training data only")
        self._dataset(flywheel, "train-2", documents(60, tag="two"))
        iteration = self._start(flywheel)
        self.findings.note(
            Question.PROMOTION_DURING_ITERATION,
            self._answer("update_flywheel", FlywheelArn=flywheel, ActiveModelArn=active),
        )
        ended = self._ended_iteration(flywheel, iteration)
        scored = "EvaluatedModelMetrics" in ended
        self.findings.note(Question.ACTIVE_SCORED_WITHOUT_TEST_DATA, "yes" if scored else "no")
        return str(ended["TrainedModelArn"])

    def _start(self, flywheel: str) -> str:
        return str(self.place.comprehend.start_flywheel_iteration(FlywheelArn=flywheel)["FlywheelIterationId"])

    def _ended_iteration(self, flywheel: str, iteration: str) -> dict[str, Any]:
        seen: list[str] = []
        ended = self._until(
            "describe_flywheel_iteration",
            "FlywheelIterationProperties",
            "Status",
            {"COMPLETED", "FAILED", "STOPPED"},
            seen=seen,
            patience=self.place.patience,
            FlywheelArn=flywheel,
            FlywheelIterationId=iteration,
        )
        before = self.findings.answers.get(Question.STATUSES)
        self.findings.note(Question.STATUSES, "; ".join([*([before] if before else []), " > ".join(seen)]))
        if ended["Status"] != "COMPLETED":
            raise GaveUp(f"The iteration is {ended['Status']}: {ended.get('Message')}")
        return ended

    def _endpoint(self, flywheel: str) -> str:
        self.say("An endpoint, billed by the second from here on")
        arn = self.place.comprehend.create_endpoint(
            EndpointName=self.place.name, FlywheelArn=flywheel, DesiredInferenceUnits=1
        )["EndpointArn"]
        self._serving(arn)
        return str(arn)

    def _serving(self, endpoint: str) -> dict[str, Any]:
        found = self._until(
            "describe_endpoint", "EndpointProperties", "Status", {"IN_SERVICE", "FAILED"}, EndpointArn=endpoint
        )
        if found["Status"] == "FAILED":
            raise GaveUp(f"The endpoint is FAILED: {found.get('Message')}")
        return found

    def _follow(self, flywheel: str, endpoint: str, *, model: str) -> None:
        self.say("A promotion that the endpoint follows")
        self.place.comprehend.update_flywheel(FlywheelArn=flywheel, ActiveModelArn=model)
        began, failures = time.monotonic(), []
        while True:
            answer = self._answer("classify_document", EndpointArn=endpoint, Text=text_about(LABELS[0], seed="follow"))
            failures += [answer] if answer != "allowed" else []
            found = self.place.comprehend.describe_endpoint(EndpointArn=endpoint)["EndpointProperties"]
            waited = time.monotonic() - began
            if found["Status"] == "IN_SERVICE" and found.get("ModelArn") == model:
                break
            if waited > self.place.patience / 4:
                self.findings.note(Question.FOLLOWS, "no")
                return
            time.sleep(min(1.0, self.place.pause))
        self.findings.note(Question.FOLLOWS, "yes", detail=f"after {waited:.0f} s")
        others = sorted({code for code in failures if "Throttl" not in code and "TooMany" not in code})
        self.findings.note(Question.ANSWERS_WHILE_FOLLOWING, f"no: {', '.join(others)}" if others else "yes")

    def _move(self, flywheel: str, endpoint: str, *, model: str) -> None:
        self.say("The endpoint bound to a model, and to its flywheel again")
        for question, given in ((Question.MOVE_WITH_MODEL, {"DesiredModelArn": model}), (Question.MOVE_ALONE, {})):
            self.place.comprehend.update_endpoint(EndpointArn=endpoint, DesiredModelArn=model)
            self._serving(endpoint)
            answer = self._answer("update_endpoint", EndpointArn=endpoint, FlywheelArn=flywheel, **given)
            self.findings.note(question, "yes" if answer == "allowed" else f"no: {answer}")
            self._serving(endpoint)

    def _throttle(self, endpoint: str) -> None:
        codes = {
            self._answer("classify_document", EndpointArn=endpoint, Text=text_about(LABELS[0], seed=str(number)))
            for number in range(_BURST)
        }
        refused = sorted(codes - {"allowed"})
        self.findings.note(Question.THROTTLE, ", ".join(refused) or f"nothing was refused of {_BURST} in a row")

    def _delete(self, flywheel: str, endpoint: str) -> None:
        self.say("What may be deleted when")
        answer = self._answer("delete_flywheel", FlywheelArn=flywheel)
        self.findings.note(Question.FLYWHEEL_DELETION_WITH_ENDPOINT, answer)
        self.place.comprehend.update_endpoint(EndpointArn=endpoint, DesiredInferenceUnits=2)
        self.findings.note(Question.DELETION_WHILE_CHANGING, self._answer("delete_endpoint", EndpointArn=endpoint))

    def _described_flywheel(self, arn: str) -> dict[str, Any]:
        return dict(self.place.comprehend.describe_flywheel(FlywheelArn=arn)["FlywheelProperties"])

    def _answer(self, operation: str, **request: Any) -> str:
        """`allowed`, or the code of the refusal."""
        try:
            getattr(self.place.impatient, operation)(**request)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "allowed"

    def _until(
        self,
        operation: str,
        member: str,
        status: str,
        ends: set[str],
        *,
        seen: list[str] | None = None,
        patience: float | None = None,
        **request: Any,
    ) -> dict[str, Any]:
        """The properties once their status is one of `ends`; `seen` takes each status on the way."""
        began, seen = time.monotonic(), [] if seen is None else seen
        while True:
            found = self._found(operation, request).get(member, {})
            now = found.get(status)
            if now is not None and seen[-1:] != [now]:
                seen.append(now)
            if now in ends:
                return dict(found)
            if time.monotonic() - began > (patience or self.place.patience / 10):
                raise GaveUp(f"{operation}: still {now} after {time.monotonic() - began:.0f} s")
            time.sleep(self.place.pause)

    def _found(self, operation: str, request: Mapping[str, Any]) -> dict[str, Any]:
        """Empty for what was just created and does not show yet."""
        try:
            return dict(getattr(self.place.comprehend, operation)(**request))
        except self.place.comprehend.exceptions.ResourceNotFoundException:
            return {}

    def _without_account(self, message: str) -> str:
        return re.sub(r"\b\d{12}\b", "<account>", message.replace(self.place.name, "<name>"))


def _few(*, multi_label: bool) -> bytes:
    """12 of each label, or 36 where some have two: above training's minimum of 10, below the 50 of datasets."""
    return multi_label_documents(12, tag="few") if multi_label else csv_of(rows(12, labels=LABELS, tag="few"))
