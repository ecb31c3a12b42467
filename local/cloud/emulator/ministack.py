"""The parts of MiniStack that are used here: the one place that imports it.

MiniStack has no types and no public interface for what is taught to it; importing through this module keeps both
facts here.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

app: Any = import_module("ministack.app")

concurrency: Any = import_module("ministack.core.concurrency")
iam_actions: Any = import_module("ministack.core.iam_actions")
iam_evaluator: Any = import_module("ministack.core.iam_evaluator")
lambda_runtime: Any = import_module("ministack.core.lambda_runtime")
responses: Any = import_module("ministack.core.responses")
router: Any = import_module("ministack.core.router")

apigateway_v1: Any = import_module("ministack.services.apigateway_v1")
cloudwatch: Any = import_module("ministack.services.cloudwatch")
cloudwatch_logs: Any = import_module("ministack.services.cloudwatch_logs")
eventbridge: Any = import_module("ministack.services.eventbridge")
iam: Any = import_module("ministack.services.iam")
kms: Any = import_module("ministack.services.kms")
lambda_svc: Any = import_module("ministack.services.lambda_svc")
s3: Any = import_module("ministack.services.s3")
scheduler: Any = import_module("ministack.services.scheduler")
sns: Any = import_module("ministack.services.sns")
sqs: Any = import_module("ministack.services.sqs")
ssm: Any = import_module("ministack.services.ssm")
stepfunctions: Any = import_module("ministack.services.stepfunctions")
sts: Any = import_module("ministack.services.sts")

changesets: Any = import_module("ministack.services.cloudformation.changesets")
cloudformation: Any = import_module("ministack.services.cloudformation")
custom_resource: Any = import_module("ministack.services.cloudformation.custom_resource")
engine: Any = import_module("ministack.services.cloudformation.engine")
provisioners: Any = import_module("ministack.services.cloudformation.provisioners")
stacks: Any = import_module("ministack.services.cloudformation.stacks")


def wait_scale() -> float:
    """How long a second of waiting takes, for state machines and for all that waits with them; 0: no time at all."""
    return float(stepfunctions._SFN_WAIT_SCALE)
