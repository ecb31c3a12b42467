"""cdk-nag's packs besides AwsSolutions, and the reasons of what they find and the stacks leave as it is.

What an organisation decides is no acknowledgement but a setting (docs/security.md): without it the finding stays and
stops the synthesis.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aws_cdk as cdk
import cdk_nag
import jsii
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs

from stacks.settings import NagPack

_CHECKS: Mapping[NagPack, type[cdk_nag.NagPack]] = {
    NagPack.SERVERLESS: cdk_nag.ServerlessChecks,
    NagPack.NIST: cdk_nag.NIST80053R5Checks,
    NagPack.HIPAA: cdk_nag.HIPAASecurityChecks,
    NagPack.PCI: cdk_nag.PCIDSS321Checks,
}
_COMPLIANCE = (NagPack.NIST, NagPack.HIPAA, NagPack.PCI)


@dataclass(frozen=True, kw_only=True)
class _Left:
    """A rule that some resources do not follow, and why."""

    rule: str
    packs: Sequence[NagPack] = (NagPack.SERVERLESS,)
    of: Callable[[cdk.CfnResource], bool]
    reason: str


_LEFT = (
    _Left(
        rule="LambdaLatestVersion",
        of=lambda resource: isinstance(resource, lambda_.CfnFunction),
        reason="Python 3.13 is maintained, and it is what the pinned Powertools layer and the tests are for.",
    ),
    _Left(
        rule="LambdaDLQ",
        packs=[NagPack.SERVERLESS, NagPack.NIST, NagPack.HIPAA],
        of=lambda resource: isinstance(resource, lambda_.CfnFunction) and not resource.dead_letter_config,
        reason="Its caller waits for the answer and handles a failure, or CloudFormation does; or a schedule invokes "
        "it, whose next run makes up for a lost one.",
    ),
    _Left(
        rule="LambdaStarPermissions",
        of=lambda resource: isinstance(resource, iam.CfnRole) and _is_of_a_function(resource),
        reason="Only of actions that know no resource; each has its own reason under AwsSolutions-IAM5.",
    ),
    _Left(
        rule="IAMNoInlinePolicy",
        packs=_COMPLIANCE,
        of=lambda resource: isinstance(resource, iam.CfnRole) and bool(resource.policies),
        reason="The policy is of this one role and goes with it: IAM's guide names an inline policy for that.",
    ),
    _Left(
        rule="SQSRedrivePolicy",
        of=lambda resource: isinstance(resource, sqs.CfnQueue) and not resource.redrive_policy,
        reason="It is a dead-letter queue itself, with an alarm on its messages.",
    ),
    _Left(
        rule="SNSRedrivePolicy",
        of=lambda resource: isinstance(resource, sns.CfnSubscription),
        reason="SNS tries a mail server again for hours, and what a mail says stands in the records of the bucket.",
    ),
    _Left(
        rule="LambdaEventSourceMappingDestination",
        of=lambda resource: isinstance(resource, lambda_.CfnEventSourceMapping),
        reason="Lambda has failure destinations for streams; the queue has a dead-letter queue.",
    ),
    _Left(
        rule="LambdaAsyncFailureDestination",
        of=lambda resource: isinstance(resource, lambda_.CfnEventInvokeConfig),
        reason="What Lambda gives up, the next run of the schedule does; a deployment that waits is rolled back.",
    ),
    _Left(
        rule="S3BucketReplicationEnabled",
        packs=_COMPLIANCE,
        of=lambda resource: isinstance(resource, s3.CfnBucket),
        reason="Where copies of documents may lie is for the organisation to decide; the bucket is versioned and kept, "
        "so a replication rule can be added to it.",
    ),
    _Left(
        rule="S3DefaultEncryptionKMS",
        packs=_COMPLIANCE,
        of=lambda resource: isinstance(resource, s3.CfnBucket) and not resource.logging_configuration,
        reason="S3 delivers access logs only into buckets whose default encryption is SSE-S3.",
    ),
    _Left(
        rule="APIGWSSLEnabled",
        packs=_COMPLIANCE,
        of=lambda resource: isinstance(resource, apigateway.CfnStage),
        reason="A client certificate is for HTTP backends: this one is a function, invoked by IAM permission.",
    ),
    _Left(
        rule="APIGWCacheEnabledAndEncrypted",
        packs=_COMPLIANCE,
        of=lambda resource: isinstance(resource, apigateway.CfnStage),
        reason="The answer belongs to the text in the body, which would be kept; a cache is billed by the hour.",
    ),
    _Left(
        rule="APIGWExecutionLoggingEnabled",
        packs=_COMPLIANCE,
        of=lambda resource: isinstance(resource, apigateway.CfnStage),
        reason="Execution logs may quote a request; access log, function log and trace name each by its id.",
    ),
)


@jsii.implements(cdk.IPolicyValidationPlugin)
class _PackOfStage:
    """A pack that looks at one stage. By itself each looks at the whole app, wherever it was added."""

    def __init__(self, pack: cdk_nag.NagPack, *, stage: cdk.Stage) -> None:
        self._pack = pack
        self._stage = stage

    @property
    def name(self) -> str:
        return self._pack.name

    @property
    def version(self) -> str | None:
        return self._pack.version

    @property
    def rule_ids(self) -> list[str] | None:
        return self._pack.rule_ids

    def validate(self, context: cdk.IPolicyValidationContext) -> cdk.PolicyValidationPluginReport:
        return self._pack.validate_scope(self._stage)


def check(app: cdk.App, *, packs: Mapping[cdk.Stage, Sequence[NagPack]]) -> None:
    """Have AwsSolutions look at all stacks of `app`, and each of `packs` at those of its stage, or of the app itself.

    The stacks must be there already.
    """
    cdk.Validations.of(app).add_plugins(cdk_nag.AwsSolutionsChecks(app))
    for stage, named in packs.items():
        for each in named:
            pack = _CHECKS[each](stage)
            plugin = pack if stage is app else _PackOfStage(pack, stage=stage)
            cdk.Validations.of(stage).add_plugins(plugin)
        _acknowledge(stage, packs=named)


def _acknowledge(stage: cdk.Stage, *, packs: Sequence[NagPack]) -> None:
    resources = [found for found in stage.node.find_all() if isinstance(found, cdk.CfnResource)] if packs else []
    for resource, left in itertools.product(resources, _LEFT):
        for pack in set(packs) & set(left.packs) if left.of(resource) else ():
            cdk.Validations.of(resource).acknowledge(cdk.Acknowledgment(id=f"{pack}-{left.rule}", reason=left.reason))


def _is_of_a_function(role: iam.CfnRole) -> bool:
    document = role.assume_role_policy_document
    return bool(document["Statement"][0]["Principal"]["Service"] == "lambda.amazonaws.com")
