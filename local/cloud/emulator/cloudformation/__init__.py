"""CloudFormation: what templates may say, and how stacks and resources are made."""
