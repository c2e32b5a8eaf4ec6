"""USD: everybody's skeleton and motion as UsdSkel in one file, metres, Y up; written by Pixar's library, the extra [export].

/take/personID is a SkelRoot, `skeleton` below it has the joints (pelvis/spine/...) with the T-pose facing +Z as bind and rest
pose, and `motion` below that the animation. There is no skin. Somebody who is absent is invisible and holds the last pose.
"""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from posewire.errors import TakeError
from posewire.skeleton import Skeleton
from posewire.take.export.people import continuous, motions, rest_positions_m
from posewire.take.export.resample import Motion
from posewire.take.recording import Take

INSTALL = "pip install 'posewire[export]'"


def write_usda(file: BinaryIO, take: Take, person: int | None) -> None:
    """One person, or everybody, as text."""
    _write(file, take, person, ".usda")


def write_usdc(file: BinaryIO, take: Take, person: int | None) -> None:
    """The same as a binary file."""
    _write(file, take, person, ".usdc")


def _write(file: BinaryIO, take: Take, person: int | None, suffix: str) -> None:
    """The library only writes to paths of its own, whose ending decides the format."""
    pxr = _Pxr()
    people = motions(take, person)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"take{suffix}"
        stage = pxr.Usd.Stage.CreateNew(path.as_posix())
        _fill(pxr, stage, people)
        stage.GetRootLayer().Save()
        del stage  # closes the file: Windows removes no open one
        file.write(path.read_bytes())


class _Pxr:
    """Pixar's modules, imported when somebody exports.

    Raises:
        TakeError: they are not installed.
    """

    def __init__(self) -> None:
        try:
            names = ("Gf", "Sdf", "Usd", "UsdGeom", "UsdSkel", "Vt")
            self.Gf, self.Sdf, self.Usd, self.UsdGeom, self.UsdSkel, self.Vt = (
                importlib.import_module(f"pxr.{name}") for name in names
            )
        except ImportError as error:
            raise TakeError("USD files are written by usd-core, which is not installed.", got=error, hint=INSTALL) from error


def _fill(pxr: _Pxr, stage: Any, people: dict[int, Motion]) -> None:
    rate_hz = 1.0 / next(iter(people.values())).interval_s
    pxr.UsdGeom.SetStageUpAxis(stage, pxr.UsdGeom.Tokens.y)
    pxr.UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    stage.SetTimeCodesPerSecond(rate_hz)
    stage.SetFramesPerSecond(rate_hz)
    stage.SetStartTimeCode(0.0)
    stage.SetEndTimeCode(float(max(len(motion.root_m) for motion in people.values()) - 1))
    stage.SetDefaultPrim(pxr.UsdGeom.Xform.Define(stage, "/take").GetPrim())
    for person_id, motion in people.items():
        _add_person(pxr, stage, f"/take/person{person_id}", motion)


def _add_person(pxr: _Pxr, stage: Any, path: str, motion: Motion) -> None:
    root = pxr.UsdSkel.Root.Define(stage, path)
    _hide_where_absent(pxr, root, motion)
    joints = _joint_paths(motion.skeleton)
    skeleton = pxr.UsdSkel.Skeleton.Define(stage, f"{path}/skeleton")
    skeleton.CreateJointsAttr(joints)
    skeleton.CreateBindTransformsAttr(_shifts(pxr, rest_positions_m(motion)))
    skeleton.CreateRestTransformsAttr(_shifts(pxr, motion.skeleton.offsets_m))
    animation = pxr.UsdSkel.Animation.Define(stage, f"{path}/skeleton/motion")
    binding = pxr.UsdSkel.BindingAPI.Apply(skeleton.GetPrim())
    binding.CreateAnimationSourceRel().SetTargets([animation.GetPath()])
    _animate(pxr, animation, joints, motion)


def _joint_paths(skeleton: Skeleton) -> list[str]:
    """UsdSkel names a joint by the way to it."""
    paths: list[str] = []
    for name, parent in zip(skeleton.names, skeleton.parents, strict=True):
        paths.append(name if parent < 0 else f"{paths[parent]}/{name}")
    return paths


def _shifts(pxr: _Pxr, places_m: np.ndarray[Any, Any]) -> Any:
    return pxr.Vt.Matrix4dArray([pxr.Gf.Matrix4d(1.0).SetTranslate(pxr.Gf.Vec3d(*row)) for row in places_m.tolist()])


def _animate(pxr: _Pxr, animation: Any, joints: list[str], motion: Motion) -> None:
    """Every joint's local transform in every frame; only the root's translation changes."""
    animation.CreateJointsAttr(joints)
    animation.CreateScalesAttr(pxr.Vt.Vec3hArray(len(joints), pxr.Gf.Vec3h(1.0, 1.0, 1.0)))
    translations, rotations = animation.CreateTranslationsAttr(), animation.CreateRotationsAttr()
    offsets_m = motion.skeleton.offsets_m.astype(np.float32)
    for number, (root_m, row) in enumerate(zip(motion.root_m, continuous(motion.rotations_wxyz).tolist(), strict=True)):
        offsets_m[0] = root_m
        translations.Set(pxr.Vt.Vec3fArray.FromNumpy(offsets_m), float(number))
        rotations.Set(pxr.Vt.QuatfArray([pxr.Gf.Quatf(*q) for q in row]), float(number))


def _hide_where_absent(pxr: _Pxr, root: Any, motion: Motion) -> None:
    """Says visibility where it changes: between two sayings it stays."""
    tokens = pxr.UsdGeom.Tokens
    changes = [0, *(np.flatnonzero(np.diff(motion.present)) + 1).tolist()]
    if len(changes) == 1 and motion.present[0]:
        return
    visibility = root.CreateVisibilityAttr()
    for number in changes:
        visibility.Set(tokens.inherited if motion.present[number] else tokens.invisible, float(number))
