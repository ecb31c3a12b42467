"""What all operations do with a request: check it, find what it names, page, tag, answer it only once."""
