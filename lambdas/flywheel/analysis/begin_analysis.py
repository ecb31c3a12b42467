"""The first step of an analysis job: records its file versions, options and model, and divides the input into units."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flywheel.analysis.errors import NoActiveModel
from flywheel.analysis.inputs import find_input
from flywheel.records.analyses import BEGUN, AnalysisBeginning, Begun, InputFile, InputFormat, RunFolder, Segment, Unit

if TYPE_CHECKING:
    from flywheel.comprehend.active_model import ActiveModelService
    from flywheel.pipeline import Pipeline
    from flywheel.store.parameters import PublishedModels

MEGABYTE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class JobLimits:
    """The sizes of a job's units, parts and documents.

    Comprehend takes 5 GB and a million lines a job, and 10 MB a document (reference 2.10). A part is smaller than 5 GB,
    because one invocation has to join it with its text, in its time and on its disk.
    """

    part_bytes: int = 1000 * MEGABYTE
    part_documents: int = 1_000_000
    document_bytes: int = 10 * MEGABYTE
    unit_files: int = 5000


def begin_analysis(
    *,
    job: str,
    limits: JobLimits,
    now: datetime,
    pipeline: Pipeline,
) -> AnalysisBeginning:
    """Write the record once for the present files. Raises NoInput, InvalidOptions, NoActiveModel."""
    files: list[InputFile] = []
    found = find_input(pipeline.intake, job, into=files)
    folder = RunFolder(job, found.run)
    pipeline.intake.write(f"{BEGUN}{job}", Begun(run=found.run))
    known = pipeline.intake.read(folder.beginning, AnalysisBeginning)
    if known is not None:
        return known
    options = found.read_options(pipeline.intake)
    model_arn, flywheel_arn = _model(published=pipeline.published, service=pipeline.service)
    units = 0
    for unit in plan_units(files, format_=options.format, limits=limits):
        pipeline.intake.write(folder.plan(units), unit)
        units += 1
    pipeline.intake.write_json(folder.units, [{"job": job, "run": found.run, "unit": unit} for unit in range(units)])
    beginning = AnalysisBeginning(
        job=job,
        run=found.run,
        began_at=now,
        format=options.format,
        files=len(files),
        objects=found.objects,
        bytes=sum(file.size for file in files),
        newest=found.newest or now,
        units=units,
        model_arn=model_arn,
        flywheel_arn=flywheel_arn,
    )
    if pipeline.intake.write_once(folder.beginning, beginning):
        return beginning
    # Another execution of the same run began at the same time.
    return pipeline.intake.require(folder.beginning, AnalysisBeginning)


def _model(*, published: PublishedModels, service: ActiveModelService) -> tuple[str, str | None]:
    """The published model and its flywheel, which may be one of a former generation. An imported one has none."""
    arn = published.active()
    if arn is None:
        raise NoActiveModel(
            "No model is active yet: wait until a turn has promoted one (`flywheel status`), then start the job again."
        )
    model = service.models.describe(arn)
    if model is None or not model.trained:
        state = "is not there any more" if model is None else f"is {model.status}"
        raise NoActiveModel(f"The active model {arn} {state}: `flywheel models` shows which one to go back to.")
    return arn, service.flywheel_of(model)


def plan_units(files: Iterable[InputFile], *, format_: InputFormat, limits: JobLimits) -> Iterator[Unit]:
    """Divide the input into units of about equal size, in its order. Files of lines may be divided anywhere."""
    segments: list[Segment] = []
    size = 0
    for file in files:
        for segment in _segments(file, format_=format_, room=limits.part_bytes - size, most=limits.part_bytes):
            length = segment.end - segment.start
            if segments and (size + length > limits.part_bytes or len(segments) == limits.unit_files):
                yield Unit(segments=tuple(segments))
                segments, size = [], 0
            segments.append(segment)
            size += length
    if segments:
        yield Unit(segments=tuple(segments))


def _segments(file: InputFile, *, format_: InputFormat, room: int, most: int) -> Iterator[Segment]:
    """The segments of a file: one, unless the file is larger than a part. Then the first fills the present unit."""
    if format_ is InputFormat.FILES or file.size <= most:
        yield Segment(file=file, start=0, end=file.size)
        return
    start, end = 0, min(room, most) if room > 0 else most
    while start < file.size:
        yield Segment(file=file, start=start, end=min(end, file.size))
        start, end = end, end + most
