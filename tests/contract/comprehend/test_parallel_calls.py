from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from local.comprehend.errors import ComprehendError
from tests.contract.comprehend_world import ACCOUNT, REGION, World
from tests.contract.sample_documents import documents

CALLERS = 16


def outcomes(call: Callable[[], object]) -> Counter[str]:
    """What came of the same call from CALLERS threads at the same moment."""
    together = Barrier(CALLERS)

    def one(_: int) -> str:
        together.wait()
        try:
            call()
        except ComprehendError as error:
            return error.code
        return "ok"

    with ThreadPoolExecutor(CALLERS) as threads:
        return Counter(threads.map(one, range(CALLERS)))


def test_one_of_many_starts_the_iteration(make_world: Callable[..., World]) -> None:
    world = make_world(iteration_evaluation_seconds=10)
    request = {"FlywheelArn": world.flywheel()}
    world.clock.linger()

    def start() -> None:
        world.service.call(operation="StartFlywheelIteration", request=request, account=ACCOUNT, region=REGION)

    assert outcomes(start) == {"ok": 1, "ResourceInUseException": CALLERS - 1}


def test_quota_holds_against_many(make_world: Callable[..., World]) -> None:
    world = make_world(maximum_datasets_of_a_type=5, maximum_creating_datasets=50, dataset_ingestion_seconds=10)
    flywheel = world.flywheel()
    source = {"DocumentClassifierInputDataConfig": {"S3Uri": world.put("a.csv", documents())}}
    names = iter(range(CALLERS))
    world.clock.linger()

    def create() -> None:
        request = {"FlywheelArn": flywheel, "DatasetName": f"d{next(names)}", "InputDataConfig": source}
        world.service.call(operation="CreateDataset", request=request, account=ACCOUNT, region=REGION)

    assert outcomes(create) == {"ok": 5, "ResourceLimitExceededException": CALLERS - 5}
