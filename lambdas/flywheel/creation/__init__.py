"""A flywheel that begins with an existing model: created, changed and deleted for CloudFormation (decision 019)."""
