"""Analysis jobs: whole files classified by Comprehend's batch operation, joined with their text again.

A job is a folder of the intake bucket. Its run is made of exactly the versions that lie in it; what a run makes on
the way lies below the run, under names that follow from its input, so that every step can be repeated.
"""
