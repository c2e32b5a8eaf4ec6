"""Commands that follow people through pictures: run and demo."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any, TypeAlias

from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from posewire import fit, plugins, profiles
from posewire.cli.options import (
    Commands,
    add_fit_flags,
    add_json_flag,
    add_method_flags,
    add_publish_flags,
    add_settings_file,
    console,
    counted,
    json_alone,
    print_json,
    remark,
    settings_of,
)
from posewire.errors import PosewireError, WireError
from posewire.methods import MethodCard
from posewire.outputs import Output, Outputs, Pacer, StreamOutput, TakeOutput, check_new_file, check_take_name, open_stream
from posewire.pipeline import Instant, Pipeline, open_pipeline
from posewire.preview import PreviewWindow, PreviewWriter
from posewire.retarget import resolve_rig
from posewire.settings import Settings
from posewire.shell import typed
from posewire.skeleton import MARKERS
from posewire.take import Take, export

Summary: TypeAlias = "dict[str, Any]"
"""What --json prints of a run: source, frames, last_time_s, person_ids, stages."""


def add_commands(commands: Commands) -> None:
    """Adds run and demo."""
    _add_run(commands)
    _add_demo(commands)


def _add_run(commands: Commands) -> None:
    parser = commands.add_parser(
        "run",
        help="video or camera to skeleton: record, stream, preview",
        description="From a video or camera to moving skeletons.",
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="video file, image folder, camera number or stream address; see `posewire sources`"
    )
    add_method_flags(parser)
    add_fit_flags(parser).add_argument("--calibrate", metavar="NAME", help="measure the person on this run and save a profile")
    recording = parser.add_argument_group("recording")
    recording.add_argument("--out", type=Path, metavar="TAKE", help="record to this take (.pwt)")
    recording.add_argument("--overwrite", action="store_true", help="replace existing files")
    recording.add_argument("--preview", metavar="FILE|window", help="write a preview video (.mp4), or show a window")
    add_publish_flags(parser, picture=True)
    add_settings_file(parser)
    add_json_flag(parser)
    parser.set_defaults(run=_run)


def _run(flags: argparse.Namespace) -> None:
    settings = settings_of(flags)
    for name in settings.rigs:
        resolve_rig(name, plugins.load().rigs.values())  # a wrong name is said at once, also by a run that does not publish
    if flags.out is not None:
        check_take_name(flags.out, "--out")
    if settings.calibrate is not None:
        profiles.path_of(settings.calibrate)  # a name that none can have is said now, not after the run
    for flag, path in (("--out", flags.out), ("--preview", None if flags.preview == "window" else flags.preview)):
        if path is not None:
            check_new_file(Path(path), flag, overwrite=flags.overwrite, source=flags.source)
    with json_alone(flags), open_pipeline(flags.source, settings) as pipeline:
        warn_of_one_person(pipeline.card, settings)
        _warn_of_other_points(pipeline.card)
        summary = _record_until_stopped(flags, pipeline)
        if settings.calibrate is not None:
            _save_profile(pipeline, settings.calibrate)
    if flags.json:
        print_json(summary)
        return
    _print_times(pipeline)
    _say_what_was_kept(flags, summary)


def _record_until_stopped(flags: argparse.Namespace, pipeline: Pipeline) -> Summary:
    outputs = _outputs(flags, pipeline)
    try:
        return _record(pipeline, outputs, flags.source)
    except KeyboardInterrupt:
        kept = [str(path) for path in (flags.out, None if flags.preview == "window" else flags.preview) if path is not None]
        if kept:
            console.print(f"Kept, up to here: {', '.join(kept)}")
        raise


def _say_what_was_kept(flags: argparse.Namespace, summary: Summary) -> None:
    """Where the files are, and what an artist types next."""
    if flags.out:
        export_it = typed("posewire", "export", flags.out, flags.out.with_suffix(".bvh"))
        console.print(f"Recorded: {flags.out}." + (f" Next: {export_it}" if summary["person_ids"] else ""))
    if flags.preview and flags.preview != "window":
        console.print(f"Preview: {flags.preview}")
    if not (flags.out or flags.preview or flags.calibrate or flags.publish is not None):
        console.print("Nothing was kept. Next: --out take.pwt records, --publish streams, --preview preview.mp4 shows.")


def warn_of_one_person(card: MethodCard, settings: Settings) -> None:
    """Says so where more people are wanted than the method sees."""
    if settings.max_people > 1 and not card.multi_person:
        remark(f"{card.name} sees one person,", f"not {settings.max_people}. Next: posewire methods")


def _warn_of_other_points(card: MethodCard) -> None:
    """Says so where the fit has nothing to go by."""
    if not set(card.joints) & set(MARKERS):
        remark(f"{card.name}'s keypoints are none of the skeleton's:", "they are recorded, and nobody is fitted.")


def _save_profile(pipeline: Pipeline, name: str) -> None:
    profile = pipeline.people.profile(name)
    if profile is None:
        raise PosewireError(
            "The person could not be measured.",
            got="fewer than 15 good views",
            allowed="a source in which somebody stands wholly in view",
        )
    console.print(f"Measured: {profile.height_m:.2f} m tall, saved to {profiles.save(profile)}. Next: --profile {name}")


def record_file(address: str, take: Path, settings: Settings) -> None:
    """Runs a source into a new take, with the progress bar."""
    with open_pipeline(address, settings) as pipeline:
        _record(pipeline, [TakeOutput(take, address, pipeline)], address)


def _outputs(flags: argparse.Namespace, pipeline: Pipeline) -> list[Output]:
    """The take comes last into being: what is refused before has not replaced an old one."""
    outputs: list[Output] = []
    try:
        for shown in _shown(flags, pipeline):
            outputs.append(shown)
        if flags.out:
            outputs.insert(0, TakeOutput(flags.out, flags.source, pipeline, overwrite=flags.overwrite))
    except PosewireError:
        Outputs(outputs).close()
        raise
    return outputs


def _shown(flags: argparse.Namespace, pipeline: Pipeline) -> Iterator[Output]:
    if flags.publish is not None:
        pacer = None if flags.fast or pipeline.source.live else Pacer()
        stream = open_stream(pipeline.settings, pipeline.card.name)
        console.print(f"Publishing at {stream.address}")
        yield StreamOutput(stream, pacer, pipeline, pictures=flags.publish_picture)
    title = f"{Path(flags.source).name}  {pipeline.card.name}"
    if flags.preview == "window":
        yield PreviewWindow(pipeline.card.joints, title=title)
    elif flags.preview:
        yield PreviewWriter(Path(flags.preview), pipeline.card.joints, title=title, overwrite=flags.overwrite)


def _record(pipeline: Pipeline, outputs: Sequence[Output], address: str) -> Summary:
    """Runs the pipeline into the outputs under a progress bar. Ctrl-C ends a live source as a person would want it."""
    together, frames, people, last_s = Outputs(outputs), 0, set[int](), 0.0
    try:
        fit.warm_up(console.print)
    except KeyboardInterrupt:
        together.close()
        raise
    with _progress(pipeline) as progress:
        task = progress.add_task(Path(address).name or address, total=pipeline.source.frame_count, people="")
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
    for problem in getattr(pipeline.source, "problems", ()):
        remark("source:", problem)
    stages = {"median_ms": pipeline.times.median_ms(), "p95_ms": pipeline.times.p95_ms()}
    return {"source": address, "frames": frames, "last_time_s": last_s, "person_ids": sorted(people), "stages": stages}


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


def _print_times(pipeline: Pipeline) -> None:
    table = Table("stage", "median ms", "95 % ms", box=None, pad_edge=False)
    p95 = pipeline.times.p95_ms()
    for stage, median in pipeline.times.median_ms().items():
        table.add_row(stage, f"{median:.2f}", f"{p95[stage]:.2f}")
    console.print("Time a frame (stages overlap on threads):", table, sep="\n")


def _add_demo(commands: Commands) -> None:
    parser = commands.add_parser(
        "demo",
        help="the whole pipeline on a bundled clip",
        description="Runs everything on a bundled clip, into ./posewire-demo/.",
    )
    parser.add_argument("--device", metavar="cpu|gpu", help="where the network runs (default: cpu)")
    parser.set_defaults(run=_demo)


_DEMO_NEXT = """
posewire-demo/ now holds
  demo.pwt   the take: everything that was seen and fitted
  demo.bvh   the motion, for Blender and other animation programs
  demo.mp4   the preview: what was seen, beside the skeleton from the side

