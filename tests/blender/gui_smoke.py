"""Smoke test in a Blender with a window: `blender --python tests/blender/gui_smoke.py -- ZIP ADDRESS OUT`.

Installs the zip, connects, makes a stand-in, records, drops a take into the view, all by operators and Blender's own timer;
sees by the pixels that the panel is drawn; writes screenshots and result.json to OUT and quits. Needs a display (Xvfb does),
a publisher at ADDRESS and a take `intact.pwt` beside this file.
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
import numpy as np
from mathutils import Euler

ZIP, ADDRESS, OUT = sys.argv[sys.argv.index("--") + 1 :][:3]
STEP_S = 1.0
OVER = object()
"""What a story that is at its end gives."""
TAB_PX = (1044, 210)
"""Where the tab lies in a window of 1280 x 800 with the usual layout."""
result: dict[str, Any] = {"blender": bpy.app.version_string}


def module(name: str) -> Any:
    return importlib.import_module(f"bl_ext.user_default.posewire_live.{name}")


def session_now() -> Any:
    return module("state").state.session


def view() -> tuple[Any, Any, Any]:
    window = bpy.context.window_manager.windows[0]
    area = max((area for area in window.screen.areas if area.type == "VIEW_3D"), key=lambda area: area.width)
    return window, area, next(region for region in area.regions if region.type == "WINDOW")


def show_panel() -> None:
    _, area, _ = view()
    sidebar = next(region for region in area.regions if region.type == "UI")
    try:
        sidebar.active_panel_category = "Posewire"
        sidebar.tag_redraw()
    except AttributeError:  # read-only in this version: a click on the tab, as an artist would
        x, y = TAB_PX
        xdotool("mousemove", str(x), str(y), "click", "1")


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


def sidebar_pixels(name: str) -> np.ndarray:
    """(height, width, 3) of the sidebar in a screenshot; Blender's rows go upwards, as the region's coordinates do."""
    image = bpy.data.images.load(str(Path(OUT) / f"{name}.png"))
    pixels = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(pixels)
    rows = pixels.reshape(image.size[1], image.size[0], 4)[..., :3]
    bpy.data.images.remove(image)
    _, area, _ = view()
    region = next(region for region in area.regions if region.type == "UI")
    return rows[region.y : region.y + region.height, region.x : region.x + region.width]


def drawn_share(pixels: np.ndarray) -> float:
    """Share of the pixels that are not of the sidebar's commonest colour: texts, buttons, boxes."""
    colours, counts = np.unique((255 * pixels).round().astype(np.uint8).reshape(-1, 3), axis=0, return_counts=True)
    del colours
    return 1.0 - float(counts.max()) / float(counts.sum())


def changed_share(before: str, after: str) -> float:
    """Share of the sidebar's pixels that differ between two screenshots."""
    difference = np.abs(sidebar_pixels(after) - sidebar_pixels(before)).max(axis=2)
    return float((difference > 0.05).mean())


def watch_drawing() -> None:
    """Counts how often Blender draws the panel."""
    panel = bpy.types.POSEWIRE_PT_main
    draw = panel.draw

    def counting(self: Any, context: Any) -> None:
        draw(self, context)
        result["panel_draws"] = result.get("panel_draws", 0) + 1

    panel.draw = counting


def run(operator: Any, *mode: str, **values: Any) -> None:
    window, area, region = view()
    with bpy.context.temp_override(window=window, area=area, region=region):
        assert operator(*mode, **values) == {"FINISHED"}


def drop_a_take() -> None:
    """What Blender does when a file is dropped into the view: it asks the file handlers."""
    run(bpy.ops.posewire.remove_character)  # the take is of people with fewer joints
    before = set(bpy.data.actions)
    take = Path(__file__).with_name("intact.pwt")
    run(bpy.ops.wm.drop_import_file, "INVOKE_DEFAULT", directory=str(take.parent), files=[{"name": take.name}])
    result["actions_of_the_drop"] = sorted(action.name for action in set(bpy.data.actions) - before)
    result["message_of_the_drop"] = module("state").state.message
    assert result["actions_of_the_drop"], "the take was dropped, but nothing came of it"


def play_while_live(session: Any) -> Iterator[None]:
    """The timeline plays, which sets every frame of its own and draws it: poses come all the same."""
    scene, screen = bpy.context.scene, view()[0].screen
    before, frame = session.numbers().received, scene.frame_current
    run(bpy.ops.screen.animation_play)
    yield
    yield
    result["received_while_playing"] = session.numbers().received - before
    result["frames_played"] = scene.frame_current - frame
    assert screen.is_animation_playing, "the timeline does not play"
    assert result["frames_played"] != 0, "the timeline stands still"
    assert result["received_while_playing"] > 0, "no pose arrived while the timeline played"
    assert session.status()[0] == "Live", session.status()
    run(bpy.ops.screen.animation_play)  # the same key stops it
    assert not screen.is_animation_playing
    scene.frame_set(frame)


