"""How well a recognizer finds entities: strict scores, where an entity is right if its span and its type both are.

Entities are strings, `begin:end:type` (`flywheel.spans`), so that equal strings are equal entities. Scores over all
types together are micro averages, the rule of CoNLL's `conlleval`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from .errors import NothingToScore
from .label_places import LabelSet
from .metrics import Average, Confusion, Evaluation, label_score, macro_average, scores_of


def type_of(entity: str) -> str:
    return entity.split(":", 2)[2]


def _place_of(entity: str) -> tuple[str, ...]:
    return tuple(entity.split(":", 2)[:2])


def evaluate_entities(truths: Sequence[LabelSet], answers: Sequence[LabelSet], *, types: Sequence[str]) -> Evaluation:
    """Score answers to documents whose entities are known, one set for each document.

    `accuracy` is the share of documents whose entities are all right and no others. A type's `support` counts entities.
    `confusions` are of spans that have an entity in both: the type against the one given, None for one not found.

    Raises NothingToScore without documents.
    """
    if not truths:
        raise NothingToScore
    hits, predicted, support = (Counter[str]() for _ in range(3))
    pairs: Counter[tuple[str, str | None]] = Counter()
    right = 0
    for truth, answer in zip(truths, answers, strict=True):
        right += truth == answer
        hits.update(map(type_of, truth & answer))
        predicted.update(map(type_of, answer))
        support.update(map(type_of, truth))
        given = {_place_of(entity): type_of(entity) for entity in answer}
        for entity in truth:
            pairs[type_of(entity), given.get(_place_of(entity))] += 1
    by_type = tuple(label_score(name, hits[name], predicted[name], support[name]) for name in types)
    # A type outside the list is a wrong answer.
    together = scores_of(sum(hits.values()), sum(predicted.values()), sum(support.values()))
    return Evaluation(
        documents=len(truths),
        accuracy=right / len(truths),
        macro=macro_average(by_type),
        micro=together,
        labels=by_type,
        confusions=tuple(
            Confusion(true=true, predicted=answer, documents=count)
            for (true, answer), count in sorted(pairs.items(), key=lambda pair: _order(pair[0], types))
        ),
        average=Average.MICRO,
    )


def _order(pair: tuple[str, str | None], types: Sequence[str]) -> tuple[int, int]:
    places = {name: place for place, name in enumerate(types)}
    return places.get(pair[0], len(types)), len(types) + 1 if pair[1] is None else places.get(pair[1], len(types))
