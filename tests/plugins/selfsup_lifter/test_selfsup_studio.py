"""Virtual cameras see the motion where it is, and only as 2D; the file keeps what they saw."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the trainers need posewire[train]")

from walking_person import walking  # noqa: E402

from posewire.errors import PosewireError, SettingsError  # noqa: E402
from posewire_data import bodies  # noqa: E402
from posewire_data.joints import JOINTS, MIRROR  # noqa: E402
from posewire_selfsup_lifter import studio  # noqa: E402
from posewire_selfsup_lifter.extrinsics import triangulated  # noqa: E402
from posewire_selfsup_lifter.settings import SelfsupSettings  # noqa: E402
from posewire_selfsup_lifter.views import Extrinsics, MultiView2D, read_views, write_views  # noqa: E402
from posewire_training.real import RealClips  # noqa: E402

MOTION = walking(40)
TRUTH_M = MOTION.frames_m()


def triangulated_instant(views, instant):
    row = instant if views.extrinsics.centre_m.shape[0] > 1 else 0
    rays = views.rays[instant].transpose(1, 0, 2)  # (J, V, 2)
    return triangulated(rays, views.extrinsics.R_camera_world[row], views.extrinsics.centre_m[row])


def test_the_studio_s_cameras_agree_on_every_joint():
    views = studio.studio_views(MOTION, more=2)
    assert views.views == 6
    for instant in (0, 20, 39):
        np.testing.assert_allclose(triangulated_instant(views, instant), TRUTH_M[instant], atol=1e-5)


def test_random_cameras_agree_on_every_joint_and_differ_from_instant_to_instant():
    views = studio.virtual_views(MOTION, 60, seed=0, views=3)
    for instant in (0, 33, 59):
        found = triangulated_instant(views, instant)
        assert np.abs(found - TRUTH_M).max(axis=(1, 2)).min() < 1e-4  # one of the recorded poses
    assert len(np.unique(views.extrinsics.centre_m[:, 0, 0])) == 60


def test_the_same_seed_gives_the_same_views_and_another_does_not():
    first, again, other = (studio.virtual_views(MOTION, 10, seed=seed).rays for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.01


def test_casting_changes_bones_and_mirrors_half_of_the_poses():
    cast = studio.Casting(proportions=0.1, mirror=True).of(np.repeat(TRUTH_M[:1], 400, axis=0), np.random.default_rng(0))
    lengths = bodies.bone_lengths_m(cast)[:, 5]
    assert 0.05 < lengths.std() / lengths.mean() < 0.2
    facing = np.sign(cast[:, 9, 2] - cast[:, 0, 2])  # the nose: a mirrored pose faces the same way, its left is on the other side
    left_side = np.sign(cast[:, 4, 0] - cast[:, 1, 0])
    assert (facing == facing[0]).all()
    assert (left_side > 0).all()  # left and right are renamed in the mirror
    plain = studio.Casting(mirror=True).of(np.repeat(TRUTH_M[5:6], 400, axis=0), np.random.default_rng(0))
    as_recorded = np.abs(plain - TRUTH_M[5]).max(axis=(1, 2)) < 1e-5
    assert 0.4 < as_recorded.mean() < 0.6
    np.testing.assert_allclose(plain[~as_recorded][0], TRUTH_M[5][list(MIRROR)] * [-1, 1, 1], atol=1e-5)


def test_some_people_get_human_proportions_and_the_views_say_which():
    views = studio.virtual_views(MOTION, 400, seed=0, casting=studio.Casting(real=RealClips(0.4)))
    assert 0.3 < views.like_real.mean() < 0.5
    found = np.stack([triangulated_instant(views, instant) for instant in range(0, 400, 4)])
    thighs_m = bodies.bone_lengths_m(found)[:, JOINTS.index("left_knee")]
    own_m = bodies.bone_lengths_m(TRUTH_M)[:, JOINTS.index("left_knee")]
    real = views.like_real[::4] > 0
    own = (thighs_m > own_m.min() - 1e-4) & (thighs_m < own_m.max() + 1e-4)
    assert own[~real].all()
    assert not own[real].all()


@pytest.mark.parametrize(("cameras", "count"), [("virtual", 2), ("studio", 4), ("studio+virtual", 12)])
def test_the_settings_choose_the_cameras(cameras, count):
    assert studio.views_for(SelfsupSettings(cameras=cameras, instants=50), MOTION).views == count


def test_motion_has_no_given_cameras():
    with pytest.raises(SettingsError, match="no given cameras"):
        studio.views_for(SelfsupSettings(cameras="given"), MOTION)


def test_a_file_keeps_what_was_seen(tmp_path):
    views = studio.virtual_views(MOTION, 20, seed=0, casting=studio.Casting(real=RealClips(0.5)))
    write_views(views, tmp_path / "views.npz")
    again = read_views(tmp_path / "views.npz")
    np.testing.assert_allclose(again.rays, views.rays, atol=1e-6)
    np.testing.assert_array_equal(again.extrinsics.centre_m, views.extrinsics.centre_m)
    np.testing.assert_array_equal(again.like_real, views.like_real)
    np.testing.assert_array_equal(again.rows(np.arange(5)).like_real, views.like_real[:5])
    assert again.joints == views.joints and again.extrinsics.scale == "calibrated"


def test_one_view_and_cameras_of_other_views_are_refused():
    views = studio.virtual_views(MOTION, 20, seed=0)
    with pytest.raises(PosewireError, match="One view"):
        MultiView2D(views.joints, views.rays[:, :1], views.confidence[:, :1])
    three = studio.virtual_views(MOTION, 20, seed=0, views=3)
    with pytest.raises(PosewireError, match="other views"):
        views.with_extrinsics(three.extrinsics)
    with pytest.raises(PosewireError, match="scale"):
        Extrinsics(views.extrinsics.R_camera_world, views.extrinsics.centre_m, "a guess")


def test_an_unseen_keypoint_with_weight_is_refused():
    views = studio.virtual_views(MOTION, 20, seed=0)
    rays = views.rays.copy()
    rays[3, 1, 4] = np.nan
    with pytest.raises(PosewireError, match="Confidence"):
        MultiView2D(views.joints, rays, views.confidence)
