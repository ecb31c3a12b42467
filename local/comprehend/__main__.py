"""``python -m local.comprehend``: the service on its own, for any AWS client with ``--endpoint-url``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from local.comprehend.folder_storage import FolderStorage
from local.comprehend.http_server import server
from local.comprehend.service import Comprehend
from local.comprehend.settings import Settings
from local.comprehend.storage import EndpointStorage, Storage


def main(arguments: list[str]) -> int:
    """Serve until interrupted; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m local.comprehend", description=__doc__)
    parser.add_argument("--port", type=int, default=4567, help="0 takes a free port")
    storage = parser.add_mutually_exclusive_group()
    storage.add_argument("--s3-endpoint", metavar="URL", help="an S3 endpoint, e.g. http://127.0.0.1:4566")
    storage.add_argument(
        "--s3-folder",
        metavar="DIR",
        type=Path,
        default=Path(".local/s3"),
        help="a folder whose subfolders are the buckets (default: .local/s3)",
    )
    parser.add_argument(
        "--assume-role", action="store_true", help="assume data-access roles through the endpoint's STS"
    )
    parser.add_argument("--workers", type=int, default=1, help="processes that train models")
    parser.add_argument("--settings", metavar="FILE", type=Path, help="JSON with the settings to change")
    options = parser.parse_args(arguments)
    settings = Settings.model_validate_json(options.settings.read_bytes()) if options.settings else Settings()
    service = Comprehend(storage=_storage(options), settings=settings, worker_processes=options.workers)
    http = server(service, port=options.port)
    for number in (signal.SIGINT, signal.SIGTERM):
        # shutdown waits for serve_forever, which runs in the very thread the signal interrupts.
        signal.signal(number, lambda *_: threading.Thread(target=http.shutdown).start())
    sys.stdout.write(f"Amazon Comprehend, local: http://127.0.0.1:{http.server_port}\n")
    sys.stdout.flush()
    try:
        http.serve_forever(poll_interval=0.1)
    finally:
        http.server_close()
        service.close()
    return 0


def _storage(options: argparse.Namespace) -> Storage:
    if options.s3_endpoint:
        return EndpointStorage(endpoint_url=options.s3_endpoint, assume_role=options.assume_role)
    return FolderStorage(root=options.s3_folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
