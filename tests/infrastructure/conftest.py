from __future__ import annotations

import fcntl
from pathlib import Path
from typing import Any

import pytest

from tests.infrastructure.synthesised import Synthesised, run_app

KEY = "arn:aws:kms:eu-west-1:111122223333:key/00000000-1111-2222-3333-444455556666"
BOUNDARY = "arn:aws:iam::111122223333:policy/developers"
WEB_ACL = "arn:aws:wafv2:eu-west-1:111122223333:regional/webacl/api/00000000-1111-2222-3333-444455556666"
VARIANTS: dict[str, dict[str, Any]] = {
    "default": {},
    "new-key": {"encryption": "new", "mode": "MULTI_LABEL", "labels": "COMEDY,DRAMA", "name": "films"},
    "entities": {"name": "people", "model_type": "ENTITY_RECOGNIZER", "entity_types": "PERSON,PLACE"},
    "initial-model": {
        "initial_model_arn": "arn:aws:comprehend:us-east-1:111122223333:document-classifier/initial/version/first",
        "initial_model_data": ["s3://data-of-initial-model/train/"],
    },
    "import": {"name": "served", "role": "import"},
    "import-with-keys": {
        "name": "sealed",
        "role": "import",
        "encryption": "new",
        "source_key_arn": "arn:aws:kms:us-east-1:444455556666:key/00000000-1111-2222-3333-444455556666",
    },
    # Also the largest that there is: the longest name, the most labels.
    "organisation": {
        "name": f"{'organisation-with-the-longest-name-':x<54}",
        "labels": [f"LABEL {number:04d} {'x' * 79}" for number in range(1000)],
        "encryption": KEY,
        "permissions_boundary": BOUNDARY,
        "training_vpc": {"subnets": ["subnet-12345678"], "security_groups": ["sg-12345678"]},
        "functions_vpc": {"subnets": ["subnet-87654321"], "security_groups": ["sg-87654321"]},
        "reserved_concurrency": 5,
        "api_web_acl": WEB_ACL,
        # So the synthesis of this variant is also the test that each pack finds nothing.
        "nag_packs": ["Serverless", "NIST.800.53.R5", "HIPAA.Security", "PCI.DSS.321"],
        "tags": {"cost-centre": "4711", "owner": "news"},
        "powertools_layer_version": "3.36.0",
    },
}


class Synthesis:
    """Synthesises each variant once a test run, also with several pytest workers."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loaded: dict[str, Synthesised] = {}

    def __call__(self, variant: str) -> Synthesised:
        if variant not in self._loaded:
            outdir = self._folder / variant
            with (self._folder / f"{variant}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not (outdir / "manifest.json").exists():
                    finished = run_app(context=VARIANTS[variant], outdir=outdir, checked=True)
                    assert finished.returncode == 0, finished.stderr
            first = "import" if VARIANTS[variant].get("role") == "import" else "flywheel"
            stack = f"{VARIANTS[variant].get('name', 'news')}-{first}"
            self._loaded[variant] = Synthesised(folder=outdir, stack=stack)
        return self._loaded[variant]


@pytest.fixture(scope="session")
def default(synthesis: Synthesis) -> Synthesised:
    return synthesis("default")


@pytest.fixture(scope="session")
def new_key(synthesis: Synthesis) -> Synthesised:
    return synthesis("new-key")


@pytest.fixture(scope="session")
def entities(synthesis: Synthesis) -> Synthesised:
    return synthesis("entities")


@pytest.fixture(scope="session")
def initial_model(synthesis: Synthesis) -> Synthesised:
    return synthesis("initial-model")


@pytest.fixture(scope="session")
def organisation(synthesis: Synthesis) -> Synthesised:
    return synthesis("organisation")


@pytest.fixture(scope="session")
def importing_with_keys(synthesis: Synthesis) -> Synthesised:
    return synthesis("import-with-keys")


@pytest.fixture(scope="session")
def importing(synthesis: Synthesis) -> Synthesised:
    """Of a deployment that imports models."""
    return synthesis("import")


@pytest.fixture(scope="session", params=[name for name, settings in VARIANTS.items() if "role" not in settings])
def any_flywheel(synthesis: Synthesis, request: pytest.FixtureRequest) -> Synthesised:
    return synthesis(request.param)


@pytest.fixture(scope="session", params=list(VARIANTS))
def any_variant(synthesis: Synthesis, request: pytest.FixtureRequest) -> Synthesised:
    return synthesis(request.param)
