from __future__ import annotations

import pytest

from flywheel.comprehend.model_kind import ModelType
from flywheel.preparation import LabelledDocument
from flywheel.records.review import ItemSource
from local import sample_letters
from local.sample_news import LABELS, Recipe, documents
from local.suspect_labels import find_suspects
from ops.deployment.errors import FileError

Row = tuple[tuple[str, ...], str]
CLASSIFIER, RECOGNIZER = ModelType.DOCUMENT_CLASSIFIER, ModelType.ENTITY_RECOGNIZER


def filed(rows: list[Row]) -> list[tuple[str, LabelledDocument]]:
    return [
        ("train.csv", LabelledDocument(line=line, labels=labels, text=text))
        for line, (labels, text) in enumerate(rows, start=1)
    ]


def rows_of(labelled: list[tuple[str, str]]) -> list[Row]:
    return [((label,), text) for label, text in labelled]


def mislabelled(rows: list[Row], *, every: int) -> set[int]:
    """Changes the rows; which ones."""
    wrong = set(range(0, len(rows), every))
    for place in wrong:
        (label,), text = rows[place]
        rows[place] = ((LABELS[(LABELS.index(label) + 1) % len(LABELS)],), text)
    return wrong


@pytest.mark.parametrize("multi_label", [False, True], ids=["MULTI_CLASS", "MULTI_LABEL"])
def test_wrong_labels_come_early(multi_label: bool) -> None:
    rows = rows_of(documents(Recipe(documents_per_label=40), seed=1))
    wrong = mislabelled(rows, every=16)
    found = find_suspects(filed(rows), model_type=CLASSIFIER, multi_label=multi_label)
    early = {suspect.document.line - 1 for suspect in found[: 2 * len(wrong)]}
    assert len(wrong & early) >= 0.5 * len(wrong)
    assert [suspect.rank for suspect in found] == sorted(suspect.rank for suspect in found)
    item = found[0].item
    assert item.source is ItemSource.TRAINING_DATA
    assert item.proposals[0].labels == found[0].document.labels != found[0].prediction.labels
    assert item.proposals[0].by == f"train.csv, line {found[0].document.line}"


def test_entities_that_somebody_overlooked_are_found() -> None:
    letters = sample_letters.letters(sample_letters.Recipe(letters=80), seed=1)
    rows: list[Row] = [(tuple(span.label for span in spans), text) for text, spans in letters]
    damaged = set(range(0, len(rows), 8))
    for place in damaged:
        rows[place] = ((), rows[place][1])
    found = find_suspects(filed(rows), model_type=RECOGNIZER, multi_label=False)
    assert len(damaged & {suspect.document.line - 1 for suspect in found}) >= 0.7 * len(damaged)


def test_no_text_is_answered_by_a_model_that_has_seen_it() -> None:
    rows = rows_of(documents(Recipe(documents_per_label=40), seed=2))
    wrong = mislabelled(rows, every=10)
    # Who has seen a text five times with a wrong label believes it.
    repeated = [*rows, *(rows[place] for place in wrong for _ in range(4))]
    found = find_suspects(filed(repeated), model_type=CLASSIFIER, multi_label=False)
    texts = {suspect.document.text for suspect in found}
    assert len({rows[place][1] for place in wrong} & texts) >= 0.5 * len(wrong)


def test_a_few_documents_are_not_enough() -> None:
    with pytest.raises(FileError, match="have 4 documents; 20 are needed"):
        find_suspects(filed([((label,), label) for label in LABELS]), model_type=CLASSIFIER, multi_label=False)
