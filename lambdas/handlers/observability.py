"""Logging and tracing of every function, by Powertools. Logs carry no text of any document."""

from __future__ import annotations

from aws_lambda_powertools import Logger, Tracer

logger = Logger()
tracer = Tracer()
