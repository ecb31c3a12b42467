"""How results look in a terminal; --json shows the same records as they are."""
