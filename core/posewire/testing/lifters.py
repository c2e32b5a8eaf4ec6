"""The tests that every lifter must pass."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import pytest

from posewire.data import FloatArray
from posewire.methods import Lifter, MethodCard, SamplingLifter
from posewire.testing import checks, standing_person
from posewire.testing.imports import check_that_loading_is_light

if TYPE_CHECKING:
    from posewire.testing.pytest_plugin import Opener

_SPEED_CALLS = 50
_SAME_M = 1e-5
_HYPOTHESES = 6


class LifterConformance:
    """Inherit from it in a test file and set `method`; the names of the tests say what must hold."""

    method: ClassVar[str]
    """Name of an installed lifter."""
    size_m: ClassVar[tuple[float, float]] = checks.SIZE_M
    """Allowed distance between the farthest keypoints of a person 1.75 m tall; change it for faces or hands."""

    def test_its_card_is_a_lifter(self, posewire_card: MethodCard) -> None:
        assert posewire_card.kind == "lifter"

    def test_loading_its_plugin_imports_no_network(self) -> None:
        check_that_loading_is_light()

    def test_its_receptive_field_is_a_number_of_frames(self, posewire_lifter: Lifter) -> None:
        assert isinstance(posewire_lifter.receptive_field, int)
        assert posewire_lifter.receptive_field >= 1

    @pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
    def test_a_standing_person_is_lifted_from_any_length_of_history(
        self, posewire_lifter: Lifter, posewire_card: MethodCard, share: float
    ) -> None:
        frames = max(1, round(share * posewire_lifter.receptive_field))
        window = standing_person.window(posewire_card.joints, frames)
        keypoints_m = window.lifted_by(posewire_lifter)
        self._check(keypoints_m, posewire_card)
        lifted = np.isfinite(keypoints_m).all(axis=-1)
        checks.require(lifted.mean() >= 0.5, "less than half of a person in full view lifted")
        checks.check_person_m(keypoints_m, window.keypoints_px[-1], self.size_m)

    @pytest.mark.parametrize("unseen_share", [0.2, 0.8])
    def test_unseen_keypoints_are_taken(self, posewire_lifter: Lifter, posewire_card: MethodCard, unseen_share: float) -> None:
        window = self._window(posewire_lifter, posewire_card)
        unseen = np.random.default_rng(0).random(window.confidence.shape) < unseen_share
        self._check(window.with_unseen(unseen).lifted_by(posewire_lifter), posewire_card)

    def test_a_person_of_whom_nothing_is_seen_is_unknown(self, posewire_lifter: Lifter, posewire_card: MethodCard) -> None:
        window = self._window(posewire_lifter, posewire_card)
        keypoints_m = window.with_unseen(np.ones(window.confidence.shape, bool)).lifted_by(posewire_lifter)
        self._check(keypoints_m, posewire_card)
        checks.require(np.isnan(keypoints_m).all(), "nothing is seen: every keypoint must be NaN")

    def test_two_people_in_turn_do_not_mix(self, posewire_lifter: Lifter, posewire_card: MethodCard) -> None:
        window = self._window(posewire_lifter, posewire_card)
        first = window.lifted_by(posewire_lifter).copy()
        window.moved(1.0, 40.0).lifted_by(posewire_lifter)
        again = window.lifted_by(posewire_lifter)
        message = "the same window gave another answer: lift() must keep nothing of the calls before"
        np.testing.assert_allclose(again, first, rtol=0, atol=_SAME_M, err_msg=message)

    def test_a_fresh_one_gives_the_same_answer(
        self, posewire_lifter: Lifter, posewire_card: MethodCard, posewire_open: Opener
    ) -> None:
        window = self._window(posewire_lifter, posewire_card)
        answers = [window.lifted_by(lifter) for lifter in (posewire_lifter, cast(Lifter, posewire_open(1)))]
        np.testing.assert_allclose(*answers, rtol=0, atol=_SAME_M, err_msg="another instance gave another answer")

    def test_an_answer_is_not_changed_by_the_next_call(self, posewire_lifter: Lifter, posewire_card: MethodCard) -> None:
        window = self._window(posewire_lifter, posewire_card)
        answer = window.lifted_by(posewire_lifter)
        remembered = answer.copy()
        window.moved(0.5, 0.0).lifted_by(posewire_lifter)
        np.testing.assert_array_equal(answer, remembered, "a later call wrote into an earlier answer: return copies")

    def test_its_input_is_not_written_to(self, posewire_lifter: Lifter, posewire_card: MethodCard) -> None:
        window = self._window(posewire_lifter, posewire_card)
        for array in (window.keypoints_px, window.confidence, window.time_s):
            array.flags.writeable = False  # a lifter that writes fails here
        window.lifted_by(posewire_lifter)

    def test_its_hypotheses_are_poses_and_the_same_for_the_same_window(
        self, posewire_lifter: Lifter, posewire_card: MethodCard
    ) -> None:
        if not (isinstance(posewire_lifter, SamplingLifter) and posewire_lifter.can_sample):
            pytest.skip("it has one answer only")
        window = self._window(posewire_lifter, posewire_card)
        poses = window.sampled_by(posewire_lifter, _HYPOTHESES)
        shape = (_HYPOTHESES, len(posewire_card.joints), 3)
        checks.require(np.shape(poses) == shape, f"sample() must return (count, J, 3) = {shape}, not {np.shape(poses)}")
        for pose in poses:
            self._check(pose, posewire_card)
        message = "the same window gave other hypotheses: draw from a generator with a fixed seed"
        np.testing.assert_allclose(window.sampled_by(posewire_lifter, _HYPOTHESES), poses, rtol=0, atol=_SAME_M, err_msg=message)
        unseen = window.with_unseen(np.ones(window.confidence.shape, bool)).sampled_by(posewire_lifter, _HYPOTHESES)
        checks.require(np.isnan(unseen).all(), "nothing is seen: every hypothesis must be NaN")

    def test_close_may_be_called_twice(self, posewire_open: Opener) -> None:
        lifter = posewire_open(1)
        lifter.close()
        lifter.close()

    def test_its_speed_is_reported(
        self, posewire_lifter: Lifter, posewire_card: MethodCard, posewire_speed: Callable[[str, list[float]], None]
    ) -> None:
        window = self._window(posewire_lifter, posewire_card)
        seconds: list[float] = []
        for _ in range(_SPEED_CALLS):
            start = perf_counter()
            window.lifted_by(posewire_lifter)
            seconds.append(perf_counter() - start)
        posewire_speed(f"lift, {posewire_lifter.receptive_field} frames of history", seconds)

    def _window(self, lifter: Lifter, card: MethodCard) -> standing_person.Window:
        return standing_person.window(card.joints, lifter.receptive_field)

    def _check(self, keypoints_m: FloatArray, card: MethodCard) -> None:
        shape = np.shape(keypoints_m)
        checks.require(shape == (len(card.joints), 3), f"lift() must return (J, 3) = ({len(card.joints)}, 3), not {shape}")
        checks.check_keypoints_m(keypoints_m)
