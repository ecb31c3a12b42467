"""Step Functions: definitions, executions, and what their states may call."""
