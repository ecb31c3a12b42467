"""Endpoints, whatever kind of model they serve, and the calls that they answer."""
