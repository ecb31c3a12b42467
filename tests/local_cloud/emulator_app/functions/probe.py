"""Writes what it may, tries what it may not, and says what came of it."""

from __future__ import annotations

import os
from typing import Any

import boto3
from aws_lambda_powertools import Logger
from botocore.exceptions import ClientError

logger = Logger(service="probe")
s3 = boto3.client("s3")


def handle(event: dict[str, Any], context: Any) -> dict[str, Any]:
    bucket = os.environ["BUCKET"]
    s3.put_object(Bucket=bucket, Key="written/greeting", Body=os.environ["GREETING"].encode())
    refused = None
    try:
        s3.put_object(Bucket=bucket, Key="elsewhere", Body=b"")
    except ClientError as error:
        refused = error.response["Error"]["Code"]
    logger.info("written", extra={"bucket": bucket})
    return {"greeting": os.environ["GREETING"], "refused": refused, "log_group": context.log_group_name}
