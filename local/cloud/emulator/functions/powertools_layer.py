"""AWS's public Powertools layer, and the public parameters that name it.

The layer is empty but for a note: the functions' interpreter holds the packages (see `local.cloud.pinned_environment`).
"""

from __future__ import annotations

import base64
import io
import re
import threading
import zipfile
from typing import Any

from local.cloud.emulator.ministack import lambda_svc, responses, ssm

_PUBLISHER = "017000801446"
_PARAMETER = re.compile(
    r"/aws/service/powertools/python/(?P<architecture>arm64|x86_64)/(?P<runtime>python3\.\d+)/(?P<version>latest|\d+\.\d+\.\d+)"
)

_publishing = threading.Lock()


def teach() -> None:
    """PutParameter refuses names below `/aws`, so the parameters are answered where MiniStack looks for public ones."""
    original = ssm._public_parameter

    def public_parameter(name: str) -> Any:
        match = _PARAMETER.fullmatch(name)
        if match is None:
            return original(name)
        arn = _layer_version(**match.groupdict())
        return {
            "Name": name,
            "Type": "String",
            "Value": arn,
            "Version": 1,
            "LastModifiedDate": 1728518400,
            "ARN": f"arn:aws:ssm:{responses.get_region()}::parameter{name}",
        }

    ssm._public_parameter = public_parameter


def _layer_version(*, architecture: str, runtime: str, version: str) -> str:
    """The ARN in the current Region of the layer's version for that release of Powertools, published there when it is
    first asked for."""
    region = responses.get_region()
    name = f"AWSLambdaPowertoolsPythonV3-{runtime.replace('.', '')}-{architecture}"
    with _publishing, responses.request_scope(_PUBLISHER, region):
        published = lambda_svc._layers.get(name, {"versions": []})["versions"]
        found = next((layer for layer in published if layer["Description"] == version), None)
        if found is None:
            lambda_svc._publish_layer_version(
                name,
                {
                    "Description": version,
                    "Content": {"ZipFile": base64.b64encode(_content()).decode()},
                    "CompatibleRuntimes": [runtime],
                    "CompatibleArchitectures": [architecture],
                },
            )
            found = lambda_svc._layers[name]["versions"][-1]
            found["_policy"]["Statement"].append(
                {
                    "Sid": "public",
                    "Effect": "Allow",
                    "Principal": "*",
                    "Action": "lambda:GetLayerVersion",
                    "Resource": "*",
                }
            )
    return f"arn:aws:lambda:{region}:{_PUBLISHER}:layer:{name}:{found['Version']}"


def _content() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as layer:
        layer.writestr(
            "python/powertools-layer.txt", "The local cloud's functions have Powertools in their interpreter.\n"
        )
    return archive.getvalue()
