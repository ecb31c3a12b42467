"""What is particular to models that classify documents: their training data, the model, its evaluation.

Another kind of model gets a package like this one, with the same modules.
"""
