"""ARNs of this account and Region."""

from __future__ import annotations

import aws_cdk as cdk


def arn_of(service: str, resource: str) -> str:
    return f"arn:{cdk.Aws.PARTITION}:{service}:{cdk.Aws.REGION}:{cdk.Aws.ACCOUNT_ID}:{resource}"
