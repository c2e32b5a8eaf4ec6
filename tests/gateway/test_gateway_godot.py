"""The Godot examples in real Godot, without a window: its skeleton points where the person does."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import numpy as np
import pytest
from gateway_samples import angle_deg, free_port, moment, pose, until

from posewire.data import SkeletonPose
from posewire.skeleton import REFERENCE
from posewire_gateway.people import parse_choice
from posewire_gateway.targets import Target
from posewire_gateway.vmc import VmcPerformer

REPOSITORY = Path(__file__).parents[2]
GODOTS = {"godot4": ("godot4", "godot"), "godot3": ("godot3-server", "godot3")}
"""Example to the programs that may run it."""
LIMBS = {
    ("UpperArm", "LowerArm"): ("shoulder", "elbow"),
    ("LowerArm", "Hand"): ("elbow", "wrist"),
    ("UpperLeg", "LowerLeg"): ("hip", "knee"),
    ("LowerLeg", "Foot"): ("knee", "ankle"),
}


def program(example: str) -> str:
    found = next(filter(None, map(shutil.which, GODOTS[example])), None)
    if found is None:
        pytest.skip(f"NOT RUN: none of {GODOTS[example]} is installed")
    return found


@contextmanager
def godot(example: str, folder: Path, port: int) -> Generator[Queue[str]]:
    """The example with its probe, in a copy of its folder; gives the lines that it prints."""
    project = shutil.copytree(REPOSITORY / "examples" / "godot" / example, folder / "project")
    shutil.copy(Path(__file__).parent / "godot" / f"probe{example[-1]}.gd", project / "probe.gd")
    command = [program(example), "--path", str(project), "-s", "probe.gd"] + ["--headless"] * (example == "godot4")
    environment = os.environ | {"VMC_PORT": str(port), "HOME": str(folder)}
    lines: Queue[str] = Queue()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment) as process:
        assert process.stdout is not None
        reader = Thread(target=lambda out=process.stdout: [lines.put(line.strip()) for line in out])
        reader.start()
        try:
            yield lines
        finally:
            process.kill()
            reader.join()


def wait_for(lines: Queue[str], start: str) -> str:
    """The next line that starts so; a failure shows what was printed instead."""
    seen: list[str] = []
    while not (seen and seen[-1].startswith(start)):
        try:
            seen.append(lines.get(timeout=60))
        except Empty:
            pytest.fail("Godot said: " + "\n".join(seen))
    return seen[-1].removeprefix(start)


def bones_in_godot(example: str, folder: Path, person: SkeletonPose) -> dict[str, list[float]]:
    port = free_port()
    performer = VmcPerformer(Target("127.0.0.1", port), parse_choice("first"))
    with closing(performer), godot(example, folder, port) as lines:
        wait_for(lines, "listening")
        until(lambda: not lines.empty(), meanwhile=lambda: performer.send(moment(person)))
        text = wait_for(lines, "bones ")
    return json.loads(text)


@pytest.mark.parametrize("example", GODOTS)
def test_bones_of_godots_skeleton_point_where_the_person_does(example: str, tmp_path: Path) -> None:
    person = pose(seed=5)
    got = {name: np.array(at) for name, at in bones_in_godot(example, tmp_path, person).items()}
    np.testing.assert_allclose(got["Hips"], person.root_m, atol=1e-4)
    for side in ("Left", "Right"):
        for (start, end), (joint, next_joint) in LIMBS.items():
            a, b = (person.positions_m[REFERENCE.index(f"{side.lower()}_{j}")] for j in (joint, next_joint))
            assert angle_deg(got[side + end] - got[side + start], b - a) < 0.1, f"{side}{start}"
