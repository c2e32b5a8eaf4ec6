"""The Unreal plugin, compiled against our stand-ins for the engine, against the real Python publisher."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streams import pose, publishing

from posewire import keys, rotation
from posewire.data import FloatArray
from posewire.retarget import bundled_rigs, read_rig, retarget, rig_skeleton
from posewire.skeleton import REFERENCE, for_height

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first test may have to build

UNREAL = Path(__file__).parents[2] / "unreal_bridge"


def probed(build: Path, connection: str, frames: int = 10, seconds: int = 30) -> dict[str, Any]:
    """What Live Link was told until every subject had so many frames."""
    command = [build / "stubs" / "posewire_plugin_probe", connection, str(frames), str(seconds)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout)


def unreal_positions_cm(subject: dict[str, Any]) -> FloatArray:
    """(B, 3) component-space positions of parent-space transforms, by Unreal's rules: x y z w, p = parent * local."""
    rotations, positions = [], []
    for parent, row in zip(subject["parents"], subject["transforms"], strict=True):
        q, p = np.array([row[3], *row[:3]]), np.array(row[4:])
        rotations.append(q if parent < 0 else rotation.multiply(rotations[parent], q))
        positions.append(p if parent < 0 else positions[parent] + rotation.rotate(rotations[parent], p))
    return np.array(positions)


def to_unreal_cm(positions_m: FloatArray) -> FloatArray:
    """(N, 3) x left, y up, z forward in metres -> x left, y forward, z up in centimetres."""
    return 100.0 * positions_m[:, [0, 2, 1]]


def test_every_person_is_a_subject_that_stands_where_the_engine_says(build: Path) -> None:
    people = [pose(i, for_height(1.6)) for i in range(10)]
    with publishing(people, skeleton=for_height(1.6)) as publisher:
        seen = probed(build, f"address={publisher.address};prefix=Stage ")
    assert sorted(seen["subjects"]) == sorted(f"Stage person {i}" for i in range(10))
    for person in people:
        subject = seen["subjects"][f"Stage person {person.person_id}"]
        assert tuple(subject["bones"]) == REFERENCE.names and tuple(subject["parents"]) == REFERENCE.parents
        np.testing.assert_allclose(unreal_positions_cm(subject), to_unreal_cm(person.positions_m), atol=1e-3)
        assert subject["described"] == 1 and subject["frames"] >= 10
        assert min(subject["ages_s"]) >= 0.0 and max(subject["ages_s"]) < 30.0


@pytest.mark.parametrize("name", [card.name for card in bundled_rigs()])
def test_a_rig_chosen_in_the_panel_gives_the_rigs_bones_as_python_retargets_them(build: Path, name: str) -> None:
    rig = read_rig(next(card.path for card in bundled_rigs() if card.name == name))
    person = pose(2)
    with publishing([person]) as publisher:
        seen = probed(build, f"address={publisher.address};rig={name}", frames=2)
    subject = seen["subjects"]["person 2"]
    target = retarget(person, REFERENCE, rig)
    want = rig_skeleton(rig, REFERENCE).positions_m(target.root_m, target.rotations_wxyz)
    assert tuple(subject["bones"]) == rig.names and tuple(subject["parents"]) == rig.parents
    np.testing.assert_allclose(unreal_positions_cm(subject), to_unreal_cm(want), atol=1e-3)


@pytest.mark.parametrize("has_key", [True, False], ids=["another publisher's key", "no key"])
def test_who_is_not_let_in_is_told_so_and_sees_nobody(build: Path, tmp_path: Path, has_key: bool) -> None:
    keys.add("studio", tmp_path / "here")
    wrong = keys.add("stranger", tmp_path / "elsewhere")
    with publishing([pose(0)], keys=tmp_path / "here") as publisher:
        connection = f"address={publisher.address}" + (f";key={wrong}" if has_key else "")
        seen = probed(build, connection, frames=1, seconds=4)
    assert "does not let this client in" in seen["status"] and seen["subjects"] == {}


def test_the_right_key_brings_the_person(build: Path, tmp_path: Path) -> None:
    key = keys.add("studio", tmp_path)
    with publishing([pose(0)], keys=tmp_path) as publisher:
        seen = probed(build, f"address={publisher.address};key={key}", frames=1)
    assert list(seen["subjects"]) == ["person 0"]


def test_after_shutdown_no_subject_is_left(build: Path) -> None:
    with publishing([pose(0)]) as publisher:
        seen = probed(build, f"address={publisher.address}", frames=1)
    assert seen["left_after_shutdown"] == 0 and seen["valid_after_shutdown"] is False


def test_the_package_is_whole_and_stands_alone(tmp_path: Path) -> None:
    package = UNREAL / "PosewireLiveLink" / "package.py"
    prefix = tmp_path / "zmq"
    for file in ("include/zmq.h", "lib/libzmq-v143-mt-4_3_5.lib", "bin/libzmq-v143-mt-4_3_5.dll"):
        (prefix / file).parent.mkdir(parents=True, exist_ok=True)
        (prefix / file).write_bytes(b"")
    command = [sys.executable, str(package), str(tmp_path / "Plugins"), "--libzmq", str(prefix), "--platform", "Win64"]
    for _ in range(2):  # an update replaces
        subprocess.run(command, check=True, capture_output=True)
    plugin = tmp_path / "Plugins" / "PosewireLiveLink"
    description = json.loads((plugin / "PosewireLiveLink.uplugin").read_text(encoding="utf-8"))
    for module in description["Modules"]:
        assert (plugin / "Source" / module["Name"] / f"{module['Name']}.Build.cs").is_file()
    private = plugin / "Source" / "PosewireLiveLink" / "Private" / "Core"
    assert (private / "include" / "posewire" / "receiver.h").is_file() and (private / "src" / "decode.cpp").is_file()
    assert {path.stem for path in (plugin / "Resources" / "Rigs").glob("*.json")} == {card.name for card in bundled_rigs()}
    assert sorted(path.name for path in plugin.glob("Source/ThirdParty/LibZmq/lib/Win64/*")) == sorted(
        ["libzmq-v143-mt-4_3_5.lib", "libzmq-v143-mt-4_3_5.dll"]
    )
    missing = subprocess.run([*command[:-1], "Linux"], capture_output=True, text=True, check=False)
    assert missing.returncode == 1 and "no libzmq" in missing.stderr
