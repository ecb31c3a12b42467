"""CloudWatch Logs: what services write by themselves."""

from __future__ import annotations

import time

from local.cloud.emulator.ministack import cloudwatch_logs


def write(group_arn: str, stream: str, message: str) -> None:
    """Add a line to a log group, which may be named with the `:*` of its streams."""
    names = {"logGroupName": group_arn.partition(":log-group:")[2].removesuffix(":*"), "logStreamName": stream}
    cloudwatch_logs._create_log_stream(names)
    cloudwatch_logs._put_log_events(
        {**names, "logEvents": [{"timestamp": int(time.time() * 1000), "message": message}]}
    )
