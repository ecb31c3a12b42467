"""The CDK stacks of the flywheel, one module per stack or construct, named after what it deploys."""
