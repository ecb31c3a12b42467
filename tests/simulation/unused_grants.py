"""Grants that stay although no schedule uses them, with the reason; and whether each grant is used or has one.

A grant is an action on a resource that a role, or a policy for people, allows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

_LAKE = (
    "Comprehend's own use of the lake is not documented; its guide names this in the endpoint policy for S3 "
    '("Protecting jobs by using an Amazon Virtual Private Cloud"). The local Comprehend needs less.'
)
_EITHER = "Whether AWS asks for it on what is made or on what it is made from, no document says: both are granted."
REASONS: Mapping[str, str] = {
    # What files and settings of schedules do not have.
    "* s3:AbortMultipartUpload *": "boto3 ends a large upload so when a part fails; no file of a schedule has parts.",
    "*/PeopleReviewersPolicy* comprehend:DescribeFlywheel *": "Labels that are too many for the parameter deployment.",
    "*-import/TriggersReceiveAnnouncement* s3:PutObject */thresholds.json": (
        "Of a multi-label model; the models that schedules import have one class a document."
    ),
    "*/StepsCompareMetrics* comprehend:Describe*er arn:*": (
        "The score of an active model that no turn decided on, such as the one that a flywheel begins with."
    ),
    # What AWS asks for, or may ask for, and the simulation does not.
    "*-flywheel/DataAccess* s3:DeleteObject <BucketsLake*": _LAKE,
    "*-flywheel/DataAccess* s3:GetBucketLocation <BucketsLake*": _LAKE,
    "*-flywheel/DataAccess* s3:ListMultipartUploadParts <BucketsLake*": _LAKE,
    "*/PromotionStepsUpdateActiveModel* iam:PassRole *": (
        "The Service Authorization Reference ties it to UpdateFlywheel, whether a role is given or not."
    ),
    "news-serving/StepsBringEndpoint* comprehend:CreateEndpoint *er/[*]": (
        "The Service Authorization Reference demands it on the model, also for an endpoint of a flywheel."
    ),
    "*/StepsRegisterDataset* comprehend:TagResource *:flywheel/news-<hash>": _EITHER,
    "*-import/ImportStepsImportModel* comprehend:ImportModel *:<AWS::AccountId>:*": _EITHER,
    # What schedules seldom come to.
    "*/PromotionStepsUpdateActiveModel* comprehend:Describe*er arn:*": (
        "To put back a model of a promotion that was asked for while its own model, or none, was active."
    ),
    "*-flywheel/StepsComposeDatasets* s3:PutObject */prepared/[*]": (
        "What a dataset of the former generation held back returns, if no turn of that generation got to it."
    ),
}
"""By a pattern of grants as `Roles.grants` has them; one line says it of several roles."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    unexplained: list[str]
    """Grants that nothing used and no reason is about."""
    idle: list[str]
    """Patterns of reasons that are about no grant, or only about ones that schedules often use."""


def judge(
    granted: Iterable[str], used: Mapping[str, int], *, floor: int, reasons: Mapping[str, str] = REASONS
) -> Judgement:
    """What is used `floor` times needs no reason. Below it one may stand, for what schedules seldom come to."""
    of_reasons: dict[str, list[str]] = {pattern: [] for pattern in reasons}
    unexplained = []
    for grant in sorted(granted):
        about = [pattern for pattern in reasons if fnmatchcase(grant, pattern)]
        for pattern in about:
            of_reasons[pattern].append(grant)
        if not about and not used.get(grant):
            unexplained.append(grant)
    idle = [pattern for pattern, grants in of_reasons.items() if all(used.get(each, 0) >= floor for each in grants)]
    return Judgement(unexplained=unexplained, idle=idle)
