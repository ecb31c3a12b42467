"""The verbs of `flywheel`, one module a group: options in, one call of the Python API, a table or JSON out."""
