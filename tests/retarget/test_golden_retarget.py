"""Replays golden/*.json as Blender and C++ do: from the JSON alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from characters import Character, angle_deg, rotation_angle_deg

from posewire import rotation
from posewire.data import FloatArray, SkeletonPose
from posewire.retarget import Retargeter, bundled_rigs, client_parent_space, client_root_location, client_rotations
from posewire.rigs import Rig, parse_rig
from posewire.skeleton import Skeleton

FILES = sorted((Path(__file__).parent / "golden").glob("*.json"))


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text(encoding="utf-8"))


def array(rows: list[Any]) -> FloatArray:
    """(K, n); null rows are NaN."""
    width = next(len(row) for row in rows if row is not None)
    return np.array([[np.nan] * width if row is None else row for row in rows])


def skeleton_of(case: dict[str, Any]) -> Skeleton:
    given = case["skeleton"]
    return Skeleton(tuple(given["names"]), tuple(given["parents"]), np.array(given["offsets_m"]), ())


def character_of(case: dict[str, Any]) -> Character:
    given = case["character"]
    return Character(
        tuple(given["names"]), tuple(given["parents"]), array(given["positions_m"]), array(given["orientations_wxyz"])
    )


def rig_of(case: dict[str, Any]) -> Rig:
    return parse_rig(case["rig"], "golden")


def retargeter_of(case: dict[str, Any]) -> Retargeter:
    body = character_of(case)
    bound = rig_of(case).bind(body.names, body.parents, case["name_set"])
    return Retargeter(skeleton_of(case), bound, body.positions_m, case["scale"])


def poses_of(case: dict[str, Any]) -> list[SkeletonPose]:
    joints = len(case["skeleton"]["names"])
    unused, contacts = np.zeros((joints, 3)), np.full(4, np.nan)
    return [
        SkeletonPose(7, 1.5, given["root_m"], np.empty(0), given["rotations_wxyz"], unused, np.ones(joints), contacts)
        for given in case["poses"]
    ]


def assert_same_rotations(got: FloatArray, expected: list[Any]) -> None:
    assert rotation_angle_deg(rotation.normalise(got), rotation.normalise(array(expected))).max() < 1e-5


def test_there_are_cases() -> None:
    assert len(FILES) >= 8


def test_bones_are_matched_as_recorded(case: dict[str, Any]) -> None:
    rig, body = rig_of(case), character_of(case)
    found = rig.match(body.names, case["name_set"])
    names = {bone.name: None if b is None else body.names[b] for bone, b in zip(rig.bones, found, strict=True)}
    assert names == case["expected"]["matched"]


def test_alignment_and_scale_are_as_recorded(case: dict[str, Any]) -> None:
    retargeter = retargeter_of(case)
    assert retargeter.scale == pytest.approx(case["expected"]["scale"], abs=1e-8)
    assert_same_rotations(retargeter.alignments_wxyz, case["expected"]["alignments_wxyz"])


def test_poses_are_as_recorded(case: dict[str, Any]) -> None:
    retargeter, body = retargeter_of(case), character_of(case)
    root, B = retargeter.rig.root, body.orientations_wxyz
    for pose, expected in zip(poses_of(case), case["expected"]["poses"], strict=True):
        result = retargeter(pose)
        assert np.allclose(result.root_m, expected["root_m"], atol=1e-7)
        assert_same_rotations(result.rotations_wxyz, expected["rotations_wxyz"])
        assert_same_rotations(client_rotations(result.rotations_wxyz, B), expected["client_rotations_wxyz"])
        assert_same_rotations(client_parent_space(result.rotations_wxyz, B, body.parents), expected["parent_space_wxyz"])
        location = client_root_location(result.root_m, body.positions_m[root], B[root])
        assert np.allclose(location, expected["root_location_m"], atol=1e-7)


def test_recorded_orientations_show_the_recorded_directions(case: dict[str, Any]) -> None:
    body = character_of(case)
    root = body.names.index(case["expected"]["matched"][case["rig"]["bones"][0]["name"]])
    for expected in case["expected"]["poses"]:
        positions = body.posed_m(root, np.array(expected["root_m"]), array(expected["parent_space_wxyz"]))
        posed = {name: row for name, row in zip(body.names, positions, strict=True) if np.isfinite(row).all()}
        seen = [row for row in expected["directions"] if row["to"] in posed]
        assert len(seen) >= 8
        for row in seen:
            assert angle_deg(posed[row["to"]] - posed[row["from"]], np.array(row["direction"])) < 0.1, row["from"]


def test_cases_hold_the_rig_files_of_today(case: dict[str, Any]) -> None:
    path = next(card.path for card in bundled_rigs() if card.name == case["rig"]["name"])
    assert case["rig"] == json.loads(path.read_text(encoding="utf-8")), "run make_golden_retarget.py"
