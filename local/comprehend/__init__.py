"""A local Amazon Comprehend: the service's API, its states and data lake, and real training, on one machine.

It stands on its own (``python -m local.comprehend --port 4567``) and needs no emulator of other services.
"""
