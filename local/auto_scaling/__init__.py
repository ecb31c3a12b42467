"""Application Auto Scaling of Comprehend endpoints, for development: `service.AutoScaling`."""
