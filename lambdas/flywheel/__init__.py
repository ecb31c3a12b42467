"""The domain of the pipeline: uploads, datasets, turns, decisions, promotions, serving. Knows no Lambda events."""
