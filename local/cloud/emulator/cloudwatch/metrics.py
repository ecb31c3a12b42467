"""CloudWatch metrics that MiniStack does not count: embedded in logs, of every invocation, of queues and of endpoints.

The metrics of AWS/States are counted in `execution_events`.
"""

from __future__ import annotations

import json
import time
from typing import Any

from local.auto_scaling.load import Load
from local.cloud.emulator.ministack import cloudwatch, lambda_svc, responses, sqs
from local.comprehend.inferences import Inference, Observer


def teach() -> None:
    _read_embedded_metrics()
    _count_all_invocations()


def _read_embedded_metrics() -> None:
    """A log line in CloudWatch's embedded metric format is a metric, also when it stands among other lines."""
    emit = lambda_svc._emit_lambda_logs

    def emit_with_metrics(function: dict[str, Any], request_id: str, text: str, *rest: Any, **options: Any) -> Any:
        for line in (text or "").splitlines():
            if line.startswith("{") and '"_aws"' in line:
                _record_embedded(line)
        return emit(function, request_id, text, *rest, **options)

    lambda_svc._emit_lambda_logs = emit_with_metrics


def _record_embedded(line: str) -> None:
    try:
        document = json.loads(line)
    except json.JSONDecodeError:
        return
    for directive in document.get("_aws", {}).get("CloudWatchMetrics", []):
        for names in directive.get("Dimensions") or [[]]:
            dimensions = {name: str(document[name]) for name in names if name in document}
            for metric in directive.get("Metrics", []):
                found = document.get(metric["Name"])
                for value in found if isinstance(found, list) else [found]:
                    if isinstance(value, int | float):
                        cloudwatch.record_metric(
                            directive["Namespace"], metric["Name"], value, metric.get("Unit", "None"), dimensions
                        )


def _count_all_invocations() -> None:
    """MiniStack counts what the Invoke API starts; state machines, queues and events start functions too."""
    record, execute = lambda_svc._emit_lambda_metrics, lambda_svc._execute_function_dispatch

    def execute_counted(
        function: dict[str, Any], configuration: dict[str, Any], event: Any, request_id: str, started: float
    ) -> Any:
        result = execute(function, configuration, event, request_id, started)
        record(
            configuration.get("FunctionName", "unknown"),
            duration_ms=(time.time() - started) * 1000,
            error=bool(result.get("error")),
            throttle=False,
        )
        return result

    def record_throttles_only(name: str, duration_ms: float, error: bool, throttle: bool) -> None:
        if throttle:
            record(name, duration_ms=duration_ms, error=error, throttle=True)

    lambda_svc._execute_function_dispatch = execute_counted
    lambda_svc._emit_lambda_metrics = record_throttles_only


def sample_queues() -> None:
    """Record how much lies in every queue now, in the account and Region of each."""
    now = time.time()
    for (account, region, url), queue in list(sqs._queues._data.items()):
        messages = list(queue["messages"])
        visible = [message for message in messages if message.get("visible_at", 0) <= now]
        name = url.rsplit("/", 1)[-1]
        oldest = max((now - message["sent_at"] for message in messages), default=0.0)
        with responses.request_scope(account, region):
            for metric, value, unit in (
                ("ApproximateNumberOfMessagesVisible", len(visible), "Count"),
                ("ApproximateNumberOfMessagesNotVisible", len(messages) - len(visible), "Count"),
                ("ApproximateAgeOfOldestMessage", oldest, "Seconds"),
            ):
                cloudwatch.record_metric("AWS/SQS", metric, value, unit, {"QueueName": name})


def observer(load: Load) -> Observer:
    """Counts each text that an endpoint classified, in CloudWatch and for Application Auto Scaling.

    As AWS has it, requests that failed or were throttled leave no trace.
    """

    def observe(inference: Inference) -> None:
        load.record(inference, now=time.time())
        share = inference.characters / (inference.characters_a_second * 60)
        consumed = share * inference.units
        with responses.request_scope(inference.scope.account, inference.scope.region):
            for metric, value, unit in (
                ("ConsumedInferenceUnits", consumed, "None"),
                ("RequestedInferenceUnits", consumed, "None"),
                ("ProvisionedInferenceUnits", inference.units, "None"),
                ("InferenceUtilization", 100 * share, "Percent"),
            ):
                cloudwatch.record_metric("AWS/Comprehend", metric, value, unit, {"EndpointArn": inference.endpoint_arn})

    return observe
