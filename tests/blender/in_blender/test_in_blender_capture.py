"""The engine that Blender starts: a video to an action, a camera to the stream, and what goes wrong."""

from __future__ import annotations

import socket
from pathlib import Path

import bpy
import pytest
from armatures import stand_in
from conftest import ENGINE, ROOT, module, pump_until, refused

CLIP = ROOT / "core" / "posewire" / "assets" / "balancing_cam01.mp4"


@pytest.fixture
def chosen_engine() -> None:
    preferences = bpy.context.preferences.addons["bl_ext.user_default.posewire_live"].preferences
    preferences.engine, preferences.python = "", ENGINE


@pytest.mark.usefixtures("chosen_engine")
def test_a_video_becomes_an_action() -> None:
    bpy.context.scene.render.fps = 60
    assert bpy.ops.posewire.capture_video(filepath=str(CLIP)) == {"FINISHED"}
    state = module("state").state
    assert state.capture.frames_expected == 100
    seen: set[float] = set()
    pump_until(lambda: state.capture is None or seen.add(state.capture.progress), "the engine", patience_s=110.0)
    assert "One action" in state.message, state.message
    assert max(seen) > 0.0
    first, last = bpy.context.scene.posewire.characters[0].object.animation_data.action.frame_range
    assert (first, last) == (1, 100)


@pytest.mark.usefixtures("chosen_engine")
def test_a_take_is_refined_and_imported(demo_take: Path) -> None:
    bpy.context.scene.render.fps = 60
    bpy.context.scene.posewire.height = 1.8
    earlier = module("capturing").takes_folder() / "demo_refined.pwt"
    earlier.write_bytes(b"an earlier refinement")
    assert bpy.ops.posewire.solve_take(filepath=str(demo_take), auto_smooth=False, smooth=0.1, ground=True) == {"FINISHED"}
    state = module("state").state
    pump_until(lambda: state.capture is None, "the engine", patience_s=110.0)
    assert "One action from demo_refined_2.pwt" in state.message, state.message
    assert earlier.read_bytes() == b"an earlier refinement"
    obj = bpy.context.scene.posewire.characters[0].object
    first, last = obj.animation_data.action.frame_range
    assert last - first >= 90
    assert 1.4 < obj.data.bones["head"].head_local.z < 1.7  # of 1.8 m


@pytest.mark.usefixtures("chosen_engine")
def test_a_take_that_is_not_there_cannot_be_refined() -> None:
    with refused("no take"):
        bpy.ops.posewire.solve_take(filepath="/nowhere/x.pwt")


@pytest.mark.usefixtures("chosen_engine")
def test_the_webcams_way_streams_into_blender_at_once() -> None:
    """A video stands for the camera: the engine takes any source, this machine has no camera."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        bpy.context.scene.posewire.address = f"tcp://127.0.0.1:{probe.getsockname()[1]}"
    obj = stand_in()
    bpy.context.scene.posewire.camera = str(CLIP)  # the panel's: nothing else lets an artist choose another
    assert bpy.ops.posewire.capture_webcam() == {"FINISHED"}
    state = module("state").state
    pump_until(lambda: state.session.newest is not None and state.session.newest.pose.people, "the engine", patience_s=110.0)
    assert obj.pose.bones["left_elbow"].rotation_quaternion.angle > 0.01
    assert bpy.ops.posewire.cancel_capture() == {"FINISHED"}


def engines_started() -> set[Path]:
    """The log of every engine that Blender started."""
    return set(Path(bpy.app.tempdir).glob("posewire-*.log"))


@pytest.mark.usefixtures("chosen_engine")
def test_no_camera_is_started_where_the_session_refuses() -> None:
    before = engines_started()
    bpy.context.scene.posewire.key_file = "/nowhere/key.json"
    with refused("key"):
        bpy.ops.posewire.capture_webcam(camera=str(CLIP))
    state = module("state").state
    assert (state.capture, state.session) == (None, None)
    assert engines_started() == before


def test_a_camera_whose_engine_does_not_start_leaves_no_session(tmp_path: Path) -> None:
    preferences = bpy.context.preferences.addons["bl_ext.user_default.posewire_live"].preferences
    (tmp_path / "posewire").write_text("no program")
    preferences.engine = str(tmp_path / "posewire")
    with refused("does not start"):
        bpy.ops.posewire.capture_webcam(camera=str(CLIP))
    preferences.engine = ""
    state = module("state").state
    assert (state.capture, state.session) == (None, None)


@pytest.mark.usefixtures("chosen_engine")
def test_a_video_captured_again_keeps_the_earlier_take() -> None:
    earlier = module("capturing").takes_folder() / f"{CLIP.stem}.pwt"
    earlier.write_bytes(b"an earlier take")
    assert bpy.ops.posewire.capture_video(filepath=str(CLIP)) == {"FINISHED"}
    state = module("state").state
    assert state.capture.take == earlier.with_name(f"{CLIP.stem}_2.pwt")
    pump_until(lambda: state.capture is None or state.capture.take.exists(), "the second take", patience_s=110.0)
    assert bpy.ops.posewire.cancel_capture() == {"FINISHED"}
    assert earlier.read_bytes() == b"an earlier take"


@pytest.mark.usefixtures("chosen_engine")
def test_a_video_that_is_none_ends_in_the_engines_own_words(tmp_path: Path) -> None:
    (tmp_path / "no.mp4").write_bytes(b"no video")
    assert bpy.ops.posewire.capture_video(filepath=str(tmp_path / "no.mp4")) == {"FINISHED"}
    state = module("state").state
    pump_until(lambda: state.capture is None, "the engine's end")
    assert "no.mp4" in state.message
    assert "Traceback" not in state.message


@pytest.mark.usefixtures("chosen_engine")
def test_a_capture_can_be_cancelled() -> None:
    bpy.ops.posewire.capture_video(filepath=str(CLIP))
    process = module("state").state.capture.process
    assert bpy.ops.posewire.cancel_capture() == {"FINISHED"}
    assert process.poll() is not None


def test_an_engine_that_is_not_there_says_how_to_get_it() -> None:
    preferences = bpy.context.preferences.addons["bl_ext.user_default.posewire_live"].preferences
    preferences.engine = "/nowhere/posewire"
    with refused("no program"):
        bpy.ops.posewire.capture_video(filepath=str(CLIP))
    preferences.engine = ""
