"""How well a model finds the entities of test documents: a find counts when begin, end and type are right."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from local.comprehend.entity_recognition.metrics import Counts, Evaluation
from local.comprehend.entity_recognition.recognizer import Recognizer
from local.comprehend.entity_recognition.training_data import Document


def evaluate(model: Recognizer, documents: Sequence[Document], *, types: Sequence[str]) -> Evaluation:
    """Score the model on the documents, over those of the types that occur in them or that it found in them."""
    right, wrong, missed = Counter[str](), Counter[str](), Counter[str]()
    perfect = 0
    for document in documents:
        actual, found = set(document.entities), {each.entity for each in model.find(document.text)}
        perfect += actual == found
        right.update(entity.type for entity in actual & found)
        wrong.update(entity.type for entity in found - actual)
        missed.update(entity.type for entity in actual - found)
    return Evaluation(
        test_documents=len(documents),
        accuracy=perfect / len(documents) if documents else 0.0,
        per_type={
            type_: Counts(right=right[type_], wrong=wrong[type_], missed=missed[type_])
            for type_ in types
            if right[type_] or wrong[type_] or missed[type_]
        },
    )
