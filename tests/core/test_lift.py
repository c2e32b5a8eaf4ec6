"""Lifting: whose history a lifter gets, in which order, and what comes back under which name."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from posewire import camera
from posewire.data import Camera, FloatArray, Track
from posewire.errors import DeviceError, PluginError
from posewire.lift import FILLED_CONFIDENCE, HYPOTHESES, SPREAD_M, LiftStage, trusted
from posewire.methods import Lifter, MethodCard, MethodOptions

CAMERA = camera.assumed(64, 48)
ESTIMATOR = ("nose", "left_hip", "right_hip", "left_knee")
LIFTER = ("left_knee", "pelvis", "right_hip", "left_hip")
FPS = 50.0


class Spy:
    """A lifter that writes down what it gets and answers (x, y of the last row, number of rows)."""

    def __init__(self, receptive_field: int = 5) -> None:
        self.receptive_field = receptive_field
        self.windows: list[tuple[FloatArray, FloatArray, FloatArray]] = []
        self.closed = 0

    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        self.windows.append((window_px, confidence, time_s))
        rows = np.full((window_px.shape[1], 1), float(len(window_px)))
        return np.concatenate([np.nan_to_num(window_px[-1]), rows], axis=1)

    def close(self) -> None:
        self.closed += 1


class Answer(Spy):
    """A lifter whose answer is given."""

    def __init__(self, answer: Callable[[], object]) -> None:
        super().__init__()
        self.answer = answer

    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        return self.answer()  # type: ignore[return-value]


def card(lifter: Lifter) -> MethodCard:
    def create(_: MethodOptions) -> Lifter:
        return lifter

    return MethodCard("spy", "lifter", LIFTER, False, "none", "a spy", create)


def stage(lifter: Lifter, names: tuple[str, ...] = ESTIMATOR) -> LiftStage:
    return LiftStage(lifter, card(lifter), names)


def track(person_id: int = 1, at: float = 0.0) -> Track:
    keypoints_px = np.array([[at + 10 * i, at + 10 * i + 1] for i in range(len(ESTIMATOR))])
    return Track(person_id, keypoints_px, np.linspace(0.1, 0.4, len(ESTIMATOR)), np.array([0.0, 0, 50, 50]))


def test_the_result_is_in_the_estimators_order_and_nan_where_the_lifter_has_no_joint() -> None:
    lifted = stage(Spy()).lift(track(), 0.0, CAMERA)
    assert lifted.keypoints_m is not None
    np.testing.assert_array_equal(lifted.keypoints_m[:, :2], [[np.nan, np.nan], [10, 11], [20, 21], [30, 31]])
    np.testing.assert_array_equal(lifted.keypoints_px, track().keypoints_px)


def test_a_joint_that_the_estimator_lacks_is_unseen_for_the_lifter() -> None:
    spy = Spy()
    stage(spy).lift(track(), 0.0, CAMERA)
    window_px, confidence, _ = spy.windows[0]
    np.testing.assert_array_equal(window_px[0], [[30, 31], [np.nan, np.nan], [20, 21], [10, 11]])
    np.testing.assert_allclose(confidence[0], [0.4, 0.0, 0.3, 0.2])


def test_a_window_grows_to_the_receptive_field_and_ends_now() -> None:
    spy = Spy(receptive_field=5)
    lift = stage(spy)
    for i in range(9):
        lift.lift(track(at=float(i)), i / FPS, CAMERA)
    assert [len(times) for _, _, times in spy.windows] == [1, 2, 3, 4, 5, 5, 5, 5, 5]
    window_px, confidence, time_s = spy.windows[-1]
    np.testing.assert_allclose(time_s, np.arange(4, 9) / FPS)
    np.testing.assert_allclose(window_px[:, 3, 0], 10 + np.arange(4, 9))
    assert window_px.shape == (5, 4, 2)
    assert confidence.shape == (5, 4)


def test_a_window_that_a_lifter_kept_does_not_change() -> None:
    spy = Spy(receptive_field=3)
    lift = stage(spy)
    for i in range(4):
        lift.lift(track(at=float(i)), i / FPS, CAMERA)
    np.testing.assert_allclose(spy.windows[2][2], np.arange(3) / FPS)


def test_people_have_separate_histories() -> None:
    spy = Spy()
    lift = stage(spy)
    for i in range(3):
        for person in (1, 2):
            lift.lift(track(person, at=100.0 * person), i / FPS, CAMERA)
    window_px, _, time_s = spy.windows[-1]
    assert len(time_s) == 3
    assert (window_px[:, 3, 0] == 210).all()


def test_a_short_gap_is_filled_with_unseen_rows() -> None:
    spy = Spy(receptive_field=10)
    lift = stage(spy)
    for i in (0, 1, 2, 5):
        lift.lift(track(at=float(i)), i / FPS, CAMERA)
    window_px, confidence, time_s = spy.windows[-1]
    np.testing.assert_allclose(time_s, np.arange(6) / FPS)
    np.testing.assert_array_equal(np.isnan(window_px[:, 3, 0]), [False, False, False, True, True, False])
    assert (confidence[3:5] == 0).all()


@pytest.mark.parametrize("then_s", [0.06, 2.0, -1.0, 0.04], ids=["continues", "long gap", "backwards", "same instant"])
def test_a_long_gap_or_time_going_backwards_starts_anew(then_s: float) -> None:
    spy = Spy()
    lift = stage(spy)
    for i in range(3):
        lift.lift(track(), i / FPS, CAMERA)
    lift.lift(track(), then_s, CAMERA)
    assert len(spy.windows[-1][2]) == (4 if then_s == 0.06 else 1)


def test_a_lifter_of_one_frame_gets_one_row() -> None:
    spy = Spy(receptive_field=1)
    lift = stage(spy)
    for i in (0, 1, 5):
        lift.lift(track(), i / FPS, CAMERA)
    assert [len(times) for _, _, times in spy.windows] == [1, 1, 1]


def test_keypoints_that_are_all_nan_reach_the_lifter() -> None:
    unseen = Track(1, np.full((4, 2), np.nan), np.zeros(4), np.full(4, np.nan))
    assert stage(Spy()).lift(unseen, 0.0, CAMERA).keypoints_m is not None


def test_reset_forgets_and_close_reaches_the_lifter() -> None:
    spy = Spy()
    lift = stage(spy)
    lift.lift(track(), 0.0, CAMERA)
    lift.reset()
    lift.lift(track(), 1 / FPS, CAMERA)
    assert len(spy.windows[-1][2]) == 1
    lift.close()
    lift.close()
    assert spy.closed == 2


def test_a_joint_with_an_infinite_coordinate_is_nan() -> None:
    answer = np.zeros((4, 3), np.float32)
    answer[0, 1] = np.inf
    lifted = stage(Answer(lambda: answer)).lift(track(), 0.0, CAMERA).keypoints_m
    assert lifted is not None
    assert lifted.dtype == np.float64
    np.testing.assert_array_equal(np.isnan(lifted).all(axis=1), [True, False, False, True])


def test_no_common_keypoint_is_an_error_that_lists_both() -> None:
    with pytest.raises(PluginError, match=r"spy(.|\n)*tail(.|\n)*left_knee"):
        stage(Spy(), ("tail", "fin"))


@pytest.mark.parametrize("answer", [lambda: np.zeros((3, 3)), lambda: None, lambda: np.zeros((4, 3), int), lambda: 1 / 0])
def test_a_broken_lifter_is_named(answer: Callable[[], object]) -> None:
    with pytest.raises(PluginError, match="lifter spy failed"):
        stage(Answer(answer)).lift(track(), 0.0, CAMERA)


def test_a_lifters_own_posewire_error_passes_through() -> None:
    def fail() -> object:
        raise DeviceError("no such device")

    with pytest.raises(DeviceError):
        stage(Answer(fail)).lift(track(), 0.0, CAMERA)


class Doubter(Spy):
    """A lifter whose hypotheses of the first joint lie SPREAD_M apart, the others on one point; the last is unknown."""

    can_sample = True

    def sample(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera, count: int) -> FloatArray:
        poses = np.zeros((count, window_px.shape[1], 3))
        poses[::2, 0, 2], poses[1::2, 0, 2] = SPREAD_M, -SPREAD_M
        poses[:, -1] = np.nan
        return poses


def test_hypotheses_that_disagree_halve_the_confidence_of_their_joint() -> None:
    before, after = track(), stage(Doubter()).lift(track(), 0.0, CAMERA)
    by_name = dict(zip(ESTIMATOR, after.confidence / before.confidence, strict=True))
    assert by_name == pytest.approx({"nose": 1.0, "left_hip": 1.0, "right_hip": 1.0, "left_knee": 0.5})


def test_a_lifter_that_cannot_sample_leaves_the_confidence_alone() -> None:
    doubter = Doubter()
    doubter.can_sample = False
    for lifter in (Spy(), doubter):
        np.testing.assert_array_equal(stage(lifter).lift(track(), 0.0, CAMERA).confidence, track().confidence)


def test_a_joint_that_is_filled_in_gets_some_confidence_and_an_unknown_one_none() -> None:
    hypotheses = np.zeros((HYPOTHESES, 2, 3))
    hypotheses[:, 1] = np.nan
    np.testing.assert_allclose(trusted(np.zeros(2), hypotheses), [FILLED_CONFIDENCE, 0.0])


def test_hypotheses_of_another_shape_name_the_lifter() -> None:
    class Broken(Doubter):
        def sample(
            self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera, count: int
        ) -> FloatArray:
            return np.zeros((count + 1, 4, 3))

    with pytest.raises(PluginError, match="lifter spy failed"):
        stage(Broken()).lift(track(), 0.0, CAMERA)


@pytest.mark.parametrize("member", ["receptive_field", "can_sample"])
def test_a_property_that_raises_names_the_lifter_and_the_line(member: str) -> None:
    broken = type("Broken", (Doubter,), {member: property(lambda _: 1 / 0)})
    lifter = object.__new__(broken)
    lifter.windows = []
    if member == "can_sample":
        lifter.receptive_field = 1
    with pytest.raises(PluginError, match=r"lifter spy failed(.|\n)*ZeroDivisionError(.|\n)*test_lift\.py, line \d+"):
        stage(lifter).lift(track(), 0.0, CAMERA)
