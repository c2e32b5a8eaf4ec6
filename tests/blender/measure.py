"""The add-on's numbers, measured in Blender: `python tests/blender/measure.py [one | ten | recording]` by a Python with bpy.

Environment as for tests/blender/in_blender (see its conftest.py). Prints one line for each number.
"""

from __future__ import annotations

import importlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np

HERE = Path(__file__).parent
ENGINE = os.environ["POSEWIRE_PYTHON"]


def module(name: str) -> Any:
    return importlib.import_module(f"bl_ext.user_default.posewire_live.{name}")


def milliseconds(work: Callable[[], object], repeats: int) -> np.ndarray:
    """(repeats,) of each call."""
    took: list[float] = []
    for _ in range(repeats):
        start_s = time.perf_counter()
        work()
        took.append(time.perf_counter() - start_s)
    return 1e3 * np.array(took)


def report(name: str, took_ms: np.ndarray, goal: str) -> None:
    p50, p99 = np.percentile(took_ms, [50, 99])
    print(f"{name}: p50 {p50:.3f} ms, p99 {p99:.3f} ms, best {took_ms.min():.3f} ms   (goal: {goal})", flush=True)


def publisher(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    motion = Path(tempfile.mkdtemp()) / "motion.npz"
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    command = [ENGINE, str(HERE / "publish_motion.py"), "--motion", str(motion), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def newest_pose(session: Any) -> Any:
    while session.newest is None or not session.newest.pose.people:
        session.pump()
    return session.newest


def measure_applying(session: Any, obj: Any, name: str, goal: str) -> None:
    character = bpy.context.scene.posewire.character_of(obj)
    newest = newest_pose(session)
    follower = session._follower(character)
    person = newest.pose.people[0]
    skeleton = newest.subject.skeletons[person.skeleton]

    def apply() -> None:
        values = follower.binding.values(skeleton, 0.0, person.root_m, person.rotations_wxyz, person.contacts)
        follower.binding.apply(obj, *values)

    report(name, milliseconds(apply, 1500), goal)


def measure_latency(session: Any) -> None:
    """From the publisher's send to the evaluated pose, pumping in a loop."""
    took: list[float] = []
    while len(took) < 900:
        if session.pump():
            bpy.context.view_layer.update()
            took.append(1e-6 * (time.time_ns() - session.newest.pose.send_unix_ns))
        else:
            time.sleep(0.0002)  # a busy loop would take the publisher's processor on a machine with two
    report("publish to evaluated pose, one person", np.array(took[100:]), "p50 2 ms, p99 10 ms")


def measure_writing() -> None:
    recorder, actions = module("recorder"), module("actions")
    tape = recorder.Recorder(24)
    unit = np.tile([1.0, 0, 0, 0], (24, 1))
    for i in range(300):
        tape.add(i / 24, np.zeros((1, 3)), unit, np.zeros(4))
    names = tuple(f"bone{i}" for i in range(24))
    channels = actions.Channels(names, names[:1], ("QUATERNION",) * 24)
    baked = tape.baked(24.0, 1)
    report(
        "writing 300 frames x 24 bones",
        milliseconds(lambda: actions.write_action("x", baked, channels, markers=False), 9),
        "60 ms",
    )


def measure_ten_minutes() -> None:
    recorder = module("recorder")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    tape = recorder.Recorder(25)
    unit = np.tile([1.0, 0, 0, 0], (25, 1))
    for i in range(36_000):
        tape.add(i / 60, np.array([[i / 60, 0, 0]]), unit, np.zeros(4))
    baked = tape.baked(24.0, 1)
    drift = np.abs(baked.locations[:, 0, 0] - (baked.frames - 1) / 24).max() * 24
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"ten minutes at 60 Hz, 25 bones: {grown:.0f} MB, drift {drift:.4f} frames   (goal: 200 MB, 1 frame)", flush=True)


def main() -> None:
    zip_file = os.environ["POSEWIRE_BLENDER_ZIP"]
    bpy.ops.extensions.package_install_files(filepath=zip_file, repo="user_default", enable_on_install=True)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    print(f"Blender {bpy.app.version_string}, numpy {np.__version__}")
    parts = {"one": measure_one_person, "ten": measure_ten_people, "recording": measure_recording}
    for name in sys.argv[1:] or parts:
        parts[name]()


def measure_recording() -> None:
    measure_writing()
    measure_ten_minutes()


def measure_one_person() -> None:
    process, address = publisher()
    try:
        bpy.ops.posewire.stand_in()
        bpy.context.scene.posewire.address = address
        bpy.ops.posewire.connect()
        session = module("state").state.session
        measure_applying(session, bpy.context.object, "applying one person to 25 bones", "0.15 ms")
        measure_latency(session)
        measure_rigify(session)
    finally:
        bpy.ops.posewire.disconnect()
        process.kill()


def measure_ten_people() -> None:
    """Ten stand-ins at 60 poses a second for five seconds: how long a step takes, and whether one is left out."""
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=True)
    process, address = publisher("--people", "10")
    for person in range(10):
        bpy.ops.posewire.stand_in(person=person)
    bpy.context.scene.posewire.address = address
    bpy.ops.posewire.connect()
    session = module("state").state.session
    newest_pose(session)
    dropped, took = session.numbers().dropped, []
    until_s = time.monotonic() + 5.0
    while time.monotonic() < until_s:
        start_s = time.perf_counter()
        if session.pump():
            bpy.context.view_layer.update()
            took.append(1e3 * (time.perf_counter() - start_s))
        else:
            time.sleep(0.0005)
    report("ten people, a step with evaluation", np.array(took), "16.7 ms")
    print(
        f"ten people at 60 a second: {len(took)} steps in 5 s, {session.numbers().dropped - dropped} poses left out", flush=True
    )
    bpy.ops.posewire.disconnect()
    process.kill()


def measure_rigify(session: Any) -> None:
    import addon_utils

    addon_utils.enable("rigify", default_set=True)
    bpy.ops.object.armature_human_metarig_add()
    bpy.ops.pose.rigify_generate()
    rig = bpy.context.object
    bpy.ops.posewire.add_characters()
    character = bpy.context.scene.posewire.character_of(rig)
    for controls in ("FK", "IK", "BOTH"):
        character.controls = controls
        start_s = time.perf_counter()
        session._follower(character)
        print(f"binding a generated Rigify rig of {len(rig.data.bones)} bones, once: {time.perf_counter() - start_s:.2f} s")
        measure_applying(session, rig, f"applying one person to a generated Rigify rig, {controls}", "1 ms")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
