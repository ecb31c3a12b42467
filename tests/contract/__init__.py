"""The local Comprehend through boto3 over HTTP: everything here would hold against the API's own model."""