def arrive_while_dragging() -> Iterator[None]:
    """A captured motion arrives while the mouse drags vertices: nothing happens until they are let go and the mode is left."""
    run(bpy.ops.mesh.primitive_cube_add)
    run(bpy.ops.object.mode_set, mode="EDIT")
    window, area, _ = view()
    x, y = area.x + area.width // 2, window.height - area.y - area.height // 2
    xdotool("mousemove", str(x), str(y), "key", "g", "mousemove", str(x + 40), str(y))
    yield
    assert window.modal_operators, "nothing is dragged"
    ended = subprocess.Popen(["true"])
    ended.wait()
    state, before = module("state").state, len(bpy.data.actions)
    take = Path(__file__).with_name("intact.pwt")
    state.capture = module("engine").Capture(ended, "walk.mp4", take, 0, Path(OUT) / "engine.log")
    yield
    xdotool("mousemove", str(x + 80), str(y))
    yield
    result["message_while_dragging"] = state.message
    assert "is finished" in state.message, state.message
    xdotool("click", "1")
    yield
    assert "Object Mode" in state.message, state.message
    assert len(bpy.data.actions) == before
    run(bpy.ops.object.mode_set, mode="OBJECT")
    yield
    assert state.capture is None, "the motion did not come"
    assert len(bpy.data.actions) > before


def xdotool(*words: str) -> None:
    """The mouse and the keys, as an artist would."""
    subprocess.run(["xdotool", *words], check=True)


def speak_german() -> None:
    """Blender finds the extension's own translations, also of a text with a value in it."""
    view = bpy.context.preferences.view
    result["locales"] = [name for name in bpy.app.translations.locales if name.startswith("de")]
    view.language = result["locales"][0]
    view.use_translate_interface = view.use_translate_tooltips = True
    if hasattr(view, "use_translate_reports"):
        view.use_translate_reports = True
    tell = module("translation").tell
    result["german"] = [tell("Characters"), tell("Saved {file}", file="x")]
    assert result["german"] == ["Figuren", "x gespeichert"]


def story() -> Iterator[None]:
    """One step a second; the add-on's own timer does everything in between."""
    yield from install()
    yield from open_the_tab()
    run(bpy.ops.posewire.connect)
    run(bpy.ops.posewire.stand_in)
    stand_in, session = bpy.context.scene.posewire.active_character().object, session_now()
    yield from watch_live(session, stand_in)
    yield from play_while_live(session)
    yield from record(stand_in)
    run(bpy.ops.posewire.disconnect)
    yield
    drop_a_take()
    yield
    yield from arrive_while_dragging()
    speak_german()
    for _ in range(3):
        yield
    screenshot("5_german")
    run(bpy.ops.posewire.connect)  # Blender is closed while it is connected
    yield
    yield
    result["closed_while"] = session_now().status()[0]
    result["message"] = module("state").state.message
    result["ok"] = True


def install() -> Iterator[None]:
    """An empty scene, the zip installed and enabled, the sidebar open."""
    for name in ("Cube", "Light", "Camera"):
        if name in bpy.data.objects:
            bpy.data.objects.remove(bpy.data.objects[name])
    bpy.ops.extensions.package_install_files(filepath=ZIP, repo="user_default", enable_on_install=True)
    yield
    watch_drawing()
    view()[1].spaces[0].show_region_ui = True
    yield


def open_the_tab() -> Iterator[None]:
    """Blender draws the panel, and that changes the sidebar's pixels."""
    screenshot("0_other_tab")
    bpy.context.scene.posewire.address = ADDRESS
    for _ in range(8):  # a software renderer takes its time
        if "panel_draws" not in result:
            show_panel()
            yield
    yield
    screenshot("1_connect")
    panel = sidebar_pixels("1_connect")
    result["sidebar_px"], result["drawn_share"] = list(panel.shape[:2]), drawn_share(panel)
    result["changed_by_the_tab"] = changed_share("0_other_tab", "1_connect")
    assert result.get("panel_draws", 0) > 0, "the panel was never drawn"
    assert result["drawn_share"] > 0.1
    assert result["changed_by_the_tab"] > 0.1


def watch_live(session: Any, stand_in: Any) -> Iterator[None]:
    """The stand-in follows the person, and the panel says so."""
    yield
    yield
    result["status"], result["hint"] = session.status()
    result["subscriber"] = type(session.subscriber).__name__
    before, result["timer_period_s"] = session.numbers().received, session.step_period_s()
    look_at(stand_in)
    stand_in.show_in_front = True
    yield
    look_at(stand_in)
    yield
    result["received_in_two_seconds"] = session.numbers().received - before
    assert session.steps_s[-1] > 0
    assert session.status()[0] == "Live", session.status()
    screenshot("2_live")
    result["changed_by_connecting"] = changed_share("1_connect", "2_live")
    assert result["changed_by_connecting"] > 0.05


def record(stand_in: Any) -> Iterator[None]:
    """Three seconds become an action."""
    run(bpy.ops.posewire.record)
    for _ in range(3):
        yield
    screenshot("3_recording")
    run(bpy.ops.posewire.stop)
    result["action_frames"] = list(stand_in.animation_data.action.frame_range)
    yield
    screenshot("4_recorded")


def step_through(steps: Iterator[None]) -> Callable[[], float | None]:
    """What Blender's timer calls: one step, and when to come again; at the end, or at an error, the result file and out."""

    def step() -> float | None:
        try:
            if next(steps, OVER) is not OVER:
                return STEP_S
        except Exception:  # noqa: BLE001  the result file says what went wrong, whatever it was
            result["error"] = traceback.format_exc()
        (Path(OUT) / "result.json").write_text(json.dumps(result, indent=1, ensure_ascii=False), encoding="utf-8")
        bpy.ops.wm.quit_blender()
        return None

    return step


bpy.context.preferences.view.show_splash = False
bpy.app.timers.register(step_through(story()), first_interval=2.0)
