"""`python -m local demo-accounts`: train in one account, serve in another; for a classifier, then for a recognizer."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import typer
from botocore.exceptions import ClientError
from rich.console import Console
from rich.panel import Panel

from flywheel.promotions.requests import current_beginning
from flywheel.records.promotions import Promotion, PromotionRequest, PromotionStatus, end_key
from flywheel.records.serving import smoke_test_of
from flywheel.records.turns import TurnRecord
from local import sample_letters, sample_news
from local.cloud import CloudAccount, LocalCloud, LocalCloudError, OnConsole
from local.cloud.endpoint import account_numbers
from local.demo_entities import wrong_answers
from local.walk import Walk
from ops.deployment.clients import Clients
from ops.deployment.polling import looks
from ops.deployment.published import AnyDeployment, find_any_deployment
from ops.verbs.approve import approve
from ops.verbs.classify import ClassifiedText, classify, find_api
from ops.verbs.endpoint import endpoint
from ops.verbs.promotions import promotions_now
from ops.verbs.rollback import rollback

SMOKE_TEST = "smoke-tests/ours"
UNITS = "10"
_PATIENCE_SECONDS = 300.0
_LOOK_AGAIN_SECONDS = 0.1
_CLOUD = "demo-accounts"
T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is trained: settings, files for two turns, a smoke test of the importing account, and questions."""

    title: str
    name: str
    context: Mapping[str, str]
    test: Callable[[Path], Path]
    first: Callable[[Path], Path]
    better: Callable[[Path], Path]
    smoke_test: Callable[[Path], Path]
    texts: Sequence[str]
    wrong: Callable[[Sequence[ClassifiedText]], list[str]]
    """Sentences on answers that are not as told."""


def _news() -> Subject:
    unseen = sample_news.Recipe(documents_per_label=60, asides=1, vague=0.25)
    asked = sample_news.documents(sample_news.Recipe(documents_per_label=1, asides=1), seed=500)

    def written(recipe: sample_news.Recipe, seed: int, name: str) -> Callable[[Path], Path]:
        return lambda folder: sample_news.write_csv(folder / name, sample_news.documents(recipe, seed=seed))

    def wrong(answers: Sequence[ClassifiedText]) -> list[str]:
        right = sum(answer.labels == (label,) for answer, (label, _) in zip(answers, asked, strict=True))
        return [] if right >= len(asked) - 1 else [f"The API is right about {right} of {len(asked)} articles."]

    return Subject(
        title="News articles: a document classifier",
        name="news",
        context={"labels": ",".join(sample_news.LABELS), "mode": "MULTI_CLASS"},
        test=written(unseen, 100, "held-out.csv"),
        first=written(sample_news.Recipe(documents_per_label=60, scenes=2), 1, "first-articles.csv"),
        better=written(sample_news.Recipe(documents_per_label=200, asides=1), 2, "more-articles.csv"),
        smoke_test=written(sample_news.Recipe(documents_per_label=5, scenes=2), 200, "smoke.csv"),
        texts=[text for _, text in asked],
        wrong=wrong,
    )


def _letters() -> Subject:
    asked = sample_letters.letters(sample_letters.Recipe(letters=5), seed=500)

    def written(recipe: sample_letters.Recipe, seed: int, name: str) -> Callable[[Path], Path]:
        return lambda folder: sample_letters.write(folder / name, sample_letters.letters(recipe, seed=seed))

    return Subject(
        title="Letters: an entity recognizer",
        name="letters",
        context={"model_type": "ENTITY_RECOGNIZER", "entity_types": ",".join(sample_letters.TYPES)},
        test=written(sample_letters.Recipe(letters=100), 100, "held-out.jsonl"),
        first=written(sample_letters.Recipe(letters=60, forms=4, names=10), 1, "first-letters.jsonl"),
        better=written(sample_letters.Recipe(letters=300), 2, "more-letters.jsonl"),
        smoke_test=written(sample_letters.Recipe(letters=10, forms=4, names=10), 200, "smoke.jsonl"),
        texts=[text for text, _ in asked],
        wrong=lambda answers: wrong_answers(asked, answers),
    )


