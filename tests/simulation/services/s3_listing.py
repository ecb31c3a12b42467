"""S3's lists of objects and of versions, a page at a time."""

from __future__ import annotations

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any

from tests.simulation.api import ApiError
from tests.simulation.services.s3_buckets import Bucket, Version, number_of

MOST_KEYS = 1000
"""On a page, whatever is asked for."""
_REPEATED = ("Delimiter", "ContinuationToken", "StartAfter")
_LAST_CHARACTER = "\U0010ffff"


def end_of(keys: Sequence[str], prefix: str) -> int:
    """Where those that begin with `prefix` end."""
    rest = prefix.rstrip(_LAST_CHARACTER)
    return bisect_left(keys, rest[:-1] + chr(ord(rest[-1]) + 1)) if rest else len(keys)


def below(keys: Sequence[str], prefix: str) -> Sequence[str]:
    return keys[bisect_left(keys, prefix) : end_of(keys, prefix)]


def list_objects(bucket: Bucket, parameters: Mapping[str, Any], *, at_most: int) -> dict[str, Any]:
    """The answer of ListObjectsV2, with at most so many keys and common prefixes."""
    prefix = parameters.get("Prefix", "")
    delimiter = parameters.get("Delimiter", "")
    if delimiter and "StartAfter" in parameters:
        raise NotImplementedError("The simulation's S3 does not know whether a list may start within a folder.")
    asked = min(parameters.get("MaxKeys", MOST_KEYS), MOST_KEYS)
    answer: dict[str, Any] = {
        "IsTruncated": False,
        "Name": bucket.name,
        "Prefix": prefix,
        "MaxKeys": asked,
        "EncodingType": "url",
    }
    answer |= {
        name: parameters[name] for name in ("Delimiter", "ContinuationToken", "StartAfter") if name in parameters
    }
    keys = bucket.live
    position, end = bisect_left(keys, prefix), end_of(keys, prefix)
    if "ContinuationToken" in parameters:
        after = _read_token(parameters["ContinuationToken"])
        ends_a_folder = bool(delimiter) and after.endswith(delimiter) and len(after) > len(prefix)
        position = max(position, end_of(keys, after) if ends_a_folder else bisect_right(keys, after))
    elif "StartAfter" in parameters:
        position = max(position, bisect_right(keys, parameters["StartAfter"]))
    room = min(asked, at_most)
    contents: list[dict[str, Any]] = []
    folders: list[dict[str, str]] = []
    last = ""
    while position < end and len(contents) + len(folders) < room:
        last = keys[position]
        cut = last.find(delimiter, len(prefix)) if delimiter else -1
        if cut >= 0:
            last = last[: cut + len(delimiter)]
            folders.append({"Prefix": last})
            position = end_of(keys, last)
        else:
            contents.append(_listed(bucket.stacks[last][-1]))
            position += 1
    if contents:
        answer["Contents"] = contents
    if folders:
        answer["CommonPrefixes"] = folders
    answer["KeyCount"] = len(contents) + len(folders)
    # Of no keys at all S3 says that they are complete.
    if position < end and room:
        answer |= {"IsTruncated": True, "NextContinuationToken": _token(last)}
    return answer


def list_versions(bucket: Bucket, parameters: Mapping[str, Any], *, at_most: int) -> dict[str, Any]:
    """The answer of ListObjectVersions, without owners, with at most so many versions and delete markers."""
    prefix = parameters.get("Prefix", "")
    asked = min(parameters.get("MaxKeys", MOST_KEYS), MOST_KEYS)
    key_marker, version_marker = parameters.get("KeyMarker", ""), parameters.get("VersionIdMarker", "")
    answer: dict[str, Any] = {
        "IsTruncated": False,
        "KeyMarker": key_marker,
        "VersionIdMarker": version_marker,
        "Name": bucket.name,
        "Prefix": prefix,
        "MaxKeys": asked,
        "EncodingType": "url",
    }
    room = min(asked, at_most)
    page: list[Version] = []
    keys = bucket.keys
    end = end_of(keys, prefix)
    start = bisect_left if version_marker else bisect_right
    position = max(bisect_left(keys, prefix), start(keys, key_marker) if key_marker else 0)
    while position < end and len(page) <= room:
        stack = bucket.stacks[keys[position]]
        of_marker = version_marker and keys[position] == key_marker
        page.extend(reversed(_older(stack, version_marker) if of_marker else stack))
        position += 1
    if len(page) > room > 0:
        last = page[room - 1]
        answer |= {"IsTruncated": True, "NextKeyMarker": last.key, "NextVersionIdMarker": last.version_id}
    del page[room:]
    for version in page:
        member = "DeleteMarkers" if version.is_marker else "Versions"
        shown: dict[str, Any] = {} if version.is_marker else _listed(version)
        shown |= {
            "Key": version.key,
            "VersionId": version.version_id,
            "IsLatest": bucket.stacks[version.key][-1] is version,
            "LastModified": version.modified,
        }
        answer.setdefault(member, []).append(shown)
    return answer


def _older(stack: Sequence[Version], marker: str) -> Sequence[Version]:
    """Those before a version, which may have been deleted since the page that ended with it."""
    for position, version in enumerate(stack):
        if version.version_id == marker:
            return stack[:position]
    number = number_of(marker)
    return [version for version in stack if number is not None and version.number < number]


def _listed(version: Version) -> dict[str, Any]:
    return {
        "Key": version.key,
        "LastModified": version.modified,
        "ETag": version.etag,
        "Size": len(version.body),
        "StorageClass": "STANDARD",
    }


def _token(last: str) -> str:
    return "1" + base64.b64encode(last.encode()).decode()


def _read_token(token: str) -> str:
    try:
        return base64.b64decode(token.removeprefix("1"), validate=True).decode()
    except ValueError as error:
        raise ApiError("InvalidArgument", "The continuation token provided is incorrect") from error
