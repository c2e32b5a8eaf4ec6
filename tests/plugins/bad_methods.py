"""Methods with one mistake each, and the conformance test that has to find it. A folder of them is installed as a plugin."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from posewire.data import Camera, Detections, FloatArray, Frame
from posewire.hookspecs import hookimpl
from posewire.methods import MethodCard, MethodOptions

JOINTS = ("head", "pelvis", "left_wrist", "right_wrist", "left_ankle")
BODY_M = np.array([[0.0, -0.7, 0.0], [0.0, 0.0, 0.0], [0.7, -0.5, 0.0], [-0.7, -0.5, 0.0], [0.1, 0.9, 0.0]])
"""(J, 3) root-relative, camera axes."""


class Good:
    """Sees the same person in the middle of every picture that is not of one colour."""

    def __init__(self, options: MethodOptions) -> None:
        self.max_people = options.max_people

    def estimate(self, frame: Frame) -> Detections:
        image = frame.image[::8, ::8]
        if (image == image[0, 0]).all():
            return self.nobody()
        return self.somebody(frame)

    def nobody(self) -> Detections:
        return Detections.nobody(len(JOINTS), with_3d=True)

    def somebody(self, frame: Frame) -> Detections:
        height, width = frame.image.shape[:2]
        keypoints_px = np.array([width / 2, height / 2]) + BODY_M[:, :2] * 0.4 * height + 0.01
        box_px = np.concatenate([keypoints_px.min(axis=0), keypoints_px.max(axis=0)])
        return Detections(keypoints_px[None], np.full((1, len(JOINTS)), 0.9), box_px[None], BODY_M[None])

    def reset(self) -> None:
        pass

    def close(self) -> None:
        pass


class WithoutSigmoid(Good):
    def somebody(self, frame: Frame) -> Detections:
        return replace(super().somebody(frame), confidence=np.full((1, len(JOINTS)), 7.5))


class NaNConfidence(Good):
    def somebody(self, frame: Frame) -> Detections:
        return replace(super().somebody(frame), confidence=np.full((1, len(JOINTS)), np.nan))


class ZeroForUnseen(Good):
    def somebody(self, frame: Frame) -> Detections:
        right = super().somebody(frame)
        keypoints_px, confidence = right.keypoints_px.copy(), right.confidence.copy()
        keypoints_px[:, 2], confidence[:, 2] = 0.0, 0.0
        return replace(right, keypoints_px=keypoints_px, confidence=confidence)


class ZeroWithConfidence(Good):
    def somebody(self, frame: Frame) -> Detections:
        right = super().somebody(frame)
        keypoints_px = right.keypoints_px.copy()
        keypoints_px[:, 2] = 0.0
        return replace(right, keypoints_px=keypoints_px)


class SeenButNaN(Good):
    def somebody(self, frame: Frame) -> Detections:
        right = super().somebody(frame)
        keypoints_px = right.keypoints_px.copy()
        keypoints_px[:, 2] = np.nan
        return replace(right, keypoints_px=keypoints_px)


class ZeroForUnknown3D(Good):
    def somebody(self, frame: Frame) -> Detections:
        return replace(super().somebody(frame), keypoints_m=np.where([[1], [0], [0], [0], [1]], BODY_M, 0.0)[None])


class OneKeypointTooMany(Good):
    def somebody(self, frame: Frame) -> Detections:
        right = super().somebody(frame)
        keypoints_px = np.concatenate([right.keypoints_px, right.keypoints_px[:, :1]], axis=1)
        return Detections(keypoints_px, np.full((1, len(JOINTS) + 1), 0.9), right.boxes_px)


class BoxAsWidthAndHeight(Good):
    def somebody(self, frame: Frame) -> Detections:
        right = super().somebody(frame)
        return replace(right, boxes_px=right.boxes_px * [1, 1, 0.1, 0.1])


class ShareOfThePicture(Good):
    def somebody(self, frame: Frame) -> Detections:
        right = super().somebody(frame)
        return replace(
            right, keypoints_px=right.keypoints_px / frame.image.shape[0], boxes_px=right.boxes_px / frame.image.shape[0]
        )


class Millimetres(Good):
    def somebody(self, frame: Frame) -> Detections:
        return replace(super().somebody(frame), keypoints_m=1000 * BODY_M[None])


class YUp(Good):
    def somebody(self, frame: Frame) -> Detections:
        return replace(super().somebody(frame), keypoints_m=BODY_M[None] * [1, -1, -1])


class NoMetreKnown(Good):
    def somebody(self, frame: Frame) -> Detections:
        return replace(super().somebody(frame), keypoints_m=BODY_M[None] * np.nan)


class CameraRelative(Good):
    def somebody(self, frame: Frame) -> Detections:
        return replace(super().somebody(frame), keypoints_m=BODY_M[None] + [0.0, 0.0, 3.0])


class MetresOnlySometimes(Good):
    def nobody(self) -> Detections:
        return Detections.nobody(len(JOINTS))


class SeesGhosts(Good):
    def nobody(self) -> Detections:
        return Detections(
            np.full((1, len(JOINTS), 2), 5.0), np.full((1, len(JOINTS)), 0.1), np.array([[0.0, 0, 9, 9]]), BODY_M[None]
        )


class SeesNobody(Good):
    def somebody(self, frame: Frame) -> Detections:
        return self.nobody()


class SeesTooMany(Good):
    def somebody(self, frame: Frame) -> Detections:
        one = super().somebody(frame)
        arrays = (one.keypoints_px, one.confidence, one.boxes_px, one.keypoints_m)
        return Detections(*(np.repeat(array, 2, axis=0) for array in arrays if array is not None))


class Remembers(Good):
    """Lets earlier frames shine through, and reset() does nothing."""

    drift_px = 0.0

    def somebody(self, frame: Frame) -> Detections:
        right = super().somebody(frame)
        self.drift_px += 0.5
        return replace(right, keypoints_px=right.keypoints_px + self.drift_px)


class Random(Good):
    def somebody(self, frame: Frame) -> Detections:
        right = super().somebody(frame)
        return replace(right, keypoints_px=right.keypoints_px + np.random.default_rng().normal(size=2))


class ReusesItsArrays(Good):
    buffer: FloatArray | None = None

    def somebody(self, frame: Frame) -> Detections:
        right = super().somebody(frame)
        if self.buffer is None:
            self.buffer = right.keypoints_px.copy()
        self.buffer[:] = right.keypoints_px + frame.index
        return replace(right, keypoints_px=self.buffer)


class WritesIntoThePicture(Good):
    def estimate(self, frame: Frame) -> Detections:
        frame.image[:9] = 0
        return super().estimate(frame)


class NeedsALargePicture(Good):
    def estimate(self, frame: Frame) -> Detections:
        if min(frame.image.shape[:2]) < 64:
            raise ValueError("too small")
        return super().estimate(frame)


class IgnoresItsWeights(Good):
    """Its card says that it takes a file."""


class ClosesOnce(Good):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class GoodLifter:
    """Knows one pose, and which keypoints it has seen now."""

    receptive_field = 9

    def __init__(self, options: MethodOptions) -> None:
        self.options = options

    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        return np.where(np.isnan(window_px[-1, :, :1]), np.nan, BODY_M)

    def close(self) -> None:
        pass


class LiftsThePast(GoodLifter):
    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        return super().lift(window_px[-self.receptive_field :][8:9], confidence, time_s, camera)


class LiftsAllRows(GoodLifter):
    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        return np.repeat(super().lift(window_px, confidence, time_s, camera)[None], len(window_px), axis=0)


class LiftsToMillimetres(GoodLifter):
    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        return 1000 * super().lift(window_px, confidence, time_s, camera)


class LiftsNobody(GoodLifter):
    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        return BODY_M.copy()


class LiftsUnseenToZero(GoodLifter):
    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        return np.nan_to_num(super().lift(window_px, confidence, time_s, camera))


class LiftsWithMemory(GoodLifter):
    last = 0.0

    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        self.last = 0.5 * self.last + 1e-5 * float(np.nanmean(window_px))
        return super().lift(window_px, confidence, time_s, camera) + self.last


class LiftsIntoOneArray(GoodLifter):
    buffer = np.zeros((len(JOINTS), 3))

    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        self.buffer[:] = super().lift(window_px, confidence, time_s, camera) * window_px[-1, 0, 0]
        return self.buffer


class LiftsInPlace(GoodLifter):
    def lift(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera) -> FloatArray:
        window_px -= window_px.mean()
        return super().lift(window_px, confidence, time_s, camera)


class LiftsOnceAndForAll(GoodLifter):
    closed = False

    def close(self) -> None:
        if self.closed:
            raise RuntimeError("closed already")
        self.closed = True


class SamplesAtRandom(GoodLifter):
    can_sample = True

    def sample(self, window_px: FloatArray, confidence: FloatArray, time_s: FloatArray, camera: Camera, count: int) -> FloatArray:
        pose = super().lift(window_px, confidence, time_s, camera)
        return pose + np.random.default_rng().normal(0.0, 0.02, (count, *pose.shape))


FOUND_BY = {
    WithoutSigmoid: "test_its_answers_have_the_shapes_and_nan_rules_of_detections",
    NaNConfidence: "test_its_answers_have_the_shapes_and_nan_rules_of_detections",
    ZeroForUnseen: "test_its_answers_have_the_shapes_and_nan_rules_of_detections",
    SeenButNaN: "test_its_answers_have_the_shapes_and_nan_rules_of_detections",
    ZeroForUnknown3D: "test_its_answers_have_the_shapes_and_nan_rules_of_detections",
    OneKeypointTooMany: "test_its_answers_have_the_shapes_and_nan_rules_of_detections",
    BoxAsWidthAndHeight: "test_its_answers_have_the_shapes_and_nan_rules_of_detections",
    ZeroWithConfidence: "test_its_keypoints_are_pixels_and_root_relative_metres_in_camera_axes",
    ShareOfThePicture: "test_its_keypoints_are_pixels_and_root_relative_metres_in_camera_axes",
    Millimetres: "test_its_keypoints_are_pixels_and_root_relative_metres_in_camera_axes",
    YUp: "test_its_keypoints_are_pixels_and_root_relative_metres_in_camera_axes",
    NoMetreKnown: "test_its_keypoints_are_pixels_and_root_relative_metres_in_camera_axes",
    CameraRelative: "test_its_keypoints_are_pixels_and_root_relative_metres_in_camera_axes",
    MetresOnlySometimes: "test_it_gives_metres_always_or_never",
    SeesGhosts: "test_an_empty_frame_is_nobody",
    SeesNobody: "test_it_sees_the_person",
    SeesTooMany: "test_max_people_is_kept",
    Remembers: "test_the_same_frames_after_reset_give_the_same_answers",
    Random: "test_a_fresh_one_gives_the_same_answers",
    ReusesItsArrays: "test_an_answer_is_not_changed_by_the_next_call",
    WritesIntoThePicture: "test_the_picture_is_not_written_to",
    NeedsALargePicture: "test_any_size_and_layout_of_picture_is_taken",
    IgnoresItsWeights: "test_a_weights_file_that_holds_none_is_refused",
    ClosesOnce: "test_close_may_be_called_twice",
    LiftsThePast: "test_a_standing_person_is_lifted_from_any_length_of_history",
    LiftsAllRows: "test_a_standing_person_is_lifted_from_any_length_of_history",
    LiftsToMillimetres: "test_a_standing_person_is_lifted_from_any_length_of_history",
    LiftsNobody: "test_a_person_of_whom_nothing_is_seen_is_unknown",
    LiftsUnseenToZero: "test_unseen_keypoints_are_taken",
    LiftsWithMemory: "test_two_people_in_turn_do_not_mix",
    LiftsIntoOneArray: "test_an_answer_is_not_changed_by_the_next_call",
    LiftsInPlace: "test_its_input_is_not_written_to",
    LiftsOnceAndForAll: "test_close_may_be_called_twice",
    SamplesAtRandom: "test_its_hypotheses_are_poses_and_the_same_for_the_same_window",
}
"""Every mistake and the test that names it."""


@hookimpl
def posewire_methods() -> list[MethodCard]:
    return [
        MethodCard(
            kind.__name__.lower(),
            "lifter" if issubclass(kind, GoodLifter) else "estimator",
            JOINTS,
            False,
            "no weights",
            "A method with a mistake",
            kind,
            weights=("bad.onnx",) if kind is IgnoresItsWeights else (),
        )
        for kind in (Good, GoodLifter, *FOUND_BY)
    ]
