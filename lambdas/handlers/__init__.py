"""The Lambda functions, one module each: parse the event, call the domain, return the result."""
