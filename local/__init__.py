"""The local cloud: an AWS emulator and a local Amazon Comprehend, in which the unchanged app is deployed and runs."""
