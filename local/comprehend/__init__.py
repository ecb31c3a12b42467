"""A local Amazon Comprehend: the service's API, its states and data lake, and real training, on one machine."""
