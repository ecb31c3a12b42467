"""cdk-nag's packs besides AwsSolutions, and the reasons of what they find and the stacks leave as it is.

What an organisation decides is no acknowledgement but a setting (docs/security.md): without it the finding stays and
stops the synthesis.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
import cdk_nag
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from .settings import NagPack

_CHECKS: Mapping[NagPack, type[cdk_nag.NagPack]] = {
    NagPack.SERVERLESS: cdk_nag.ServerlessChecks,
    NagPack.NIST: cdk_nag.NIST80053R5Checks,
    NagPack.HIPAA: cdk_nag.HIPAASecurityChecks,
    NagPack.PCI: cdk_nag.PCIDSS321Checks,
}
_COMPLIANCE = (NagPack.NIST, NagPack.HIPAA, NagPack.PCI)


@dataclass(frozen=True, kw_only=True)
class _Left:
    """A rule that is not followed, and why."""

    rule: str
    packs: Sequence[NagPack]
    reason: str


_FUNCTIONS = (
    _Left(
        rule="LambdaLatestVersion",
        packs=[NagPack.SERVERLESS],
        reason="Python 3.13 is maintained, and it is what the pinned Powertools layer and the tests are for.",
    ),
)
_WITHOUT_DEAD_LETTERS = (
    _Left(
        rule="LambdaDLQ",
        packs=[NagPack.SERVERLESS, NagPack.NIST, NagPack.HIPAA],
        reason="It is never invoked asynchronously by an event: its caller waits for the answer and handles a failure, "
        "or CloudFormation does.",
    ),
)
_FUNCTION_ROLES = (
    _Left(
        rule="LambdaStarPermissions",
        packs=[NagPack.SERVERLESS],
        reason="Only of actions that know no resource; each has its own reason under AwsSolutions-IAM5.",
    ),
)
_ROLES = (
    _Left(
        rule="IAMNoInlinePolicy",
        packs=_COMPLIANCE,
        reason="The policy is of this one role and goes with it: IAM's guide names an inline policy for that.",
    ),
)
_DEAD_LETTER_QUEUES = (
    _Left(
        rule="SQSRedrivePolicy",
        packs=[NagPack.SERVERLESS],
        reason="It is a dead-letter queue itself, with an alarm on its messages.",
    ),
)
_SUBSCRIPTIONS = (
    _Left(
        rule="SNSRedrivePolicy",
        packs=[NagPack.SERVERLESS],
        reason="SNS tries a mail server again for hours, and what a mail says stands in the records of the bucket.",
    ),
)
_MAPPINGS = (
    _Left(
        rule="LambdaEventSourceMappingDestination",
        packs=[NagPack.SERVERLESS],
        reason="Lambda has failure destinations for streams; the queue has a dead-letter queue.",
    ),
)
_BUCKETS = (
    _Left(
        rule="S3BucketReplicationEnabled",
        packs=_COMPLIANCE,
        reason="Where copies of documents may lie is for the organisation to decide; the bucket is versioned and kept, "
        "so a replication rule can be added to it.",
    ),
)
_ACCESS_LOG_BUCKET = (
    _Left(
        rule="S3DefaultEncryptionKMS",
        packs=_COMPLIANCE,
        reason="S3 delivers access logs only into buckets whose default encryption is SSE-S3.",
    ),
)
_STAGES = (
    _Left(
        rule="APIGWSSLEnabled",
        packs=_COMPLIANCE,
        reason="A client certificate is for HTTP backends: this one is a function, invoked by IAM permission.",
    ),
    _Left(
        rule="APIGWCacheEnabledAndEncrypted",
        packs=_COMPLIANCE,
        reason="The answer belongs to the text in the body, which would be kept; a cache is billed by the hour.",
    ),
    _Left(
        rule="APIGWExecutionLoggingEnabled",
        packs=_COMPLIANCE,
        reason="Execution logs may quote a request; access log, function log and trace name each by its id.",
    ),
)


def check(app: cdk.App, *, packs: Sequence[NagPack]) -> None:
    """Have AwsSolutions and `packs` look at all stacks of `app`, which must be there already."""
    checks: list[cdk_nag.NagPack] = [cdk_nag.AwsSolutionsChecks(app), *(_CHECKS[pack](app) for pack in packs)]
    cdk.Validations.of(app).add_plugins(*checks)
    if packs:
        for construct in app.node.find_all():
            if isinstance(construct, cdk.CfnResource):
                _acknowledge(construct, packs=packs)


def _acknowledge(resource: cdk.CfnResource, *, packs: Sequence[NagPack]) -> None:
    acknowledgements = [
        cdk.Acknowledgment(id=f"{pack}-{left.rule}", reason=left.reason)
        for left in _left_of(resource)
        for pack in left.packs
        if pack in packs
    ]
    if acknowledgements:
        cdk.Validations.of(resource).acknowledge(*acknowledgements)


def _left_of(resource: cdk.CfnResource) -> Sequence[_Left]:
    match resource:
        case lambda_.CfnFunction():
            return (*_FUNCTIONS, *([] if resource.dead_letter_config else _WITHOUT_DEAD_LETTERS))
        case iam.CfnRole():
            inline = _ROLES if resource.policies else ()
            return (*inline, *(_FUNCTION_ROLES if _is_of_a_function(resource) else ()))
        case sqs.CfnQueue():
            return () if resource.redrive_policy else _DEAD_LETTER_QUEUES
        case sns.CfnSubscription():
            return _SUBSCRIPTIONS
        case lambda_.CfnEventSourceMapping():
            return _MAPPINGS
        case s3.CfnBucket():
            return (*_BUCKETS, *([] if resource.logging_configuration else _ACCESS_LOG_BUCKET))
        case apigateway.CfnStage():
            return _STAGES
    return ()


def _is_of_a_function(role: iam.CfnRole) -> bool:
    document = role.assume_role_policy_document
    return bool(document["Statement"][0]["Principal"]["Service"] == "lambda.amazonaws.com")
