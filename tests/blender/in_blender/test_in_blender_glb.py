"""Blender's own glTF importer takes what `posewire export TAKE out.glb` writes: an armature that moves as the take says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from conftest import ENGINE, TO_BLENDER

TAKE = Path(__file__).parents[2] / "take" / "golden" / "intact.pwt"
RATE_HZ = 8
"""Of that take."""


def exported(path: Path) -> Path:
    subprocess.run([ENGINE, "-m", "posewire", "export", str(TAKE), str(path), "--person", "1"], check=True, capture_output=True)
    return path


@pytest.mark.skipif(not ENGINE, reason="POSEWIRE_PYTHON is not set")
def test_an_exported_glb_moves_in_blender_as_in_the_take(tmp_path: Path) -> None:
    import bpy

    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.context.scene.render.fps = RATE_HZ
    bpy.ops.import_scene.gltf(filepath=str(exported(tmp_path / "a.glb")))
    arrays = np.load(exported(tmp_path / "a.npz"))
    armature = bpy.data.objects["person1"]
    assert armature.type == "ARMATURE"
    since_s = arrays["time_s"] - arrays["time_s"][0]
    np.testing.assert_allclose(since_s * RATE_HZ, np.round(since_s * RATE_HZ), atol=1e-9)
    for number in np.flatnonzero(np.isfinite(arrays["root_m"][:, 0, 0])):
        bpy.context.scene.frame_set(round(RATE_HZ * since_s[number]))
        posed = armature.evaluated_get(bpy.context.evaluated_depsgraph_get())
        for j, name in enumerate(arrays["joint_names"]):
            head = np.array(posed.matrix_world @ posed.pose.bones[str(name)].head)
            np.testing.assert_allclose(head, TO_BLENDER @ arrays["positions_m"][number, 0, j], atol=1e-4)
