"""What can go wrong with the local cloud, each with a sentence that says what to do."""

from __future__ import annotations


class LocalCloudError(Exception):
    """Base of all errors below; its text is meant for a person."""


class PortTaken(LocalCloudError):
    """Another program listens on the port that was asked for."""


class AlreadyRunning(LocalCloudError):
    """A local cloud is up in this folder already."""


class CdkFailed(LocalCloudError):
    """A command of the CDK CLI failed; the text ends with what it wrote last."""
