"""Smoke test in a Blender with a window: `blender --python tests/blender/gui_smoke.py -- ZIP ADDRESS OUT`.

Installs the zip, connects, makes a stand-in, records, all by operators and Blender's own timer; writes screenshots and
result.json to OUT and quits. Needs a display (Xvfb does) and a publisher at ADDRESS.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
from mathutils import Euler

ZIP, ADDRESS, OUT = sys.argv[sys.argv.index("--") + 1 :][:3]
STEP_S = 1.0
TAB_PX = (1044, 210)
"""Where the tab lies in a window of 1280 x 800 with the usual layout."""
result: dict[str, Any] = {"blender": bpy.app.version_string}


def module(name: str) -> Any:
    return importlib.import_module(f"bl_ext.user_default.posewire_live.{name}")


def view() -> tuple[Any, Any, Any]:
    window = bpy.context.window_manager.windows[0]
    area = max((area for area in window.screen.areas if area.type == "VIEW_3D"), key=lambda area: area.width)
    return window, area, next(region for region in area.regions if region.type == "WINDOW")


def show_panel() -> None:
    _, area, _ = view()
    sidebar = next(region for region in area.regions if region.type == "UI")
    try:
        sidebar.active_panel_category = "Posewire"
    except AttributeError:  # read-only in this version: a click on the tab, as an artist would
        x, y = TAB_PX
        subprocess.run(["xdotool", "mousemove", str(x), str(y), "click", "1"], check=True)


def look_at(obj: Any) -> None:
    """From the front and a little from the side, wherever the person is now."""
    for other in bpy.context.selected_objects:
        other.select_set(False)
    _, area, _ = view()
    space = area.spaces[0]
    space.region_3d.view_perspective = "PERSP"
    space.region_3d.view_rotation = Euler((1.4, 0.0, 0.4)).to_quaternion()
    space.region_3d.view_location = obj.matrix_world @ obj.pose.bones["pelvis"].head
    space.region_3d.view_distance = 3.4
    space.shading.type = "SOLID"


def screenshot(name: str) -> None:
    """Of the whole display: Blender's own screenshots are black under a software renderer."""
    subprocess.run(["import", "-window", "root", str(Path(OUT) / f"{name}.png")], check=True)


def run(operator: Any, **values: Any) -> None:
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        assert operator(**values) == {"FINISHED"}


def story() -> Iterator[None]:
    """One step a second; the add-on's own timer does everything in between."""
    for name in ("Cube", "Light", "Camera"):
        if name in bpy.data.objects:
            bpy.data.objects.remove(bpy.data.objects[name])
    bpy.ops.extensions.package_install_files(filepath=ZIP, repo="user_default", enable_on_install=True)
    yield
    view()[1].spaces[0].show_region_ui = True
    yield
    show_panel()
    bpy.context.scene.posewire.address = ADDRESS
    yield
    screenshot("1_connect")
    run(bpy.ops.posewire.connect)
    run(bpy.ops.posewire.stand_in)
    obj = bpy.context.scene.posewire.active_character().object
    yield
    yield
    session = module("state").state.session
    result["status"], result["hint"] = session.status()
    result["subscriber"] = type(session.subscriber).__name__
    before, period_s = session.numbers().received, session.step_period_s()
    look_at(obj)
    obj.show_in_front = True
    yield
    look_at(obj)
    yield
    result["received_in_two_seconds"] = session.numbers().received - before
    result["timer_period_s"] = period_s
    assert session.steps_s[-1] > 0
    screenshot("2_live")
    run(bpy.ops.posewire.record)
    for _ in range(3):
        yield
    screenshot("3_recording")
    run(bpy.ops.posewire.stop)
    result["action_frames"] = list(obj.animation_data.action.frame_range)
    yield
    screenshot("4_recorded")
    run(bpy.ops.posewire.disconnect)
    yield
    result["message"] = module("state").state.message
    result["ok"] = True


def step_through(steps: Iterator[None]) -> Callable[[], float | None]:
    def step() -> float | None:
        try:
            next(steps)
            return STEP_S
        except StopIteration:
            pass
        except Exception:  # noqa: BLE001  the result file says what went wrong, whatever it was
            result["error"] = traceback.format_exc()
        (Path(OUT) / "result.json").write_text(json.dumps(result, indent=1))
        bpy.ops.wm.quit_blender()
        return None

    return step


bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(step_through(story()), first_interval=2.0)
