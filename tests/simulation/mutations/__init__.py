"""Faults put into the product one by one: the simulation must find each."""
