"""XNect's 2D as a lifter's source, through the real command on real frames."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from posewire.bench.clip import bundled_frames
from posewire.cli import main
from posewire.data import FloatArray
from posewire.evaluate.motions import LIMB_JOINTS
from posewire.metrics import pa_mpjpe_m
from posewire.take import Take

FRAMES = 12


@pytest.fixture(scope="module")
def takes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Take]:
    """Frames of the bundled clip, by XNect alone and with a lifter; and by BlazePose, another opinion."""
    folder = tmp_path_factory.mktemp("downstream")
    (folder / "clip").mkdir()
    for number, frame in enumerate(bundled_frames(FRAMES)):
        cv2.imwrite(str(folder / "clip" / f"{number:02d}.jpg"), frame.image[::2, ::2, ::-1])
    flags = {"xnect": ["--method", "xnect"], "vae": ["--method", "xnect", "--lifter", "vae"], "blazepose": []}
    for name, chosen in flags.items():
        assert main(["run", str(folder / "clip"), "--threads", "1", *chosen, "--out", str(folder / f"{name}.pwt")]) == 0
    return {name: Take.open(folder / f"{name}.pwt") for name in flags}


def limbs_m(take: Take) -> FloatArray:
    """(T, 12, 3) what was seen or lifted."""
    arrays = take.arrays()
    return arrays.keypoints_m[:, 0, [arrays.keypoint_names.index(name) for name in LIMB_JOINTS]].astype(np.float64)


def test_a_lifter_replaces_the_3d_of_xnect_and_everybody_seen_is_fitted(takes: dict[str, Take]) -> None:
    own, lifted = takes["xnect"].arrays(), takes["vae"].arrays()
    assert (takes["vae"].header.method, takes["vae"].header.lifter) == ("xnect", "vae")
    np.testing.assert_array_equal(lifted.keypoints_px, own.keypoints_px)
    assert lifted.keypoints_px.shape == (FRAMES, 1, 17, 2) and np.isfinite(lifted.positions_m).all()
    assert np.median(np.linalg.norm(lifted.keypoints_m - own.keypoints_m, axis=-1)) > 0.01


@pytest.mark.parametrize("name", ["xnect", "vae"])
def test_both_agree_with_another_method_on_who_balances_there(takes: dict[str, Take], name: str) -> None:
    said, other = limbs_m(takes[name]), limbs_m(takes["blazepose"])
    assert pa_mpjpe_m(said, other) < 0.08 < pa_mpjpe_m(said, other[:, ::-1])
