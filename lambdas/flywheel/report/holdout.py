"""The sections of a turn's page about the hold-out: both models' scores by label, and their confusions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flywheel.confidence import YES
from flywheel.records.decisions import LEAST_SUPPORT, ConfusedPair, HoldoutComparison, HoldoutResult
from flywheel.report.markup import Markup, element, join
from flywheel.report.tables import number, table

MOST_LABELS_IN_MATRIX = 60
"""A larger matrix could not be read: the most frequent confusions are listed instead."""
_MOST_NAMES_IN_HEADING = 8
"""With more labels the columns have numbers, which the rows show next to the names."""
_CONFUSIONS_LISTED = 30
_NOTHING = "no label"
_FEW_NAMED = 10


def holdout_sections(holdout: HoldoutComparison | None) -> Iterator[Markup]:
    """Empty if no model was scored."""
    if holdout is None or (holdout.candidate is None and holdout.active is None):
        return
    yield element("section", element("h2", "Label by label on the hold-out"), _by_label(holdout))
    results = [("candidate", holdout.candidate), ("active model", holdout.active)]
    matrices = [
        part
        for which, result in results
        if result is not None and result.confusions
        for part in (element("h3", f"The {which}"), _confusions(f"Confusions of the {which}", result))
    ]
    if matrices:
        yield element("section", element("h2", _confusion_title(results)), *matrices)


def _confusion_title(results: Sequence[tuple[str, HoldoutResult | None]]) -> str:
    most = max((len(result.labels) for _, result in results if result is not None), default=0)
    return "Confusion matrix" if most <= MOST_LABELS_IN_MATRIX else "Most frequent confusions"


def _by_label(holdout: HoldoutComparison) -> Markup:
    active = {score.label: score for score in holdout.active.labels} if holdout.active else {}
    candidate = {score.label: score for score in holdout.candidate.labels} if holdout.candidate else {}
    rows = []
    # Of the active model they would not be those that it answers with, which its own hold-out chose.
    thresholds = any(score.threshold is not None for score in candidate.values())
    for label, score in (candidate or active).items():
        mine, theirs = candidate.get(label), active.get(label)
        rows.append(
            element(
                "tr",
                element("th", element("bdi", label), scope="row", class_="words"),
                element("td", f"{score.support:,}", class_="number"),
                _score(theirs.f1 if theirs else None),
                _score(mine.f1 if mine else None),
                _gain(theirs.f1 if theirs else None, mine.f1 if mine else None),
                _score(theirs.precision if theirs else None),
                _score(mine.precision if mine else None),
                _score(theirs.recall if theirs else None),
                _score(mine.recall if mine else None),
                *([_score(mine.threshold if mine else None)] if thresholds else []),
            )
        )
    headings = [
        "Label",
        number("Documents"),
        number("F1, active"),
        number("F1, candidate"),
        number("Difference"),
        number("Precision, active"),
        number("Precision, candidate"),
        number("Recall, active"),
        number("Recall, candidate"),
        *([number("Threshold, candidate")] if thresholds else []),
    ]
    return element(
        "div",
        table("Label by label on the hold-out", headings, rows, caption=join(_notes(holdout), element("br"))),
        class_="by-label",
    )


def _notes(holdout: HoldoutComparison) -> Iterator[str]:
    cost = (
        f", whose predictions cost ${holdout.dollars:,.2f}" if holdout.dollars else ", already predicted and paid for"
    )
    yield f"Hold-out {holdout.holdout_id}: {holdout.documents:,} documents{cost}."
    for which, result in (("Active", holdout.active), ("Candidate", holdout.candidate)):
        if result is not None:
            macro, micro = result.macro, result.micro
            yield (
                f"{which}: accuracy {result.accuracy:.4f}; macro F1 {macro.f1:.4f}, precision {macro.precision:.4f}, "
                f"recall {macro.recall:.4f}; micro F1 {micro.f1:.4f}, precision {micro.precision:.4f}, "
                f"recall {micro.recall:.4f}{_hamming(result)}."
            )
            for code, documents in result.errors.items():
                yield f"{which}: {documents:,} documents could not be analysed ({code}) and count as wrong."
    yield from _about_thresholds(holdout.candidate)
    for which, result in (("active model", holdout.active), ("candidate", holdout.candidate)):
        yield from _about_ranking(which, result)
    interval = holdout.interval
    if interval is not None:
        yield (
            f"At confidence level {interval.confidence_level:g} the gain in {interval.metric} of "
            f"{interval.difference:+.4f} lies between {interval.low:+.4f} and {interval.high:+.4f}."
        )


def _hamming(result: HoldoutResult) -> str:
    return "" if result.hamming_loss is None else f"; hamming loss {result.hamming_loss:.4f}"


def _about_thresholds(result: HoldoutResult | None) -> Iterator[str]:
    scores = [score for score in result.labels if score.threshold is not None] if result else []
    if scores:
        yield (
            "A document has a label from the label's threshold on. It is chosen on this hold-out for the best F1; the "
            "scores are of answers at thresholds that other documents of it chose."
        )
    few = [score.label for score in scores if score.support < LEAST_SUPPORT]
    if few:
        named = ", ".join(few[:_FEW_NAMED])
        more = f" and {len(few) - _FEW_NAMED:,} more" if len(few) > _FEW_NAMED else ""
        yield f"With fewer than {LEAST_SUPPORT} documents a label keeps the threshold {YES:g}: {named}{more}."


def _about_ranking(which: str, result: HoldoutResult | None) -> Iterator[str]:
    ranking = result.ranking if result else None
    if ranking is not None:
        yield (
            f"Who looks first at the tenth of the documents of which the {which} is least certain finds "
            f"{ranking.worst_10:.0%} of its {ranking.errors:,} errors, and {ranking.worst_20:.0%} in a fifth; at "
            f"random it would be 10% and 20%. Area under the ROC curve: {ranking.area:.3f}, where chance gives 0.5."
        )


def _confusions(name: str, result: HoldoutResult) -> Markup:
    labels = [score.label for score in result.labels]
    if len(labels) > MOST_LABELS_IN_MATRIX:
        return _largest(name, result.confusions)
    return _matrix(name, labels, result.confusions)


def _matrix(name: str, labels: Sequence[str], pairs: Sequence[ConfusedPair]) -> Markup:
    """Rows are true labels, columns predicted ones. Darker cells are a larger share of their row."""
    counts = {(pair.true, pair.predicted): pair.documents for pair in pairs}
    supports = {label: sum(pair.documents for pair in pairs if pair.true == label) for label in labels}
    columns: list[str | None] = [*labels, *([None] if any(pair.predicted is None for pair in pairs) else [])]
    named = len(labels) <= _MOST_NAMES_IN_HEADING
    headings = [
        element("th", "True \u2193, predicted \u2192", scope="col"),
        *(
            element(
                "th",
                element("bdi", _NOTHING if label is None else label if named else str(place)),
                scope="col",
                class_="number",
                title=_NOTHING if label is None else label,
            )
            for place, label in enumerate(columns, start=1)
        ),
    ]
    rows = [
        element(
            "tr",
            element("th", *([] if named else [f"{place} "]), element("bdi", label), scope="row"),
            *(_cell(label, column, counts.get((label, column), 0), supports[label]) for column in columns),
        )
        for place, label in enumerate(labels, start=1)
    ]
    return element("div", table(name, headings, rows), class_=f"confusion {'few' if named else 'many'}")


def _cell(true: str, predicted: str | None, documents: int, support: int) -> Markup:
    if not documents:
        return element("td", class_="number")
    share = documents / support
    said = _NOTHING if predicted is None else predicted
    return element(
        "td",
        f"{documents:,}",
        class_=f"number {'right' if true == predicted else 'wrong'}",
        style=f"--share:{100 * share:.0f}%",
        title=f"{true} taken for {said}: {documents:,} of {support:,}",
    )


def _largest(name: str, pairs: Sequence[ConfusedPair]) -> Markup:
    wrong = sorted(
        (pair for pair in pairs if pair.true != pair.predicted),
        key=lambda pair: (-pair.documents, pair.true, pair.predicted or ""),
    )
    rows = [
        element(
            "tr",
            element("th", element("bdi", pair.true), scope="row", class_="words"),
            element("td", element("bdi", pair.predicted or _NOTHING), class_="words"),
            element("td", f"{pair.documents:,}", class_="number"),
        )
        for pair in wrong[:_CONFUSIONS_LISTED]
    ]
    left = len(wrong) - len(rows)
    caption = f"And {left:,} pairs more with fewer documents." if left > 0 else ""
    return table(name, ("Label", "Taken for", number("Documents")), rows, caption=caption)


def _score(value: float | None) -> Markup:
    return element("td", "\u2013" if value is None else f"{value:.4f}", class_="number")


def _gain(active: float | None, candidate: float | None) -> Markup:
    if active is None or candidate is None:
        return element("td", "\u2013", class_="number")
    gain = round(candidate - active, 4)
    way = " up" if gain > 0 else " down" if gain < 0 else ""
    return element("td", f"{gain:+.4f}" if gain else "0.0000", class_=f"number{way}")
