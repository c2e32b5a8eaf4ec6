"""What a run makes of its settings: the world that moves to the floor, statures, profiles, contacts and held feet."""

from __future__ import annotations

import actor
import cv2
import numpy as np
import pytest
import stepper

from posewire import profiles, rotation, settings, skeleton
from posewire.bench.clip import bundled_frames
from posewire.cli import main
from posewire.data import Camera, Frame
from posewire.fit.contacts import FEET
from posewire.ground import world_from_floor
from posewire.metrics import slide_speeds_m_s
from posewire.people import People
from posewire.settings import Settings
from posewire.skeleton import MARKERS
from posewire.take import Take

IMAGE = np.zeros((1, 1, 3), np.uint8)
HEIGHT_M, PITCH_DEG = 1.4, 15.0


def over_the_floor(origin="assumed"):
    """A camera 1.4 m above the floor that looks down a little."""
    pitch = np.radians(PITCH_DEG)
    up = np.array([0.0, -np.cos(pitch), -np.sin(pitch)])
    T = world_from_floor(up, -HEIGHT_M * up)
    return Camera(1280, 720, actor.VIEW.K, actor.VIEW.distortion, T, origin)


def standing_m(person=skeleton.REFERENCE):
    """(J, 3) keypoints of somebody who stands upright on the floor, facing the camera."""
    angles = np.zeros(len(person.dofs))
    for side, sign in (("left", -1.0), ("right", 1.0)):
        angles[person.dof_names.index(f"{side}_shoulder_elevation")] = np.radians(sign * 65)
    local = person.joint_rotations(angles, [1.0, 0.0, 0.0, 0.0])
    joints, world = person.positions_m(person.offsets_m[0], local), person.world_rotations(local)
    scale = person.bone_lengths_m[1] / skeleton.REFERENCE.bone_lengths_m[1]
    at = [person.index(MARKERS[name].joint) for name in actor.NAMES]
    offsets = np.array([MARKERS[name].offset_m for name in actor.NAMES]) * scale

    return joints[at] + rotation.rotate(world[at], offsets)


