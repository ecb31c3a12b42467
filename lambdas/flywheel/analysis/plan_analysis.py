"""Lists the parts to classify, after all units are split, with the number of lines before each part's unit."""

from __future__ import annotations

from flywheel.analysis.errors import UnitFailed
from flywheel.records.analyses import AnalysisBeginning, PartItem, RunFolder, Unit, UnitFacts, UnitFailure
from flywheel.store.bucket import IntakeBucket


def plan_analysis(*, job: str, run: str, intake: IntakeBucket) -> list[PartItem]:
    """List the parts in the order of the input, and write the list. Raises UnitFailed if a unit could not be split."""
    folder = RunFolder(job, run)
    beginning = intake.require(folder.beginning, AnalysisBeginning)
    items: list[PartItem] = []
    with_documents = 0
    line_base = 0
    for number in range(beginning.units):
        facts = intake.read(folder.unit(number), UnitFacts)
        if facts is None:
            known = intake.read(folder.unit_failure(number), UnitFailure)
            reason = known.reason if known else "the executions of SplitUnits say why. Start the job again."
            raise UnitFailed(f"Part of the input could not be split: {reason}")
        for part in facts.parts:
            items.append(PartItem(job=job, run=run, part=part.part, line_base=line_base, alone=False))
            with_documents += part.documents > 0
        line_base = _lines_before_next(intake.require(folder.plan(number), Unit), facts, line_base)
    if with_documents == 1:
        items = [item.model_copy(update={"alone": True}) for item in items]
    intake.write_json(folder.parts, [item.model_dump() for item in items])
    return items


def _lines_before_next(unit: Unit, facts: UnitFacts, line_base: int) -> int:
    """Lines of the file that continues in the next unit; 0 if none does."""
    last = unit.segments[-1]
    if not last.goes_on:
        return 0
    through = len(unit.segments) == 1 and last.start > 0
    return facts.lines_of_last + (line_base if through else 0)
