"""VNect with the bundled weights on real pictures, beside BlazePose on the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from vnect_dots import frame

import posewire_models
from posewire.bench.clip import bundled_frames
from posewire.cli import main
from posewire.data import FloatArray, Frame, ImageArray
from posewire.evaluate.motions import LIMB_JOINTS
from posewire.methods import MethodOptions
from posewire.pipeline import Pipeline, open_estimator
from posewire.settings import Settings
from posewire.take import Take
from posewire_blazepose.estimator import open_blazepose
from posewire_blazepose.names import KEYPOINT_NAMES
from posewire_vnect.estimator import VNect, open_vnect
from posewire_vnect.names import JOINTS

pytestmark = pytest.mark.skipif("vnect" not in posewire_models.cards(), reason="no weights yet")

LIMBS = [JOINTS.index(name) for name in LIMB_JOINTS]
THEIRS = [KEYPOINT_NAMES.index(name) for name in LIMB_JOINTS]
UPPER = [JOINTS.index(name) for name in LIMB_JOINTS if name.endswith(("shoulder", "elbow", "wrist"))]
IMAGES = [np.ascontiguousarray(one.image) for one in bundled_frames(13)[::3]]
"""Each (1920, 1080, 3): an athlete in front, a bystander at the left."""


class Film:
    """A source of these pictures."""

    live, frame_count = False, None

    def __init__(self, images: Sequence[ImageArray]) -> None:
        self._images = images

    def __iter__(self) -> Iterator[Frame]:
        return (frame(image, k) for k, image in enumerate(self._images))

    def close(self) -> None: ...


@pytest.fixture(scope="module")
def vnect() -> Iterator[VNect]:
    estimator = open_vnect(MethodOptions(threads=1))
    yield estimator
    estimator.close()


def test_it_follows_the_athlete_and_its_2d_agrees_with_blazeposes(vnect: VNect) -> None:
    blazepose = open_blazepose("blazepose_full", MethodOptions(threads=1))
    vnect.reset()
    for k, image in enumerate(IMAGES):
        ours, theirs = vnect.estimate(frame(image, k)), blazepose.estimate(frame(image, k))
        assert ours.people == theirs.people == 1
        distances_px = np.linalg.norm(ours.keypoints_px[0, LIMBS] - theirs.keypoints_px[0, THEIRS], axis=1)
        assert np.median(distances_px) < 0.05 * np.ptp(theirs.keypoints_px[0, THEIRS, 1])
    blazepose.close()


def test_it_stays_with_the_athlete_when_the_pictures_double_their_size() -> None:
    images = [cv2.resize(image, None, fx=size, fy=size) for image, size in zip(IMAGES, (0.5, 0.5, 1.0, 1.0), strict=False)]
    settings = Settings(method="vnect", threads=1)
    with Pipeline(Film(images), *open_estimator(settings), settings) as running:
        found = [instant.tracks[0].keypoints_px[LIMBS] / instant.frame.size_px[0] for instant in running]
    for before, after in pairwise(found):
        assert np.median(np.linalg.norm(after - before, axis=1)) < 0.05


def test_half_a_person_has_no_sure_ankles(vnect: VNect) -> None:
    vnect.reset()
    athlete = IMAGES[0][:, 180:860]  # the bystander has legs, and would be chosen
    hips = [JOINTS.index(f"{side}_hip") for side in ("left", "right")]
    cut = int(np.nanmean(vnect.estimate(frame(athlete)).keypoints_px[0, hips, 1]))
    vnect.reset()
    found = vnect.estimate(frame(athlete[:cut]))
    assert found.people == 1
    assert found.confidence[0, [JOINTS.index(f"{side}_ankle") for side in ("left", "right")]].max() < 0.4
    assert found.confidence[0, JOINTS.index("neck")] > 0.4


def test_who_is_followed_without_legs_is_seen_as_with_them(vnect: VNect) -> None:
    """A webcam's picture. In a window around the upper body alone, the arms are 0.18 of the trunk off."""
    whole = [np.ascontiguousarray(one.image[:, 180:860]) for one in bundled_frames(30)]  # without the bystander
    with_legs = followed(vnect, whole)
    trunk_px = np.linalg.norm(np.diff(with_legs[:, [JOINTS.index("neck"), JOINTS.index("pelvis")]], axis=1), axis=-1).mean()
    below_the_hips = int(with_legs[:, JOINTS.index("pelvis"), 1].mean() + 0.3 * trunk_px)
    without = followed(vnect, [image[:below_the_hips] for image in whole])
    assert np.linalg.norm((without - with_legs)[:, UPPER], axis=-1).mean() < 0.06 * trunk_px


