"""Asks AWS, or the local Comprehend, what the documents leave open: `make conformance TARGET=aws|local`."""
