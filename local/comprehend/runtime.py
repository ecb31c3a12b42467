"""What the resource modules share: state and its lock, the clock, storage, background work and worker processes."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from threading import Event, RLock
from typing import TYPE_CHECKING

from local.comprehend.clock import Clock
from local.comprehend.faults import Faults
from local.comprehend.identifiers import Scope
from local.comprehend.inferences import Observer
from local.comprehend.settings import Settings
from local.comprehend.state import DroppedDocuments, RegionState
from local.comprehend.storage import Storage
from local.comprehend.workers.worker_processes import WorkerProcesses

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

logger = logging.getLogger(__name__)


class ServiceClosedError(Exception):
    """The service was closed while background work waited; the work ends where it is."""


class Runtime:
    """Shared by all resource modules of one service.

    ``lock`` guards ``regions``: operations run under it, background work takes it for each change. Nothing reads S3 or
    trains while holding it, so no operation ever waits for either. ``workers`` train, evaluate and run jobs;
    ``predictors`` answer for endpoints, so that no caller waits for the end of a training.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        settings: Settings,
        clock: Clock,
        workers: WorkerProcesses,
        predictors: WorkerProcesses,
        folder: Path | None,
        observe: Observer,
        threads: Executor | None,
        new_id: Callable[[], str],
        settings_looked_at_every: float,
    ) -> None:
        self.observe = observe
        self.new_id = new_id
        self._settings_looked_at_every = settings_looked_at_every
        self.storage = storage
        self.settings = settings
        self.clock = clock
        self.workers = workers
        self.predictors = predictors
        self.faults = Faults()
        self.lock = RLock()
        self.dropped: list[DroppedDocuments] = []
        self._temporary = folder is None
        self.folder = folder or Path(tempfile.mkdtemp(prefix="comprehend-"))
        self._regions: dict[Scope, RegionState] = {}
        self._stopped = Event()
        # Threads mostly wait for the clock: enough for the quotas of several accounts at once.
        self._threads = threads or ThreadPoolExecutor(max_workers=128, thread_name_prefix="comprehend")

    def s3(self, scope: Scope, *, role_arn: str, source_arn: str) -> S3Client:
        """A client that acts as the role, on behalf of the Comprehend resource ``source_arn``."""
        return self.storage.client(role_arn=role_arn, source_arn=source_arn, account=scope.account, region=scope.region)

    def region(self, scope: Scope) -> RegionState:
        return self._regions.setdefault(scope, RegionState(scope=scope))

    def new_folder(self) -> Path:
        """A place for a dataset's or a job's files, not made yet."""
        return self.folder / "documents" / self.new_id()

    def new_model_path(self) -> Path:
        """A place for a model's file, not made yet."""
        return self.folder / "models" / self.new_id()

    def now(self) -> float:
        return round(self.clock.now(), 3)

    def shows(self, created: float) -> bool:
        """Whether Describe and List find what was created at that moment."""
        late = self.settings.created_things_found_after_seconds
        return not late or self.now() - created >= late

    def start(self, work: Callable[[], None], *, fail: Callable[[str], None]) -> None:
        """Run ``work`` in the background. Should it raise what it does not expect, ``fail`` makes its resource
        FAILED with a Message, so that no poller waits for ever, and the log has the reason."""

        def finished(future: Future[None]) -> None:
            error = None if future.cancelled() else future.exception()
            if error is None or isinstance(error, ServiceClosedError):
                return
            logger.error("Background work failed", exc_info=error)
            with self.lock:
                fail("An internal error occurred.")

        self._threads.submit(work).add_done_callback(finished)

    def forget(self, region: RegionState, arn: str, *, at: float, then: Callable[[], None] = lambda: None) -> None:
        """Drop a resource that is being deleted, in the background."""

        def drop() -> None:
            self.wait_until(at)
            with self.lock:
                region.forget(arn)
            then()

        self.start(drop, fail=lambda _: region.forget(arn))

    def wait_until(self, moment: float) -> None:
        """Block background work until the clock shows ``moment``; raises ServiceClosedError after :meth:`stop`."""
        self.clock.wait_until(moment, stopped=self._stopped)
        if self._stopped.is_set():
            raise ServiceClosedError

    def wait_for(self, seconds: Callable[[Settings], float], *, since: float) -> None:
        """Block background work until so long after ``since``. A setting that is changed meanwhile counts."""
        while (moment := since + seconds(self.settings)) > self.clock.now():
            self.wait_until(min(moment, self.clock.now() + self._settings_looked_at_every))

    def stop(self) -> None:
        """Tell background work to end at its next wait."""
        self._stopped.set()

    def close(self) -> None:
        """Wait for background work to end, and delete the state folder if it is a temporary one."""
        self.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        if self._temporary:
            shutil.rmtree(self.folder)