def followed(vnect: VNect, images: Sequence[ImageArray]) -> FloatArray:
    """(T, J, 2) the person of each picture."""
    vnect.reset()
    found = [vnect.estimate(frame(image, k)) for k, image in enumerate(images)]
    assert [one.people for one in found] == [1] * len(images)
    return np.stack([one.keypoints_px[0] for one in found])


def test_somebody_larger_than_the_frame_is_seen(vnect: VNect) -> None:
    vnect.reset()
    points_px = vnect.estimate(frame(IMAGES[0])).keypoints_px[0]
    x, y = points_px[JOINTS.index("neck")].astype(int)
    close = np.ascontiguousarray(IMAGES[0][y - 170 : y + 330, x - 220 : x + 220])
    vnect.reset()
    found = vnect.estimate(frame(close))
    assert found.people == 1
    shoulders = [JOINTS.index(f"{side}_shoulder") for side in ("left", "right")]
    moved_px = points_px[shoulders] - [x - 220, y - 170]
    assert np.linalg.norm(found.keypoints_px[0, shoulders] - moved_px, axis=1).max() < 60


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_picture_gives_the_same_person(vnect: VNect, turns: int) -> None:
    vnect.reset()
    upright = vnect.estimate(frame(IMAGES[0])).keypoints_px[0, LIMBS]
    vnect.reset()
    found = vnect.estimate(frame(np.ascontiguousarray(np.rot90(IMAGES[0], turns))))
    points_px, sizes = upright, (1080, 1920)
    for k in range(turns):
        points_px = np.stack([points_px[:, 1], sizes[k % 2] - 1 - points_px[:, 0]], axis=1)
    distances_px = np.linalg.norm(found.keypoints_px[0, LIMBS] - points_px, axis=1)
    assert np.nanmedian(distances_px) < 60  # of a person of about 900 px


def test_grey_rgba_and_16_bit_files_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bgr = np.ascontiguousarray(IMAGES[0][::3, ::3, ::-1])
    grey = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    kinds = {
        "grey": grey,
        "rgba": cv2.cvtColor(bgr, cv2.COLOR_BGR2BGRA),
        "deep": bgr.astype(np.uint16) * 257,
        "odd": bgr[:601, :355],
    }
    for name, image in kinds.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), image)
    out = tmp_path / "found.npz"
    assert main(["detect", str(tmp_path), "--method", "vnect", "--threads", "1", "--out", str(out)]) == 0
    with np.load(out) as found:
        assert np.isfinite(found["keypoints_px"]).all(axis=-1).sum(axis=-1).min() >= 12
    capsys.readouterr()


@pytest.mark.parametrize("lifter", [None, "vae", "selfsup"])
def test_a_run_records_fitted_people_with_and_without_a_lifter(
    tmp_path: Path, lifter: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, take = tmp_path / "frames", tmp_path / "out.pwt"
    folder.mkdir()
    for k, image in enumerate(IMAGES[:3]):
        cv2.imwrite(str(folder / f"{k}.jpg"), image[::3, ::3, ::-1])
    more = ["--lifter", lifter] if lifter else []
    assert main(["run", str(folder), "--method", "vnect", "--threads", "1", "--out", str(take), *more]) == 0
    arrays = Take.open(take).arrays()
    assert arrays.keypoint_names == JOINTS
    assert np.isfinite(arrays.positions_m[:, 0]).all()
    assert np.isfinite(arrays.keypoints_m[:, 0, LIMBS]).any(axis=(0, 2)).sum() >= 10
    capsys.readouterr()
