"""Analysis jobs: what a job of any kind reads and goes through, and the operations and the output of each kind."""
