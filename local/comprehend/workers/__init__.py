"""Processes that do the computing."""
