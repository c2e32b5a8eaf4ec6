"""`posewire run`: people followed through pictures, recorded, streamed, shown."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from posewire import plugins, profiles
from posewire.capture.opening import is_folder
from posewire.cli.options import (
    Commands,
    add_fit_flags,
    add_json_flag,
    add_method_flags,
    add_publish_flags,
    add_settings_file,
    console,
    json_alone,
    print_json,
    remark,
    settings_of,
    warn_of_one_person,
)
from posewire.cli.recording import Summary, print_times, record
from posewire.errors import PosewireError, SettingsError
from posewire.methods import MethodCard
from posewire.output_path import check_new_file, check_take_name
from posewire.outputs import Output, Outputs, Pacer, StreamOutput, TakeOutput, open_stream
from posewire.pipeline import Pipeline, open_pipeline
from posewire.preview import PreviewWindow, PreviewWriter
from posewire.retarget import resolve_rig
from posewire.shell import typed
from posewire.skeleton import MARKERS

_EPILOG = """\
  posewire run clip.mp4 --out clip.pwt --preview seen.mp4   a take, and a film to look at
  posewire run clip.mp4 --out people.pwt --max-people 4     several people
  posewire run 0 --publish                                  stream the webcam; elsewhere: posewire listen
  posewire run 0 --publish --rig vrm --height 1.82          on another skeleton, in metres that are right
"""


def add_commands(commands: Commands) -> None:
    """Adds run."""
    parser = commands.add_parser(
        "run",
        help="video or camera to skeleton: record, stream, preview",
        description="From a video or camera to moving skeletons.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "source", metavar="SOURCE", help="video file, image folder, camera number or stream address; see `posewire sources`"
    )
    add_method_flags(parser)
    add_fit_flags(parser).add_argument("--calibrate", metavar="NAME", help="measure the person on this run and save a profile")
    parser.add_argument("--rate", type=float, metavar="HZ", help="images a second of an image folder, 1-1000 (default: 30)")
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
    _check_streaming(flags)
    if flags.rate is not None and not is_folder(Path(flags.source)):
        problem, hint = "--rate is of folders of images: every other source has its own times.", "leave --rate away"
        raise SettingsError(problem, got=f"--rate {flags.rate:g} with {flags.source}", allowed="a folder of images", hint=hint)
    if flags.out is not None:
        check_take_name(flags.out, "--out")
    if settings.calibrate is not None:
        profiles.path_of(settings.calibrate)  # a name that none can have is said now, not after the run
    for flag, path in _files(flags).items():
        check_new_file(path, flag, overwrite=flags.overwrite, source=flags.source)
    with json_alone(flags), open_pipeline(flags.source, settings) as pipeline:
        warn_of_one_person(pipeline.card, settings)
        _warn_of_other_points(pipeline.card)
        summary = _record_until_stopped(flags, pipeline)
        if settings.calibrate is not None:
            _save_profile(pipeline, settings.calibrate)
    if flags.json:
        print_json(summary)
        return
    print_times(pipeline)
    _say_what_was_kept(flags, summary)


def _check_streaming(flags: argparse.Namespace) -> None:
    """`--rig vrm --out take.pwt` would record what it records without --rig: rigs are of the stream."""
    for flag in ("--rig", "--fast", "--insecure", "--publish-picture"):
        if flags.publish is None and getattr(flags, flag[2:].replace("-", "_")):
            hint = typed("posewire", "run", flags.source, "--publish", flag) + (" NAME" if flag == "--rig" else "")
            raise SettingsError(f"{flag} changes nothing without --publish.", got=flag, allowed="with --publish", hint=hint)


def _files(flags: argparse.Namespace) -> dict[str, Path]:
    """The files to write, by their flags."""
    preview = None if flags.preview == "window" else flags.preview
    return {flag: Path(path) for flag, path in (("--out", flags.out), ("--preview", preview)) if path is not None}


def _record_until_stopped(flags: argparse.Namespace, pipeline: Pipeline) -> Summary:
    outputs = _outputs(flags, pipeline)
    try:
        return record(pipeline, outputs, flags.source)
    except KeyboardInterrupt:
        if kept := _files(flags).values():
            console.print(f"Kept, up to here: {', '.join(map(str, kept))}")
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
