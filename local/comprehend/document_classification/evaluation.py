# mypy: allow-untyped-calls
"""How well a model answers test documents: the figures of ClassifierMetadata and of the confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    hamming_loss,
    multilabel_confusion_matrix,
    precision_recall_fscore_support,
)
from sklearn.preprocessing import MultiLabelBinarizer

from local.comprehend.document_classification.classifier import Classifier
from local.comprehend.document_classification.metrics import Evaluation
from local.comprehend.document_classification.training_data import Document


def evaluate(model: Classifier, documents: Sequence[Document]) -> Evaluation:
    """Score the model on the documents, over every label that the model knows or the documents carry."""
    labels = sorted({*model.labels, *(label for document in documents for label in document.labels)})
    predicted = model.predict([document.text for document in documents])
    binarizer = MultiLabelBinarizer(classes=labels)
    actual_flags = binarizer.fit_transform([document.labels for document in documents])
    predicted_flags = binarizer.transform(predicted)
    macro = precision_recall_fscore_support(actual_flags, predicted_flags, average="macro", zero_division=0)
    micro = precision_recall_fscore_support(actual_flags, predicted_flags, average="micro", zero_division=0)
    if model.multi_label:
        counts = multilabel_confusion_matrix(actual_flags, predicted_flags)
        loss = float(hamming_loss(actual_flags, predicted_flags))
    else:
        actual = [document.labels[0] for document in documents]
        counts = confusion_matrix(actual, [labels_[0] for labels_ in predicted], labels=labels)
        loss = float(hamming_loss(actual, [labels_[0] for labels_ in predicted]))
    return Evaluation(
        test_documents=len(documents),
        accuracy=float(accuracy_score(actual_flags, predicted_flags)),
        precision=float(macro[0]),
        recall=float(macro[1]),
        f1=float(macro[2]),
        micro_precision=float(micro[0]),
        micro_recall=float(micro[1]),
        micro_f1=float(micro[2]),
        hamming_loss=loss,
        matrix={
            "type": "multi_label" if model.multi_label else "multi_class",
            "confusion_matrix": counts.tolist(),
            "labels": labels,
            "all_labels": labels,
        },
    )
