"""A local Amazon Comprehend: the service's API, its states and data lake, and real training, on one machine.

`service` knows every operation. What differs by kind of model stands in `document_classification` and
`entity_recognition`, behind the interface in `model_kind`; all else is for any kind.
"""