Next
  look into the take   posewire info posewire-demo/demo.pwt
  your own video       posewire run clip.mp4 --out clip.pwt --preview seen.mp4
  your webcam, live    posewire run 0 --publish
  Blender              live, with the extension: docs/BLENDER.md; or
                       File > Import > Motion Capture: demo.bvh,
                       scale 0.01, Update Scene FPS
  Unreal               Live Link: docs/UNREAL.md; no compiling: docs/GATEWAY.md
  any stream           posewire replay posewire-demo/demo.pwt --publish --loop
                       and in another terminal: posewire listen
  Python               for pose in posewire.track("clip.mp4"):
                           print(pose.time_s, pose.root_m)
"""


def _demo(flags: argparse.Namespace) -> None:
    folder = Path("posewire-demo")
    settings = replace(Settings(), device=flags.device or "cpu")
    bundled = resources.files("posewire") / "assets" / "balancing_cam01.mp4"
    with resources.as_file(bundled) as clip, open_pipeline(clip, settings) as pipeline:
        folder.mkdir(exist_ok=True)
        outputs: list[Output] = [
            TakeOutput(folder / "demo.pwt", clip.name, pipeline, overwrite=True),
            PreviewWriter(folder / "demo.mp4", pipeline.card.joints, title="posewire demo", overwrite=True),
            *_demo_stream(pipeline),
        ]
        _record(pipeline, outputs, clip.name)
    export(Take.open(folder / "demo.pwt"), folder / "demo.bvh", overwrite=True)
    _print_times(pipeline)
    console.print(_DEMO_NEXT)


def _demo_stream(pipeline: Pipeline) -> list[Output]:
    try:
        stream = open_stream(pipeline.settings, pipeline.card.name)
    except WireError as error:  # most likely another Posewire is streaming; the demo is worth seeing all the same, and says so
        remark("The demo does not stream:", error)
        return []
    console.print(f"Publishing at {stream.address}")
    return [StreamOutput(stream, Pacer(), pipeline)]