@dataclass(kw_only=True)
class Accounts:
    """Dev trains, prod imports, and an intruder has no business here."""

    console: Console
    subject: Subject
    dev: Walk
    prod: AnyDeployment
    prod_account: CloudAccount
    assembly: Path
    """Of prod."""
    intruder: CloudAccount
    folder: Path
    wrong: list[str] = field(default_factory=list)
    """What did not end as told."""
    seconds: list[float] = field(default_factory=list)
    """From each promotion in dev to its model's serving in prod, without people."""

    def tell(self, title: str, told: str) -> None:
        self.console.print(f"\n[bold]{title}[/bold]\n{told}", highlight=False)

    def done(self, sentence: str) -> None:
        self.console.print(f"[green]✓[/green] {sentence}", highlight=False, soft_wrap=True)

    def expect(self, holds: bool, sentence: str) -> None:
        if not holds:
            self.wrong.append(sentence)

    def promote_in_dev(self, *, train: Sequence[Path], test: Sequence[Path] = ()) -> tuple[TurnRecord, Promotion]:
        with self.console.status("dev trains"):
            record = self.dev.after_promotion(self.dev.turn(train=train, test=test))
        if record.promotion is None or not record.promotion.status.made_active:
            raise LocalCloudError(f"dev promoted no model: {' '.join(record.reasons) or record.cause}")
        self.done(f"dev promoted {record.promotion.model_arn}: {record.promotion.reason}")
        return record, record.promotion

    def request_in_prod(self, promoted: Promotion) -> PromotionRequest:
        """Prod's request for the version that dev promoted, once its promotion works on it."""
        return _until(
            lambda: (
                found.request
                if (found := current_beginning(self.prod.intake)) is not None
                and found.request is not None
                and found.request.source_model_arn == promoted.model_arn
                else None
            ),
            "prod did not hear of it",
        )

    def end_in_prod(self, request: PromotionRequest) -> Promotion:
        return _until(lambda: self.prod.intake.read(end_key(request.id), Promotion), "prod's promotion did not end")

    def ask(self, *, knows: bool) -> None:
        """The API of prod; `knows`: the model has seen enough to be right. The model that the API names may be some
        seconds old, so the endpoint is asked which one it serves."""
        answers = list(classify(self.subject.texts, api=find_api(self.prod)))
        served = endpoint(self.prod)
        self.expect(served.serves_active_model, "The endpoint serves another model than the published one.")
        self.expect(all(answer.answered for answer in answers), "The API did not answer every text.")
        if knows:
            self.wrong += self.subject.wrong(answers)
        model = served.endpoint.model_arn if served.endpoint else None
        self.done(f"prod's API answered {sum(answer.answered for answer in answers)} texts; it serves {model}")


def register(app: typer.Typer) -> None:
    app.command()(demo_accounts)


def demo_accounts() -> None:
    """Train models in one account and serve them in another, in a local cloud of their own."""
    console = Console()
    console.print(Panel("Train once, serve in every account: share, import, try, approve, serve, undo", expand=False))
    wrong: list[str] = []
    seconds: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder, LocalCloud(instance=_CLOUD, progress=OnConsole(console)) as cloud:
        for subject in (_news(), _letters()):
            console.print(f"\n[bold underline]{subject.title}[/bold underline]")
            place = Path(folder) / subject.name
            place.mkdir()
            accounts = _deploy(console, cloud, subject, place)
            _play(accounts)
            wrong += accounts.wrong
            seconds[subject.name] = accounts.seconds
    if wrong:
        raise LocalCloudError("The demo did not end as told: " + " ".join(wrong))
    console.print("\n[green]Everything ended as told.[/green]")
    for name, taken in seconds.items():
        console.print(f"{name}: {', '.join(f'{each:.1f}' for each in taken)} s from dev's promotion to prod's serving")


def _deploy(console: Console, cloud: LocalCloud, subject: Subject, folder: Path) -> Accounts:
    dev_number, prod_number, intruder_number = account_numbers(3)
    console.print(f"dev is account {dev_number}, prod {prod_number}, the intruder {intruder_number}", highlight=False)
    name = subject.name
    dev = Walk.deploy(
        cloud,
        name=name,
        parameters={"MinimumScore": "0", "MinimumImprovement": "0", "TrustedAccounts": prod_number},
        context={"name": name, **subject.context},
    )
    prod = cloud.account(prod_number)
    stack = f"{name}-import"
    kind = {key: value for key, value in subject.context.items() if key == "model_type"}
    prod.deploy(
        context={"name": name, "role": "import", **kind},
        parameters={
            f"{stack}:SourceAccount": dev_number,
            f"{stack}:SourceFlywheelName": name,
            f"{stack}:SmokeTestKey": SMOKE_TEST,
            f"{stack}:SmokeTestMinimum": "0.5",
            f"{stack}:PollSeconds": "30",
            f"{name}-serving:InferenceUnits": UNITS,
            f"{name}-serving:PollSeconds": "30",
            f"{name}-analysis:PollSeconds": "30",
        },
    )
    found = find_any_deployment(Clients(prod.session()), name=name)
    found.intake.upload_file(subject.smoke_test(folder), SMOKE_TEST)
    return Accounts(
        console=console,
        subject=subject,
        dev=dev,
        prod=found,
        prod_account=prod,
        assembly=cloud.places.cloud_assembly,
        intruder=cloud.account(intruder_number),
        folder=folder,
    )


