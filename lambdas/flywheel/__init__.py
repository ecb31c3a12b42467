"""The domain of the pipeline: uploads, datasets, iterations, decisions, promotion. Knows no Lambda events."""
