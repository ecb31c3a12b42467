"""An AWS account on this machine: MiniStack, taught what it lacks, with the local Comprehend registered in it.

`LocalCloud` starts and ends it; `local.cloud.emulator` is what runs inside.
"""

from local.cloud.endpoint import Credentials, Endpoint
from local.cloud.errors import LocalCloudError
from local.cloud.local_cloud import CloudAccount, LocalCloud
from local.cloud.progress import OnConsole, Progress

__all__ = ["CloudAccount", "Credentials", "Endpoint", "LocalCloud", "LocalCloudError", "OnConsole", "Progress"]
