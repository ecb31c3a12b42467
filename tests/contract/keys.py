"""Names of KMS keys, in every form that the API takes or refuses."""

from __future__ import annotations

from tests.contract.comprehend_world import ACCOUNT, REGION

KEYS = tuple(f"{digit * 8}-2222-3333-4444-555555555555" for digit in "123")
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{KEYS[0]}"
MULTI_REGION_KEY = "mrk-0123456789abcdef0123456789abcdef"


def elsewhere(arn: str) -> str:
    return arn.replace(REGION, "eu-west-1")
