"""A local Amazon Comprehend: the service's API, its states and data lake, and real training, on one machine.

`service` knows every operation. What differs by kind of model stands in `document_classification` and in the modules of
`models`, `jobs` and `endpoints` that are named after an operation or a type of model; all else is for any kind.
"""
