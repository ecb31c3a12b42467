"""What every verb works with: a flywheel that is deployed, or would be, how it is reached, and what can go wrong."""