def stops_m(seconds, fps=30.0):
    """(T, 3) where somebody stands who glides from place to place and rests at each."""
    places = np.array([[x, 0.0, z] for z in (-3.0, -3.6, -4.2) for x in (-0.8, 0.0, 0.8)])
    time_s = np.arange(int(seconds * fps)) / fps
    stop = (time_s // 1.0).astype(int) % len(places)
    share = np.clip((time_s % 1.0 - 0.6) / 0.4, 0.0, 1.0)[:, None]
    return time_s, places[stop] + share * (places[(stop + 1) % len(places)] - places[stop])


def fitted(people, tracks, camera, time_s):
    """The poses of a run and the cameras that they were said with."""
    poses, views = [], []
    for number, (track, t) in enumerate(zip(tracks, time_s.tolist(), strict=True)):
        frame = people.place(Frame(IMAGE, t, number, camera))
        found = people.fit([track], frame)
        poses += found
        views.append(frame.camera)
    return poses, views


@pytest.fixture(scope="module")
def walked():
    """Tracks of somebody who goes to nine places, seen by a camera that looks down."""
    time_s, places_m = stops_m(10.0)
    keypoints_m = standing_m() + places_m[:, None]
    return time_s, actor.tracks(keypoints_m, noise_m=0.005, noise_px=1.0, camera=over_the_floor())


def test_the_world_moves_to_the_floor_once_the_feet_have_shown_it(walked):
    time_s, tracks = walked
    poses, views = fitted(People(actor.NAMES, Settings()), tracks, actor.VIEW, time_s)
    origins = [view.origin for view in views]
    moved = origins.index("estimated")
    assert origins == ["assumed"] * moved + ["estimated"] * (len(origins) - moved)
    down = np.degrees(np.arcsin(-views[-1].T_world_camera[1, 2]))
    assert down == pytest.approx(PITCH_DEG, abs=3.0)
    assert views[-1].T_world_camera[1, 3] == pytest.approx(HEIGHT_M, abs=3.6 * np.radians(3.0))  # at the people's distance
    soles_m = np.array([pose.positions_m[list(FEET)] for pose in poses[-60:]])[..., 1]
    assert abs(np.median(soles_m)) < 0.05
    upright = np.array([pose.positions_m[skeleton.REFERENCE.index("neck")] - pose.positions_m[0] for pose in poses[-60:]])
    assert np.degrees(np.arccos(upright[:, 1] / np.linalg.norm(upright, axis=1))).max() < 10.0


def test_without_the_floor_the_world_stays_at_the_camera(walked):
    time_s, tracks = walked
    _, views = fitted(People(actor.NAMES, Settings(floor="none")), tracks[:150], actor.VIEW, time_s[:150])
    assert {id(view) for view in views} == {id(actor.VIEW)}


def test_a_calibrated_floor_says_how_tall_somebody_is():
    tall = skeleton.for_height(1.9)
    camera = over_the_floor("calibrated")
    keypoints_m = np.tile(standing_m(tall) + np.array([0.1, 0.0, -3.5]), (40, 1, 1))
    people = People(actor.NAMES, Settings())
    fitted(people, actor.tracks(keypoints_m, noise_m=0.005, noise_px=1.0, camera=camera), camera, np.arange(40) / 30.0)
    size = people.skeletons[7].bone_lengths_m.sum() / skeleton.REFERENCE.bone_lengths_m.sum()
    assert size == pytest.approx(1.9 / 1.7, rel=0.05)
    given = People(actor.NAMES, Settings(height_m=1.5))
    fitted(given, actor.tracks(keypoints_m, camera=camera), camera, np.arange(40) / 30.0)
    size = given.skeletons[7].bone_lengths_m.sum() / skeleton.REFERENCE.bone_lengths_m.sum()
    assert size == pytest.approx(1.5 / 1.7, rel=0.05)


def test_whoever_will_not_come_back_is_forgotten_but_not_who_a_profile_is_measured_on(walked):
    time_s, tracks = walked
    kept = {}
    for calibrate in (None, "anna"):
        people = People(actor.NAMES, Settings(calibrate=calibrate))
        fitted(people, tracks[:1], actor.VIEW, time_s[:1])
        people.forget_all_but([7])
        assert list(people.skeletons) == [7]
        people.forget_all_but([])
        kept[calibrate] = list(people.skeletons)
    assert kept == {None: [], "anna": [7]}


@pytest.fixture(scope="module")
def steps():
    time_s = np.arange(0.0, stepper.END_S, 1 / 30)
    return time_s, actor.tracks(stepper.keypoints_m(time_s), noise_m=0.03, noise_px=4.0)


def test_a_run_holds_feet_only_when_told(steps):
    time_s, tracks = steps
    slides = {}
    for holds in (False, True):
        poses, _ = fitted(People(actor.NAMES, Settings(lock_feet=holds, floor="none")), tracks, actor.VIEW, time_s)
        feet_m = np.array([pose.positions_m for pose in poses])[:, FEET]
        slides[holds] = np.median(slide_speeds_m_s(feet_m, np.array([pose.contacts for pose in poses]), time_s))
    assert slides[True] < 0.3 * slides[False]


def test_a_run_without_contacts_says_of_none(steps):
    time_s, tracks = steps
    poses, _ = fitted(People(actor.NAMES, Settings(contacts=False)), tracks[:10], actor.VIEW, time_s[:10])
    assert all(np.isnan(pose.contacts).all() for pose in poses)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """Twenty real frames, half size."""
    folder = tmp_path_factory.mktemp("frames")
    for number, frame in enumerate(bundled_frames(20)):
        assert cv2.imwrite(str(folder / f"{number:03}.png"), np.ascontiguousarray(frame.image[::2, ::2, ::-1]))
    return folder


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(settings, "default_path", lambda: tmp_path / "settings.toml")


def recorded(pictures, out, *flags):
    assert main(["run", str(pictures), "--out", str(out), *flags]) == 0
    return Take.open(out)


def test_a_measured_person_is_used_again_by_name(pictures, tmp_path, own_folder, capsys):
    first = recorded(pictures, tmp_path / "a.pwt", "--calibrate", "anna", "--height", "1.84")
    assert "--profile anna" in capsys.readouterr().err
    known = profiles.load("anna")
    assert known.height_m == 1.84
    again = recorded(pictures, tmp_path / "b.pwt", "--profile", "anna")
    (skeleton_said,) = again.skeletons.values()
    np.testing.assert_allclose(skeleton_said.bone_lengths_m, known.skeleton.bone_lengths_m, atol=1e-4)
    last = list(first.skeletons.values())[-1]
    np.testing.assert_allclose(last.bone_lengths_m, known.skeleton.bone_lengths_m, atol=1e-4)


def test_a_profile_without_a_said_height_holds_the_size_of_its_skeleton(pictures, tmp_path, own_folder):
    recorded(pictures, tmp_path / "a.pwt", "--calibrate", "berta")
    known = profiles.load("berta")
    usual = skeleton.for_height(known.height_m)
    assert known.height_m != skeleton.REFERENCE_HEIGHT_M
    joints = [usual.index(name) for name in ("spine", "chest", "neck", "head", "left_knee", "left_ankle")]
    assert known.skeleton.bone_lengths_m[joints].sum() == pytest.approx(usual.bone_lengths_m[joints].sum(), rel=1e-4)


def test_the_flags_of_a_run_reach_its_poses(pictures, tmp_path, own_folder):
    held = recorded(pictures, tmp_path / "a.pwt", "--lock-feet", "--floor", "none")
    assert any(pose.residuals["contact"] > 0.0 for frame in held for pose in frame.poses)
    free = recorded(pictures, tmp_path / "b.pwt", "--no-lock-feet", "--no-contacts")
    assert all(pose.residuals["contact"] == 0.0 for frame in free for pose in frame.poses)
    assert all(np.isnan(pose.contacts).all() for frame in free for pose in frame.poses)
    assert held.header.settings["floor"] == "none"
