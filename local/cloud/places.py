"""Where the local cloud keeps its files: all below `.local/` of the project, which git ignores."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LOCAL_FOLDER = PROJECT / ".local"
REQUIREMENTS = Path(__file__).resolve().parent

DEFAULT_INSTANCE = "cloud"


@dataclass(frozen=True, kw_only=True)
class Places:
    """The folders and files of one instance of the local cloud.

    Instances (one for `python -m local up`, others for tests) share what takes long to make, and keep apart what
    changes.
    """

    instance: str = DEFAULT_INSTANCE

    @property
    def folder(self) -> Path:
        return LOCAL_FOLDER / self.instance

    @property
    def temporary(self) -> Path:
        """Function code and layers of the emulator, models, and what functions write to their temporary folder."""
        return self.folder / "tmp"

    @property
    def emulator_log(self) -> Path:
        return self.folder / "emulator.log"

    @property
    def cdk_log(self) -> Path:
        return self.folder / "cdk.log"

    @property
    def cloud_assembly(self) -> Path:
        return self.folder / "cdk.out"

    @property
    def record(self) -> Path:
        """What `up` started: process, port, account and Region, as JSON."""
        return self.folder / "up.json"

    @property
    def certificates(self) -> Path:
        return LOCAL_FOLDER / "certificates"

    @property
    def python_environments(self) -> Path:
        return LOCAL_FOLDER / "python"

    @property
    def cdk_home(self) -> Path:
        """The CDK CLI's own cache, which would otherwise lie in the user's home."""
        return LOCAL_FOLDER / "cdk"

    def create(self) -> None:
        for folder in (self.folder, self.temporary, self.certificates, self.python_environments, self.cdk_home):
            folder.mkdir(parents=True, exist_ok=True)
