"""The models that iterations trained: which one a request may use, and the operations on them."""
