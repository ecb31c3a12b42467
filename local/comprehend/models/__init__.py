"""Models, trained by iterations or without a flywheel: which one a request may use, and the operations on them."""
