"""Writes metrics as log lines in CloudWatch's embedded metric format, which needs no call and no permission."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from aws_lambda_powertools.metrics.provider.cloudwatch_emf.cloudwatch import AmazonCloudWatchEMFProvider

from flywheel.measurement import NAMESPACE, Measurement


def emit(measurements: Iterable[Measurement], *, flywheel_name: str) -> None:
    """One line for each set of dimensions."""
    lines: dict[tuple[tuple[str, str], ...], list[Measurement]] = defaultdict(list)
    for measurement in measurements:
        lines[tuple(sorted(measurement.dimensions.items()))].append(measurement)
    for dimensions, of_line in lines.items():
        # Without a service, because Powertools would add it as a dimension, which all alarms would have to name.
        line = AmazonCloudWatchEMFProvider(
            namespace=NAMESPACE, service="", default_dimensions={"Flywheel": flywheel_name, **dict(dimensions)}
        )
        for measurement in of_line:
            line.add_metric(name=measurement.name, unit=measurement.unit.value, value=measurement.value)
        line.flush_metrics()
