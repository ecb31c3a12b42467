"""What operators tune while the flywheel runs: `cdk deploy --parameters <stack>:<Name>=<value>`."""

from __future__ import annotations

from stacks.constructs.stack_parameters import (
    NONE,
    StackParameters,
    map_concurrency,
    number,
    one_of,
    text,
    whole_number,
)

MOST_APPROVAL_HOURS = 720
SCHEDULE = (
    r"^(rate\((1 (minute|hour|day)|([2-9]|[1-9][0-9]+) (minutes|hours|days))\)"
    r"|cron\([0-9A-Za-z,/*?#LW -]+\))$"
)
MOST_DAYS_WITHOUT_TURN = 7
"""CloudWatch's limit: the periods of an alarm, of an hour or more each, may cover a week together."""


_PRINCIPAL = r"([0-9]{12}|arn:aws(-[a-z]+)*:iam::[0-9]{12}:(root|(role|user)/[A-Za-z0-9_+=.@/-]+))"
"""The function says the same of what comes from elsewhere (`flywheel.sharing.principals`)."""


class FlywheelParameters(StackParameters):
    """The parameters of the Flywheel stack."""

    too_long_to_publish = ("trusted_accounts",)

    selection_metric = one_of(
        default="F1Score",
        allowed=("F1Score", "Precision", "Recall", "Accuracy"),
        description="The score by which a candidate is compared with the active model.",
    )
    minimum_score = number(
        default=0.5,
        least=0,
        most=1,
        # A first model has nothing to beat: one that is wrong every second time should not serve.
        description="The lowest score with which a candidate is promoted, from 0 to 1.",
    )
    minimum_improvement = number(
        default=0.005,
        least=0,
        most=1,
        # Half a point: less than that is within the noise of a test set of a few thousand documents.
        description="By how much a candidate's score must exceed the active model's, from 0 to 1.",
    )
    maximum_regression = number(
        default=0.1,
        least=0,
        most=1,
        # A net, not a filter: recall is traded for precision within it, and a small test set makes less than ten
        # points of difference by chance, but nobody expects a gain of half a point to cost more than that.
        description="By how much a better candidate may fall behind in each other metric. 1: by any amount.",
    )
    maximum_label_regression = number(
        default=1,
        least=0,
        most=1,
        description="With Evidence HOLDOUT: by how much a better candidate's F1 may fall in one label or entity type. "
        "1: by any amount.",
    )
    require_same_test_data = one_of(
        default="false",
        allowed=("true", "false"),
        description="With Evidence ITERATION: whether a candidate is kept back whose score may come from other test "
        "data than the active model's.",
    )
    promotion_mode = one_of(
        default="AUTOMATIC",
        allowed=("AUTOMATIC", "APPROVAL", "NEVER"),
        description="Whether a better candidate is promoted by itself, after approval, or by people only.",
    )
    approval_hours = number(
        default=72,
        least=0,
        most=MOST_APPROVAL_HOURS,
        description="How long a promotion waits for approval (PromotionMode APPROVAL), in hours, also a fraction.",
    )
    models_to_keep = whole_number(
        default=5,
        least=1,
        most=1000,
        # $0.50 a month each; five go back further than anybody rolls back.
        description="How many of the newest models are kept, besides those in use. Older ones are deleted.",
    )
    evidence = one_of(
        default="ITERATION",
        allowed=("ITERATION", "HOLDOUT"),
        description="What decides: the metrics of the iteration, or both models' own answers to a hold-out of the "
        "accepted test data, which Comprehend charges for (HoldoutDocuments).",
    )
    holdout_documents = whole_number(
        default=2000,
        least=50,
        most=50_000,
        description="With Evidence HOLDOUT: the most documents of the hold-out. A document of up to 300 characters "
        "costs 3 units of $0.0005 for each model, so 2000 documents and two models cost $6.",
    )
    suspect_test_labels = whole_number(
        default=0,
        least=0,
        most=1000,
        description="With Evidence HOLDOUT: so many test documents at most, whose labels a candidate contradicts, come "
        "up for review after each iteration, the most certain first. 0: none.",
    )
    confidence_level = text(
        default="0.95",
        pattern=r"^0\.[5-9][0-9]{0,2}$",
        allowed="a number from 0.5 to 0.999, such as 0.95",
        most_characters=5,
        description="With Evidence HOLDOUT: how sure a gain must be to be more than chance, from 0.5 to 0.999.",
    )
    minimum_documents_per_label = whole_number(
        default=50,
        least=1,
        most=1_000_000,
        description="Training documents a label must have before a dataset takes it. Comprehend documents 50.",
    )
    maximum_bad_lines_percent = number(
        default=5,
        least=0,
        most=100,
        description="An upload with more bad lines than this percentage is rejected whole.",
    )
    conflicting_labels = one_of(
        default="KEEP",
        allowed=("KEEP", "REFUSE"),
        description="What becomes of a document whose text came before with other labels. Both are counted.",
    )
    repeated_documents = one_of(
        default="DROP",
        allowed=("DROP", "KEEP"),
        description="What becomes of a document that stands in its training file before. Test files drop it always.",
    )
    machine_labels = one_of(
        default="KEEP",
        allowed=("KEEP", "REFUSE"),
        description="What becomes of lines of an augmented manifest that no person labelled.",
    )
    manifest_attribute = text(
        default=NONE,
        pattern=r"^[a-zA-Z0-9](-*[a-zA-Z0-9])*$",
        allowed=f"the name of a labeling job's attribute, of at most 63 letters, digits and hyphens, or {NONE}",
        most_characters=63,
        description=f"The attribute that counts in an augmented manifest that has several. With {NONE}: the only one.",
    )
    trigger_on_upload = one_of(
        default="true",
        allowed=("true", "false"),
        description="Whether an upload starts a turn. If false, only the schedule and operators do.",
    )
    quiet_period_minutes = number(
        default=5,
        least=0,
        most=1440,
        description="How long uploads must have rested before a turn collects them, in minutes.",
    )
    minimum_hours_between_iterations = number(
        default=0,
        least=0,
        most=8760,
        description="The least time between the starts of two iterations, in hours. Training costs money.",
    )
    turn_schedule = text(
        default="rate(1 hour)",
        pattern=SCHEDULE,
        allowed="an EventBridge schedule such as rate(1 hour), rate(2 days) or cron(0 6 * * ? *)",
        # EventBridge's limit.
        most_characters=256,
        description="When the pipeline looks for work by itself, besides uploads.",
    )
    poll_seconds = whole_number(
        default=60,
        least=30,
        most=3600,
        description="How often a turn asks Comprehend how far a dataset or an iteration is, in seconds.",
    )
    map_concurrency = map_concurrency()
    reviewers_per_item = one_of(
        default="1",
        allowed=("1", "2", "3"),
        description="How many people review an item. If most of them do not agree, one more decides.",
    )
    review_test_percent = number(
        default=20,
        least=0,
        most=100,
        description="The share of the reviewed documents that becomes test data, decided by the text for ever.",
    )
    review_publish_days = whole_number(
        default=7,
        least=1,
        most=365,
        description="Reviewers' answers become uploads when a label has MinimumDocumentsPerLabel of them, or when the "
        "oldest waits for so many days.",
    )
    review_days = whole_number(
        default=90,
        least=14,
        most=3650,
        description="How long a text waits for people's review, and how long what they said of it is kept, in days.",
    )
    keep_predictions_days = whole_number(
        default=30,
        least=1,
        most=3650,
        description="How long predictions are kept that KeepPredictions of the Serving stack keeps, in days.",
    )
    drift_floor = number(
        default=0,
        least=0,
        most=1,
        description="An alarm tells when the active model's score on new test data is below this. 0: none does.",
    )
    maximum_days_without_turn = one_of(
        default="0",
        allowed=tuple(map(str, range(MOST_DAYS_WITHOUT_TURN + 1))),
        description="An alarm tells when no turn began for so many days, at most a week. 0: none does.",
    )
    trusted_accounts = text(
        default=NONE,
        pattern=rf"^({NONE}|{_PRINCIPAL}(,{_PRINCIPAL})*)$",
        allowed=f"{NONE}, or account ids of 12 digits and ARNs of IAM roles, users and account roots, with commas and "
        "without blanks between them",
        # CloudFormation's limit of a parameter's value.
        most_characters=4096,
        description="Who may import the promoted models: accounts, or roles and users of them. At most 100 accounts.",
    )
    notification_email = text(
        default=NONE,
        pattern=rf'^({NONE})?$|^[^\s@"\\]+@[^\s@"\\]+\.[^\s@"\\]+$',
        allowed=f"an e-mail address, or {NONE}",
        # The longest that mail can be sent to.
        most_characters=254,
        description=f"Who is told about finished and failed turns. With {NONE}: nobody by e-mail.",
    )
