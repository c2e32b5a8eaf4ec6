"""`posewire demo`: the whole pipeline on a bundled clip."""

from __future__ import annotations

import argparse
from dataclasses import replace
from importlib import resources
from pathlib import Path

from posewire.cli.options import Commands, console, remark
from posewire.cli.recording import print_times, record
from posewire.errors import WireError
from posewire.outputs import Output, Pacer, StreamOutput, TakeOutput, open_stream
from posewire.pipeline import Pipeline, open_pipeline
from posewire.preview import PreviewWriter
from posewire.settings import Settings
from posewire.take import Take, export


def add_commands(commands: Commands) -> None:
    """Adds demo."""
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
        record(pipeline, outputs, clip.name)
    export(Take.open(folder / "demo.pwt"), folder / "demo.bvh", overwrite=True)
    print_times(pipeline)
    console.print(_DEMO_NEXT)


def _demo_stream(pipeline: Pipeline) -> list[Output]:
    try:
        stream = open_stream(pipeline.settings, pipeline.card.name)
    except WireError as error:  # most likely another Posewire is streaming; the demo is worth seeing all the same, and says so
        remark("The demo does not stream:", error)
        return []
    console.print(f"Publishing at {stream.address}")
    return [StreamOutput(stream, Pacer(), pipeline)]
