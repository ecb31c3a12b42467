"""The pipeline's records and Comprehend's state, read past every fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from flywheel.preparation.entities import from_line
from flywheel.store.record import Record
from tests.simulation.api import Caller

if TYPE_CHECKING:
    from tests.simulation.app import App
    from tests.simulation.simulation import Situation
    from tests.simulation.world import World

R = TypeVar("R", bound=Record)


def read(situation: Situation, key: str, kind: type[R], *, app: App | None = None) -> R | None:
    found = situation.world.s3.object((app or situation.app).intake, key)
    return None if found is None else kind.model_validate_json(found.body)


def read_all(
    situation: Situation,
    prefix: str,
    kind: type[R],
    *,
    ending: str = ".json",
    with_: str = "",
    app: App | None = None,
) -> Iterator[tuple[str, R]]:
    """Those below the prefix whose keys end so and have `with_` in them."""
    for key in list(situation.world.s3.keys((app or situation.app).intake, prefix)):
        if key.endswith(ending) and with_ in key:
            found = read(situation, key, kind, app=app)
            if found is not None:
                yield key, found


def comprehend(situation: Situation, operation: str, **parameters: Any) -> dict[str, Any]:
    return situation.world.comprehend.answer(operation, parameters, Caller(account=situation.app.account))


def flywheel(situation: Situation, arn: str | None = None) -> dict[str, Any]:
    """The present one, unless another is named."""
    asked = arn or situation.app.flywheel_arn
    found: dict[str, Any] = comprehend(situation, "DescribeFlywheel", FlywheelArn=asked)["FlywheelProperties"]
    return found


def iterations(situation: Situation, flywheel_arn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = comprehend(
        situation, "ListFlywheelIterationHistory", FlywheelArn=flywheel_arn, MaxResults=100
    )["FlywheelIterationPropertiesList"]
    return found


def datasets(situation: Situation, flywheel_arn: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = comprehend(situation, "ListDatasets", FlywheelArn=flywheel_arn, MaxResults=100)[
        "DatasetPropertiesList"
    ]
    return found


def models_of(world: World, account: str) -> list[str]:
    """ARNs of an account's classifiers, sorted."""
    found = world.comprehend.answer("ListDocumentClassifiers", {"MaxResults": 500}, Caller(account=account))
    return sorted(each["DocumentClassifierArn"] for each in found["DocumentClassifierPropertiesList"])


def scalable_targets(world: World, account: str) -> list[str]:
    """ARNs of an account's endpoints that are scaled by themselves."""
    asked = {"ServiceNamespace": "comprehend"}
    who = world.as_person("the claim", account=account)
    found = world.ask("application-autoscaling", "DescribeScalableTargets", asked, who)
    return [each["ResourceId"] for each in found["ScalableTargets"]]


def stored_documents(key: str, content: bytes) -> list[tuple[str, frozenset[str]]]:
    """(text, labels or annotations), in either form."""
    import csv
    import io

    if key.endswith(".csv"):
        rows = csv.reader(io.StringIO(content.decode(), newline=""))
        return [(row[1], frozenset(row[0].split("|"))) for row in rows]
    if key.endswith((".jsonl", ".manifest")):
        lines = map(from_line, content.decode().splitlines())
        return [(text, frozenset(span.label for span in spans)) for text, spans in lines]
    return []
