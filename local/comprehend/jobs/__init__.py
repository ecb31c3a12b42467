"""Analysis jobs: what a job of any kind reads and goes through, and the operations on jobs."""