def _play(accounts: Accounts) -> None:
    subject, folder = accounts.subject, accounts.folder
    accounts.tell("1. Dev trains and promotes", "Prod imports the version by itself, tries it, and serves it.")
    _, promoted = accounts.promote_in_dev(train=[subject.first(folder)], test=[subject.test(folder)])
    end = _arrives(accounts, promoted)
    first = end.model_arn
    accounts.ask(knows=False)

    accounts.tell("2. An intruder", "An account that is not trusted asks Comprehend for the same version.")
    _intrude(accounts, promoted.model_arn)

    accounts.tell("3. A better model, with approval", "From now on a person in prod has to agree.")
    stack = f"{subject.name}-import"
    # Parameters that are not given keep their values.
    accounts.prod_account.deploy(accounts.assembly, stacks=[stack], parameters={f"{stack}:PromotionMode": "APPROVAL"})
    record, promoted = accounts.promote_in_dev(train=[subject.better(folder)])
    request = accounts.request_in_prod(promoted)
    _until(lambda: promotions_now(accounts.prod).waits_until, "prod asked nobody")
    accounts.expect(accounts.prod.models.active() == first, "prod did not wait for a person.")
    accounts.done("prod serves the first model until somebody answers")
    beginning = current_beginning(accounts.prod.intake)
    if beginning is not None:
        approve(accounts.prod, beginning.promotion, reason="it passed our smoke test")
    end = accounts.end_in_prod(request)
    accounts.expect(end.status is PromotionStatus.PROMOTED, f"prod: {end.status}. {end.reason}")
    accounts.done(f"prod serves {end.model_arn}, approved by {end.answered_by}")
    accounts.ask(knows=True)

    accounts.tell("4. A rollback in prod", "Dev stays as it is.")
    before = accounts.dev.active_model_arn()
    asked = rollback(accounts.prod, reason="prod's operator liked it better")
    if asked.request is None:
        raise LocalCloudError("prod has nothing to go back to.")
    rolled_back = accounts.end_in_prod(asked.request)
    accounts.expect(rolled_back.model_arn == first, "The rollback brought another model.")
    accounts.expect(accounts.dev.active_model_arn() == before == promoted.model_arn, "dev's model changed.")
    accounts.done(f"prod serves {rolled_back.model_arn} again; dev's active model is still that of {record.turn}")
    accounts.ask(knows=False)


def _arrives(accounts: Accounts, promoted: Promotion) -> Promotion:
    """The end of prod's promotion of what dev promoted, without a person."""
    with accounts.console.status("prod imports"):
        end = accounts.end_in_prod(accounts.request_in_prod(promoted))
    accounts.expect(end.status is PromotionStatus.PROMOTED, f"prod: {end.status}. {end.reason}")
    tested = smoke_test_of(end.model_arn, intake=accounts.prod.intake)
    accounts.expect(tested is not None and tested.passed, "The imported model was not tried.")
    accounts.seconds.append((end.at - promoted.at).total_seconds())
    accounts.done(
        f"prod imported it as {end.model_arn}. {tested.sentence if tested else ''} {end.serving or ''} "
        f"{accounts.seconds[-1]:.1f} s after dev's promotion."
    )
    return end


def _intrude(accounts: Accounts, model_arn: str) -> None:
    try:
        accounts.intruder.client("comprehend").import_model(SourceModelArn=model_arn, ModelName="stolen")
    except ClientError as error:
        accounts.expect(error.response["Error"]["Code"] == "AccessDeniedException", str(error))
        accounts.done(f"refused: {error.response['Error']['Message']}")
    else:
        accounts.wrong.append("An account that is not trusted imported the model.")


def _until(find: Callable[[], T | None], otherwise: str) -> T:
    for _ in looks(timeout_seconds=_PATIENCE_SECONDS, poll_seconds=_LOOK_AGAIN_SECONDS):
        if (found := find()) is not None:
            return found
    raise LocalCloudError(f"{otherwise[0].upper()}{otherwise[1:]} within {_PATIENCE_SECONDS:.0f} s.")
