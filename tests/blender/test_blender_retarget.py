"""The add-on replays the golden retargeting cases, and rig files that are wrong are readable errors."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from posewire_live import rotation
from posewire_live.conversion import ModelFrame, bone_conversions
from posewire_live.errors import LiveError
from posewire_live.mapping import best_name_set, detect, parse_rig, read_rig, with_names
from posewire_live.protocol import Skeleton
from posewire_live.retarget import Character, Retargeter, drive

ROOT = Path(__file__).parents[2]
CASES = sorted((ROOT / "tests" / "retarget" / "golden").glob("*.json"))
RIGS = sorted((ROOT / "core" / "posewire" / "rigs").glob("*.json"))


@pytest.fixture(params=CASES, ids=lambda path: path.stem)
def case(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text(encoding="utf-8"))


def array(rows: list[Any]) -> np.ndarray:
    width = next(len(row) for row in rows if row is not None)
    return np.array([[np.nan] * width if row is None else row for row in rows])


def character_of(case: dict[str, Any]) -> Character:
    given = case["character"]
    return Character(tuple(given["names"]), tuple(given["parents"]), array(given["positions_m"]))


def retargeter_of(case: dict[str, Any]) -> Retargeter:
    given = case["skeleton"]
    skeleton = Skeleton(tuple(given["names"]), tuple(given["parents"]), np.array(given["offsets_m"]))
    rig, character = parse_rig(case["rig"], "golden"), character_of(case)
    driven = drive(rig, rig.match(character.names, case["name_set"]), character)
    return Retargeter(skeleton, driven, case["scale"])


def assert_same_rotations(got: np.ndarray, want: np.ndarray) -> None:
    got, want = (q / np.linalg.norm(q, axis=-1, keepdims=True) for q in (got, want))
    chord = np.linalg.norm(rotation.same_sign(got, want) - want, axis=-1)
    assert np.degrees(4 * np.arcsin(chord / 2)).max() < 1e-5


def test_there_are_cases() -> None:
    assert len(CASES) >= 8
    assert len(RIGS) >= 8


def test_bones_are_matched_as_recorded(case: dict[str, Any]) -> None:
    matched = parse_rig(case["rig"], "golden").match(case["character"]["names"], case["name_set"])
    assert matched == {rig: bone for rig, bone in case["expected"]["matched"].items() if bone is not None}


def test_scale_and_alignment_are_as_recorded(case: dict[str, Any]) -> None:
    retargeter = retargeter_of(case)
    rows = [case["character"]["names"].index(name) for name in retargeter.driven.names]
    assert retargeter.scale == pytest.approx(case["expected"]["scale"], abs=1e-8)
    assert_same_rotations(retargeter.alignments_wxyz, array(case["expected"]["alignments_wxyz"])[rows])


def test_poses_are_as_recorded(case: dict[str, Any]) -> None:
    retargeter, given = retargeter_of(case), case["character"]
    rows = [given["names"].index(name) for name in retargeter.driven.names]
    B = array(given["orientations_wxyz"])[rows]
    convert = bone_conversions(ModelFrame(np.eye(3), 1.0), np.array([rotation.to_matrix(b) for b in B]))
    for pose, expected in zip(case["poses"], case["expected"]["poses"], strict=True):
        root_m, R = retargeter(np.array(pose["root_m"]), np.array(pose["rotations_wxyz"]))
        assert np.allclose(root_m, expected["root_m"], atol=1e-7)
        assert_same_rotations(R, array(expected["rotations_wxyz"])[rows])
        assert_same_rotations((convert @ R[:, :, None])[:, :, 0], array(expected["client_rotations_wxyz"])[rows])
        others = np.delete(array(expected["rotations_wxyz"]), rows, axis=0)
        assert np.allclose(others, rotation.IDENTITY)


@pytest.mark.parametrize("path", RIGS, ids=lambda path: path.stem)
def test_a_rig_file_is_read_and_finds_a_character_of_its_own(path: Path) -> None:
    rigs = [read_rig(other) for other in RIGS]
    rig = read_rig(path)
    names = [rig.prefixes[0].replace("#", "") + bone.name for bone in rig.bones]
    found, confidence = detect(names, rigs)[0]
    assert (found.name, confidence) == (rig.name, 1.0)


def test_a_rig_file_saved_for_a_character_reads_back_and_matches_it() -> None:
    rig = next(read_rig(path) for path in RIGS if path.stem == "mixamo")
    names = ["mixamorig:" + bone.name for bone in rig.bones if "Toe" not in bone.name]
    saved = parse_rig(json.loads(json.dumps(with_names(rig, "mine", rig.match(names)))), "mine.json")
    assert set(saved.match(names).values()) == set(rig.match(names).values())
    assert saved.coverage(names) == 1.0


def test_of_a_generated_rigify_rig_the_controls_are_driven() -> None:
    rig = next(read_rig(path) for path in RIGS if path.stem == "rigify")
    controls = [bone.aliases["fk"] for bone in rig.bones if "fk" in bone.aliases]
    assert best_name_set(rig, controls) == "fk"
    assert best_name_set(rig, [bone.aliases["metarig"] for bone in rig.bones if "metarig" in bone.aliases]) == "metarig"


def broken(change: Any) -> dict[str, Any]:
    content = copy.deepcopy(json.loads(next(path for path in RIGS if path.stem == "mixamo").read_text(encoding="utf-8")))
    change(content)
    return content


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.update(posewire_rig=2),
        lambda c: c.update(bones=[]),
        lambda c: c.update(bones=5),
        lambda c: c.update(colour="red"),
        lambda c: c["bones"][1].update(joint="tail"),
        lambda c: c["bones"][1].update(parent="nobody"),
        lambda c: c["bones"][1].update(share=2),
        lambda c: c["bones"][1].update(aim=7),
        lambda c: c["bones"][0].update(joint="head"),
        lambda c: c["bones"].append("bone"),
        lambda c: c["bones"].append(c["bones"][3]),
    ],
)
def test_a_wrong_rig_file_is_an_error_that_says_so(change: Any) -> None:
    with pytest.raises(LiveError, match="rig file"):
        parse_rig(broken(change), "mine.json")


def test_a_character_without_a_pelvis_is_an_error_that_says_what_to_do() -> None:
    rig = next(read_rig(path) for path in RIGS if path.stem == "mixamo")
    with pytest.raises(LiveError, match=r"pelvis.*pick the bone"):
        drive(rig, {}, Character((), (), np.empty((0, 3))))
