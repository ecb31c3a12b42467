"""Analysis jobs: classify whole files with Comprehend's asynchronous jobs, and join the predictions with the text.

A job is a folder of the intake bucket. A run of it is identified by the object versions in the folder. The keys of a
run's intermediate objects follow from its input, so that every step can be repeated.
"""
