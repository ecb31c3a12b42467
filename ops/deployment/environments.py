"""The environments in a cloud assembly: what a deployment from it needs, and whether it is of the sources here."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from ops.deployment.errors import NotSynthesisedError, UnknownEnvironmentError
from ops.deployment.given_parameters import near
from ops.deployment.published import SETTINGS_FILE, environments_in, read_context

ASSEMBLY = "cdk.out"
ENVIRONMENTS_FILE = "environments.json"
SOURCES = ("app.py", SETTINGS_FILE, "lambdas", "requirements.txt", "stacks")
"""What templates and the functions' code are made of."""


class SynthesisedEnvironment(BaseModel):
    model_config = ConfigDict(frozen=True)

    flywheel: str
    """The setting `name`."""
    role: Literal["train", "import"]
    account: str
    region: str
    folder: str
    """With its templates, in the assembly."""
    parameters: tuple[str, ...]
    """As the CDK CLI takes them: `news-serving:InferenceUnits=1`."""


class SynthesisedEnvironments(BaseModel):
    """Travels with the assembly: who deploys it needs no more than this, and what it was made of."""

    model_config = ConfigDict(frozen=True)

    sources: dict[str, str]
    """By name in SOURCES: a digest of the contents. Times would say nothing: a checkout and an artifact that is
    unpacked have those of that moment."""
    environments: dict[str, SynthesisedEnvironment]


def digests(folder: Path) -> dict[str, str]:
    """Of each of SOURCES that is in the folder."""
    return {name: _digest(folder / name) for name in SOURCES if (folder / name).exists()}


def write_environments(assembly: Path, environments: SynthesisedEnvironments | None) -> None:
    """None: the assembly has none, and an earlier one's are forgotten."""
    path = assembly / ENVIRONMENTS_FILE
    if environments is None:
        path.unlink(missing_ok=True)
    else:
        path.write_text(environments.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_environments(assembly: Path) -> Mapping[str, SynthesisedEnvironment]:
    """Empty if the assembly has none. Raises NotSynthesisedError if an earlier version made it."""
    found = _read(assembly)
    return found.environments if found else {}


def find_environment(folder: Path, name: str) -> SynthesisedEnvironment:
    """The environment `name` of the `cdk.out` in `folder`.

    Raises NotSynthesisedError if there is no assembly or its sources were changed, and UnknownEnvironmentError.
    """
    assembly = folder / ASSEMBLY
    if not (assembly / "manifest.json").is_file():
        raise NotSynthesisedError(f"There are no templates in {ASSEMBLY}: run `make synth` first.")
    found = _read(assembly)
    if found is None:
        here = environments_in(read_context(folder))
        advice = "run `make synth` again" if here else f'{SETTINGS_FILE} names none (context key "environments")'
        raise NotSynthesisedError(f"{ASSEMBLY} holds no environments: {advice}.")
    now = digests(folder)
    changed = sorted(each for each in now.keys() | found.sources.keys() if now.get(each) != found.sources.get(each))
    if changed:
        raise NotSynthesisedError(
            f"{ASSEMBLY} is older than what is here ({', '.join(changed)} changed since): run `make synth` again, and "
            "look at `make diff`."
        )
    if name not in found.environments:
        raise UnknownEnvironmentError(name, hint=near(name, list(found.environments)))
    return found.environments[name]


def with_given(own: Iterable[str], given: Iterable[str]) -> list[str]:
    """An environment's own parameters, with those that were `given` in their place."""
    given = list(given)
    replaced = {each.partition("=")[0] for each in given}

    def kept(parameter: str) -> bool:
        name = parameter.partition("=")[0]
        return name not in replaced and name.partition(":")[2] not in replaced

    return [*filter(kept, own), *given]


def _read(assembly: Path) -> SynthesisedEnvironments | None:
    path = assembly / ENVIRONMENTS_FILE
    if not path.is_file():
        return None
    try:
        return SynthesisedEnvironments.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as error:
        raise NotSynthesisedError(f"{path} is not what this version writes: run `make synth` again.") from error


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for file in _files(path):
        # With lengths: else what moves from one file to the next would go unseen.
        content = file.read_bytes()
        digest.update(f"{file.relative_to(path.parent).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    else:
        for each in sorted(path.rglob("*")):
            if each.is_file() and each.suffix != ".pyc" and not each.name.startswith("."):
                yield each
