"""What every verb works with: a flywheel that is deployed or to be deployed, how it is reached, and what can go wrong."""
