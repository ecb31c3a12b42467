"""Flywheels with their datasets, iterations and data lake."""
