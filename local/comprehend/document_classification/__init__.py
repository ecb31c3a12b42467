"""What is particular to models that classify documents: their training data, the model, its evaluation.

`entity_recognition` has the same modules for the other kind of model.
"""
