"""What is particular to models that recognize entities: their training data, the model, its evaluation."""
