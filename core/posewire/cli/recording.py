"""Runs an open pipeline into outputs under a progress bar."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, TypeAlias

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from posewire import fit
from posewire.cli.options import console, counted, remark
from posewire.errors import SourceError
from posewire.outputs import Output, Outputs, TakeOutput
from posewire.pipeline import Instant, Pipeline, open_pipeline
from posewire.settings import Settings
from posewire.shell import typed

Summary: TypeAlias = "dict[str, Any]"
"""What --json prints of a run: source, frames, last_time_s, person_ids, stages."""


def record_file(address: str, take: Path, settings: Settings, *, title: str | None = None) -> None:
    """Runs a source into a new take, with the progress bar."""
    with open_pipeline(address, settings) as pipeline:
        record(pipeline, [TakeOutput(take, address, pipeline)], address, title=title)


def record(pipeline: Pipeline, outputs: Sequence[Output], address: str, *, title: str | None = None) -> Summary:
    """Runs the pipeline into the outputs under a progress bar. Ctrl-C ends a live source as a person would want it.

    Args:
        title: What stands beside the bar; None = the source's name.

    Raises:
        SourceError: a file was read to its end and gave not one picture.
    """
    frames, people, last_s = 0, set[int](), 0.0
    with closing(Outputs(outputs)) as together, _warm(pipeline) as progress:
        task = progress.add_task(title or Path(address).name or address, total=pipeline.source.frame_count, people="")
        try:
            for instant in pipeline:
                pipeline.times.timed("output", lambda instant=instant: together.add(instant))
                frames, last_s = frames + 1, instant.frame.time_s
                people.update(pose.person_id for pose in instant.poses)
                progress.update(task, completed=frames, people=_people(instant))
        except KeyboardInterrupt:
            if not pipeline.source.live:
                raise
        finally:
            together.close()
        if people:
            progress.update(task, people=f"{counted(len(people), 'person', 'people')} in all")
    problems = list(getattr(pipeline.source, "problems", ()))
    if not frames and not pipeline.source.live:
        hint = f"does another player show it? {typed('ffmpeg', '-i', address, 'clip.mp4')}"
        raise SourceError(f"Not one picture of {address} can be read.", got="; ".join(problems) or "no frames", hint=hint)
    for problem in problems:
        remark("source:", problem)
    stages = {"median_ms": pipeline.times.median_ms(), "p95_ms": pipeline.times.p95_ms()}
    return {"source": address, "frames": frames, "last_time_s": last_s, "person_ids": sorted(people), "stages": stages}


def _warm(pipeline: Pipeline) -> Progress:
    """The progress bar, once the fit is compiled."""
    fit.warm_up(console.print)
    return _progress(pipeline)


class _Speed(ProgressColumn):
    """Frames a second so far."""

    def render(self, task: Task) -> Text:
        # Not task.speed: the first frames wait for the calibration and then come all at once.
        elapsed_s = task.finished_time or task.elapsed
        return Text(f"{task.completed / elapsed_s:.1f} fps" if task.completed and elapsed_s else "")


def _progress(pipeline: Pipeline) -> Progress:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), _Speed())
    return Progress(*columns, TextColumn("{task.fields[people]}"), _Status(pipeline), console=console)


class _Status(ProgressColumn):
    """What a live source says of itself: connected, or lost and retrying."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self._source = pipeline.source

    def render(self, task: Task) -> Text:
        return Text(getattr(self._source, "status", ""))


def _people(instant: Instant) -> str:
    if instant.poses:
        return counted(len(instant.poses), "person", "people")
    seen = sum(not track.missed_frames for track in instant.tracks)
    return f"{counted(seen, 'person', 'people')}, not fitted" if seen else "nobody seen"


def print_times(pipeline: Pipeline) -> None:
    """What each stage took, as a table."""
    table = Table("stage", "median ms", "95 % ms", box=None, pad_edge=False)
    p95 = pipeline.times.p95_ms()
    for stage, median in pipeline.times.median_ms().items():
        table.add_row(stage, f"{median:.2f}", f"{p95[stage]:.2f}")
    console.print("Time a frame (stages overlap on threads):", table, sep="\n")
