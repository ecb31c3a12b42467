"""The CDK stacks of the flywheel: a folder for each wing, and `constructs`, which knows none of them."""
