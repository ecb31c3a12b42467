"""What each verb does: a Python API that prints nothing and returns records."""
