# SPDX-License-Identifier: GPL-3.0-or-later
# ruff: noqa: N801, RUF012  Blender asks for these names and class attributes
"""Takes and captures: import a .pwt, a video to an action, a webcam to the stream."""

import os
from pathlib import Path

import bpy
from bpy.props import BoolProperty, CollectionProperty, FloatProperty, IntProperty, StringProperty
from bpy.types import FileHandler, Operator
from bpy_extras.io_utils import ImportHelper

from . import capturing, engine
from .errors import LiveError
from .importing import import_take, imported
from .live import Session
from .reporting import Reporting
from .state import state
from .translation import CONTEXT, tell


class POSEWIRE_OT_import_take(Reporting, Operator, ImportHelper):
    bl_idname = "posewire.import_take"
    bl_label = "Import Posewire Take"
    bl_description = "Read a recording of Posewire (.pwt) into actions; the engine is not needed"
    bl_options = {"REGISTER", "UNDO"}

    filename_ext = ".pwt"
    filter_glob: StringProperty(default="*.pwt", options={"HIDDEN"})
    filepath: StringProperty(subtype="FILE_PATH", options={"HIDDEN", "SKIP_SAVE"})  # kept, it would be imported at every press
    directory: StringProperty(subtype="DIR_PATH", options={"HIDDEN", "SKIP_SAVE"})
    files: CollectionProperty(type=bpy.types.OperatorFileListElement, options={"HIDDEN", "SKIP_SAVE"})
    frame: IntProperty(name="Start Frame", description="Where the take begins on the timeline", default=1)
    stand_ins: BoolProperty(
        name="Make Stand-ins", description="Make a mannequin for everybody whom no character follows", default=True
    )

    on_ground: BoolProperty(
        name="Stand on Ground",
        description="Where the take does not know the floor, lift everybody until the lowest feet stand on the ground",
        default=True,
    )

    def act(self, context: bpy.types.Context) -> str:
        folder = Path(bpy.path.abspath(self.directory))
        paths = [folder / file.name for file in self.files if file.name] or [Path(bpy.path.abspath(self.filepath))]
        told: list[str] = []
        for path in paths:
            choices = {"at_frame": self.frame, "stand_ins": self.stand_ins, "on_ground": self.on_ground}
            take, made = import_take(context, path, **choices)
            told.append(imported(path, take, made))
        state.message = ". ".join(told)
        return state.message

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Dropped files come with their path; from the menu it is chosen, first of all among the captured takes."""
        if self.filepath or self.files:
            return self.execute(context)
        self.directory = f"{capturing.takes_folder()}{os.sep}"
        return ImportHelper.invoke(self, context, event)


class POSEWIRE_FH_take(FileHandler):
    bl_idname = "POSEWIRE_FH_take"
    bl_label = "Posewire take"
    bl_import_operator = "posewire.import_take"
    bl_file_extensions = ".pwt"

    @classmethod
    def poll_drop(cls, context: bpy.types.Context) -> bool:
        """Takes may be dropped into a 3D view."""
        return context.area is not None and context.area.type == "VIEW_3D"


class POSEWIRE_OT_capture_video(Reporting, Operator, ImportHelper):
    bl_idname = "posewire.capture_video"
    bl_label = "Capture Video"
    bl_description = "Let the Posewire engine turn a video into actions; Blender stays usable meanwhile"

    filter_glob: StringProperty(default="*.mp4;*.mov;*.avi;*.mkv;*.webm;*.m4v", options={"HIDDEN"})

    def act(self, context: bpy.types.Context) -> str:
        _refuse_two()
        video = Path(bpy.path.abspath(self.filepath))
        take = engine.free_take(capturing.takes_folder(), video.stem)
        logs, frames = Path(bpy.app.tempdir), capturing.frames_of(video) if video.is_file() else 0
        command = capturing.find_engine()
        state.capture = engine.capture_video(command, video, take, capturing.options(context.scene), frames, logs)
        state.capture.scene = context.scene.name
        return ""


class POSEWIRE_OT_solve_take(Reporting, Operator, ImportHelper):
    bl_idname = "posewire.solve_take"
    bl_label = "Refine Posewire Take"
    bl_description = "Let the Posewire engine fit a take again, knowing all of it: steadier, no delay; then import it"

    filename_ext = ".pwt"
    filter_glob: StringProperty(default="*.pwt", options={"HIDDEN"})
    auto_smooth: BoolProperty(
        name="Automatic Smoothing", description="Choose the smoothing window anew at every instant", default=True
    )
    smooth: FloatProperty(
        name="Smoothing Window",
        description="Time over which the motion is smoothed, without delay; 0 = not at all",
        default=0.07,
        min=0.0,
        max=2.0,
        unit="TIME_ABSOLUTE",
    )
    ground: BoolProperty(name="Find Ground", description="Stand everybody on the floor that the feet show", default=False)

    def act(self, context: bpy.types.Context) -> str:
        _refuse_two()
        recorded = Path(bpy.path.abspath(self.filepath))
        take = engine.free_take(capturing.takes_folder(), f"{recorded.stem}_refined")
        again = capturing.again(context.scene, None if self.auto_smooth else self.smooth, find_ground=self.ground)
        state.capture = engine.solve_take(capturing.find_engine(), recorded, take, again, Path(bpy.app.tempdir))
        state.capture.scene = context.scene.name
        return ""

    def draw(self, context: bpy.types.Context) -> None:
        """Beside the file browser."""
        column = self.layout.column()
        column.prop(self, "auto_smooth")
        if not self.auto_smooth:
            column.prop(self, "smooth")
        column.prop(self, "ground")

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """The file browser opens where captured takes lie."""
        self.filepath = self.filepath or str(capturing.takes_folder() / "take.pwt")
        return ImportHelper.invoke(self, context, event)


class POSEWIRE_OT_capture_webcam(Reporting, Operator):
    bl_idname = "posewire.capture_webcam"
    bl_label = "Capture Webcam"
    bl_description = "Start the Posewire engine on a camera and connect to it"

    camera: StringProperty(name="Camera", description="Number of the camera or address of its stream; empty = as in the panel")

    def act(self, context: bpy.types.Context) -> str:
        _refuse_two()
        scene = context.scene.posewire
        camera = self.camera.strip() or scene.camera.strip() or "0"
        command, options, logs = capturing.find_engine(), capturing.options(context.scene), Path(bpy.app.tempdir)
        # The session first: it may refuse the address or the key, and would leave an engine behind that nobody listens to.
        session = state.session or Session(scene.address, scene.key_file)
        try:
            state.capture = engine.capture_camera(command, camera, scene.address, options, logs)
        except LiveError:
            if session is not state.session:
                session.close()
            raise
        state.session = session
        return ""


class POSEWIRE_OT_cancel_capture(Reporting, Operator):
    bl_idname = "posewire.cancel_capture"
    bl_label = "Stop Capture"
    bl_description = "End the Posewire engine that Blender started"

    def act(self, context: bpy.types.Context) -> str:
        if state.capture is None:
            raise LiveError("No capture runs.")
        capture, state.capture = state.capture, None
        capture.cancel()
        if capture.take is None or not capture.take.exists():
            return "The capture was stopped."
        state.message = tell("The capture was stopped. What was done until then: {file}", file=capture.take)
        return state.message


class POSEWIRE_OT_check_engine(Reporting, Operator):
    bl_idname = "posewire.check_engine"
    bl_label = "Check Posewire Engine"
    bl_description = "Start the engine once and ask for its version"

    def act(self, context: bpy.types.Context) -> str:
        state.message = engine.version(capturing.find_engine())
        return state.message


def _refuse_two() -> None:
    if state.capture is not None:
        raise LiveError("A capture is running already.", "Stop it first.")


def menu_import(self: bpy.types.Menu, context: bpy.types.Context) -> None:
    """An entry of File > Import."""
    self.layout.operator(POSEWIRE_OT_import_take.bl_idname, text="Posewire Take (.pwt)", text_ctxt=CONTEXT)


CLASSES = (
    POSEWIRE_OT_import_take,
    POSEWIRE_FH_take,
    POSEWIRE_OT_capture_video,
    POSEWIRE_OT_solve_take,
    POSEWIRE_OT_capture_webcam,
    POSEWIRE_OT_cancel_capture,
    POSEWIRE_OT_check_engine,
)
