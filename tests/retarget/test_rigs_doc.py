"""docs/RIGS.md is true: its example is a rig, and its tables name what there is."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import numpy as np
from characters import random_pose

from posewire.retarget import bundled_rigs, retarget
from posewire.rigs import RigBone, parse_rig
from posewire.skeleton import REFERENCE

TEXT = (Path(__file__).parents[2] / "docs" / "RIGS.md").read_text(encoding="utf-8")
KEYS = {key for cells in re.findall(r"^\| (`[^|]*) \|", TEXT, re.MULTILINE) for key in re.findall(r"`([^`]+)`", cells)}


def test_example_is_a_usable_rig() -> None:
    example = re.search(r"```json\n(.*?)```", TEXT, re.DOTALL)
    assert example is not None
    rig = parse_rig(json.loads(example[1]), "docs/RIGS.md")
    assert np.isfinite(retarget(random_pose(np.random.default_rng(0)), REFERENCE, rig).rotations_wxyz).all()


def test_every_bundled_rig_is_listed() -> None:
    assert {card.name for card in bundled_rigs()} <= KEYS


def test_every_key_of_a_bone_is_explained() -> None:
    assert {field.name for field in fields(RigBone)} <= KEYS
