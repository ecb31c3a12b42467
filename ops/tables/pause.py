"""What `flywheel pause` and `flywheel resume` did, in words."""

from __future__ import annotations

from ops.verbs.pause import PauseResult, ResumeResult


def pause_sentence(result: PauseResult) -> str:
    because = f" ({result.pause.reason})" if result.pause.reason else ""
    if result.already:
        said = f"It was already paused by {result.pause.by}{because}."
    else:
        said = f"Paused{because}: no turn starts until `flywheel resume`."
    return f"{said} {result.running.turn} goes on to its end." if result.running else said


def resume_sentence(result: ResumeResult) -> str:
    if result.was is None:
        return "It was not paused; the pipeline looks for work now."
    return f"The pause by {result.was.by} has ended; the pipeline looks for work now."
