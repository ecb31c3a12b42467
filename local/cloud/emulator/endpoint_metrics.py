"""What Comprehend says in CloudWatch of each text an endpoint classified: namespace AWS/Comprehend, by EndpointArn.

As AWS has it, requests that failed or were throttled leave no trace.
"""

from __future__ import annotations

import time

from local.auto_scaling.load import Load
from local.cloud.emulator.ministack import cloudwatch, responses
from local.comprehend.inferences import Inference, Observer

_NAMESPACE = "AWS/Comprehend"
_MINUTE = 60


def observer(load: Load) -> Observer:
    """Counts an inference in CloudWatch and for Application Auto Scaling."""

    def observe(inference: Inference) -> None:
        load.record(inference, now=time.time())
        share = inference.characters / (inference.characters_a_second * _MINUTE)
        consumed = share * inference.units
        with responses.request_scope(inference.scope.account, inference.scope.region):
            for metric, value, unit in (
                ("ConsumedInferenceUnits", consumed, "None"),
                ("RequestedInferenceUnits", consumed, "None"),
                ("ProvisionedInferenceUnits", inference.units, "None"),
                ("InferenceUtilization", 100 * share, "Percent"),
            ):
                cloudwatch.record_metric(_NAMESPACE, metric, value, unit, {"EndpointArn": inference.endpoint_arn})

    return observe
