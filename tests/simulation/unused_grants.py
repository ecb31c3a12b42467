"""Grants that stay although no schedule uses them, with the reason.

A grant is an action on a resource that a role, or a policy for people, allows.
"""

from __future__ import annotations

from collections.abc import Mapping

_LAKE = (
    "Comprehend's own use of the lake is not documented; its guide names this in the endpoint policy for S3 "
    '("Protecting jobs by using an Amazon Virtual Private Cloud"). The local Comprehend needs less.'
)
_EITHER = "Whether AWS asks for it on what is made or on what it is made from, no document says: both are granted."
UNUSED: Mapping[str, str] = {
    # What files and settings of schedules do not have.
    "* s3:AbortMultipartUpload *": "boto3 ends a large upload so when a part fails; no file of a schedule has parts.",
    "*/PeopleReviewersPolicy* comprehend:DescribeFlywheel *": "Labels that are too many for the parameter deployment.",
    "*-import/TriggersReceiveAnnouncement* s3:PutObject */thresholds.json": (
        "Of a multi-label model; the models that schedules import have one class a document."
    ),
    "*/StepsCompareMetrics* comprehend:Describe*er arn:*": (
        "The score of an active model that no turn decided on, such as the one that a flywheel begins with."
    ),
    "*/CreationStepsChangeFlywheel* comprehend:*": "Schedules change no tags and no training_vpc: tests/pipeline does.",
    "*/CreationStepsReportFlywheel* comprehend:DeleteFlywheel *": "Of a model that has other labels.",
    "*/CreationStepsReportFlywheel* sqs:SendMessage *": "It would have to fail for long in the minutes of a creation.",
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
    "*-flywheel/StepsComposeDatasets* s3:PutObject */prepared/[*]": (
        "What a dataset of the former generation held back returns, if no turn of that generation got to it."
    ),
}
"""By a pattern of grants as `Roles.grants` has them; one line says it of several roles."""
