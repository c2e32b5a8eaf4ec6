"""CMU's own files: a skeleton that hangs together, angles in the bone's own axes, and files that do not fit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from posewire_data import asf_amc
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS

_BONES: list[tuple[str, str, tuple[float, float, float], float, str]] = [
    ("lowerback", "root", (0, 1, 0), 2.0, "rx ry rz"),
    ("upperback", "lowerback", (0, 1, 0), 2.0, "rx ry rz"),
    ("thorax", "upperback", (0, 1, 0), 2.0, "rx ry rz"),
    ("lowerneck", "thorax", (0, 1, 0), 1.6, "rx ry rz"),
    ("upperneck", "lowerneck", (0, 1, 0), 1.6, "rx ry rz"),
    ("head", "upperneck", (0, 1, 0), 1.6, "rx ry rz"),
    *[
        row
        for s, x in (("l", 1.0), ("r", -1.0))
        for row in (
            (f"{s}hipjoint", "root", (0.7 * x, -0.7, 0), 2.3, ""),
            (f"{s}femur", f"{s}hipjoint", (0, -1, 0), 7.5, "rx ry rz"),
            (f"{s}tibia", f"{s}femur", (0, -1, 0), 7.5, "rx"),
            (f"{s}clavicle", "thorax", (x, 0, 0), 3.3, "ry rz"),
            (f"{s}humerus", f"{s}clavicle", (x, 0, 0), 5.2, "rx ry rz"),
            (f"{s}radius", f"{s}humerus", (x, 0, 0), 3.5, "rx"),
        )
    ],
]


def write(folder: Path, frames: int = 3, **angles: list[float]) -> Path:
    """05.asf and 05_01.amc; unnamed bones stay at rest."""
    axes = {"ltibia": "0 0 20", "lradius": "0 0 90"}
    blocks = "".join(
        f"  begin\n    id 1\n    name {name}\n    direction {d[0]} {d[1]} {d[2]}\n    length {length}\n"
        f"    axis {axes.get(name, '0 0 0')}  XYZ\n" + (f"    dof {dofs}\n" if dofs else "") + "  end\n"
        for name, _, d, length, dofs in _BONES
    )
    children: dict[str, list[str]] = {}
    for name, parent, *_ in _BONES:
        children.setdefault(parent, []).append(name)
    tree = "".join(f"    {parent} {' '.join(names)}\n" for parent, names in children.items())
    folder.mkdir(exist_ok=True)
    (folder / "05.asf").write_text(
        f":version 1.10\n:units\n  length 0.45\n  angle deg\n:root\n  order TX TY TZ RX RY RZ\n:bonedata\n{blocks}"
        f":hierarchy\n  begin\n{tree}  end\n"
    )
    rows = ""
    for frame in range(frames):
        rows += f"{frame + 1}\nroot {frame} 17 0 {' '.join(map(str, angles.get('root', [0, 0, 0])))}\n"
        for name, _, _, _, dofs in _BONES:
            if dofs:
                rows += f"{name} {' '.join(map(str, angles.get(name, [0.0] * len(dofs.split()))))}\n"
    (folder / "05_01.amc").write_text(f"#!OML:ASF\n:FULLY-SPECIFIED\n:DEGREES\n{rows}")
    return folder


def pose(folder: Path) -> dict[str, np.ndarray]:
    (clip,) = asf_amc.read_clips(folder)
    assert (clip.subject, clip.source, clip.rate_hz) == ("05", "cmu", 120.0)
    return dict(zip(JOINTS, clip.positions_m[0], strict=True))


def test_at_rest_the_bones_add_up_in_metres(tmp_path: Path) -> None:
    at = pose(write(tmp_path))
    unit = 0.0254 / 0.45
    np.testing.assert_allclose(at["neck"], [0, (17 + 6) * unit, 0], atol=1e-6)
    np.testing.assert_allclose(at["left_wrist"], [12 * unit, 23 * unit, 0], atol=1e-6)
    np.testing.assert_allclose(at["left_knee"] - at["left_hip"], [0, -7.5 * unit, 0], atol=1e-6)
    assert at["nose"][2] > 0.05 and at["left_hip"][0] > at["right_hip"][0]


def test_a_bone_turns_about_its_own_axes(tmp_path: Path) -> None:
    straight, bent = pose(write(tmp_path / "a")), pose(write(tmp_path / "b", lradius=[90.0]))
    forearm = straight["left_wrist"] - straight["left_elbow"]
    turned = bent["left_wrist"] - bent["left_elbow"]
    # The radius' own x axis is the world's y (its axes are turned by 90 degrees about z).
    np.testing.assert_allclose(turned, [0, 0, -np.linalg.norm(forearm)], atol=1e-6)


def test_the_root_moves_and_turns_everything(tmp_path: Path) -> None:
    (clip,) = asf_amc.read_clips(write(tmp_path, root=[0, 90, 0]))
    np.testing.assert_allclose(np.diff(clip.positions_m[:, 0], axis=0), [[0.0254 / 0.45, 0, 0]] * 2, atol=1e-6)
    assert clip.positions_m[0, JOINTS.index("nose"), 0] > clip.positions_m[0, 0, 0] + 0.05


def test_files_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no \.amc"):
        list(asf_amc.read_clips(tmp_path))
    folder = write(tmp_path / "a", ltibia=[1.0, 2.0])
    with pytest.raises(DatasetError, match="ltibia: 2 numbers"):
        list(asf_amc.read_clips(folder))
    (folder / "05.asf").rename(folder / "06.asf")
    with pytest.raises(DatasetError, match=r"05_01\.amc is missing"):
        list(asf_amc.read_clips(folder))
    (folder / "05.asf").write_text("hello")
    with pytest.raises(DatasetError, match="no bones"):
        list(asf_amc.read_clips(folder))
