"""The tests that every estimator must pass."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, ClassVar, cast

import numpy as np
import pytest

from posewire import plugins
from posewire.data import Detections, Frame, ImageArray
from posewire.errors import PosewireError
from posewire.methods import Estimator, MethodCard, MethodOptions
from posewire.testing import checks, pictures
from posewire.testing.imports import check_that_loading_is_light

if TYPE_CHECKING:
    from posewire.testing.pytest_plugin import Opener


_CROWD_PICTURES = 3
"""They are four times as wide, so a few must do."""


class EstimatorConformance:
    """Inherit from it in a test file and set `method`; the names of the tests say what must hold."""

    method: ClassVar[str]
    """Name of an installed estimator."""
    size_m: ClassVar[tuple[float, float]] = checks.SIZE_M
    """Allowed distance between a person's farthest keypoints; change it for a method of faces or hands."""

    def person_images(self) -> Sequence[ImageArray]:
        """Consecutive RGB pictures (H, W, 3) with a person; override it for a method that needs other pictures."""
        return pictures.clip_images()

    def test_its_card_is_an_estimator(self, posewire_card: MethodCard) -> None:
        assert posewire_card.kind == "estimator"

    def test_loading_its_plugin_imports_no_network(self) -> None:
        check_that_loading_is_light()

    def test_it_sees_the_person(self, posewire_estimator: Estimator) -> None:
        assert any(detections.people for detections in self._run(posewire_estimator)), "nobody seen in pictures with a person"

    def test_its_answers_have_the_shapes_and_nan_rules_of_detections(
        self, posewire_estimator: Estimator, posewire_card: MethodCard
    ) -> None:
        for detections in self._run(posewire_estimator):
            checks.check_detections(detections, posewire_card, max_people=1)

    def test_its_keypoints_are_pixels_and_root_relative_metres_in_camera_axes(self, posewire_estimator: Estimator) -> None:
        answers = self._run(posewire_estimator)
        checks.check_some_metres(answers)
        for frame, detections in zip(self._frames(), answers, strict=True):
            checks.check_pixels(detections, frame)
            if detections.keypoints_m is not None:
                for keypoints_m, keypoints_px in zip(detections.keypoints_m, detections.keypoints_px, strict=True):
                    checks.check_person_m(keypoints_m, keypoints_px, self.size_m)

    @pytest.mark.parametrize("name", pictures.EMPTY)
    def test_an_empty_frame_is_nobody(self, posewire_estimator: Estimator, posewire_card: MethodCard, name: str) -> None:
        detections = posewire_estimator.estimate(pictures.frame(pictures.empty_image(name)))
        checks.check_detections(detections, posewire_card, max_people=1)
        assert detections.people == 0, f"somebody seen in a {name} picture"

    def test_it_gives_metres_always_or_never(self, posewire_estimator: Estimator) -> None:
        answers = self._run(posewire_estimator)
        answers.append(posewire_estimator.estimate(pictures.frame(pictures.empty_image("grey"))))
        assert len({detections.keypoints_m is None for detections in answers}) == 1, "keypoints_m must be None always or never"

    @pytest.mark.parametrize("name", pictures.ODD)
    def test_any_size_and_layout_of_picture_is_taken(
        self, posewire_estimator: Estimator, posewire_card: MethodCard, name: str
    ) -> None:
        detections = posewire_estimator.estimate(pictures.frame(pictures.odd_image(name)))
        checks.check_detections(detections, posewire_card, max_people=1)

    def test_the_same_frames_after_reset_give_the_same_answers(self, posewire_estimator: Estimator) -> None:
        first = self._run(posewire_estimator)
        posewire_estimator.estimate(pictures.frame(pictures.odd_image("noise")))
        posewire_estimator.reset()
        for one, other in zip(first, self._run(posewire_estimator), strict=True):
            checks.check_same(one, other, "the same frames after reset() gave another answer")

    def test_a_fresh_one_gives_the_same_answers(self, posewire_estimator: Estimator, posewire_open: Opener) -> None:
        fresh = cast(Estimator, posewire_open(1))
        for one, other in zip(self._run(posewire_estimator), self._run(fresh), strict=True):
            checks.check_same(one, other, "another instance gave another answer")

    def test_an_answer_is_not_changed_by_the_next_call(self, posewire_estimator: Estimator) -> None:
        answers: list[Detections] = []
        remembered: list[Detections] = []
        for frame in self._frames():
            answers.append(posewire_estimator.estimate(frame))
            remembered.append(copy.deepcopy(answers[-1]))
        for answer, copied in zip(answers, remembered, strict=True):
            checks.check_same(answer, copied, "a later call wrote into an earlier answer: return copies", tolerance=0.0)

    def test_the_picture_is_not_written_to(self, posewire_estimator: Estimator) -> None:
        image = self.person_images()[0].copy()
        before = image.copy()
        posewire_estimator.estimate(pictures.frame(image))
        np.testing.assert_array_equal(image, before, "estimate() wrote into the picture")

    @pytest.mark.parametrize("max_people", [1, 2, 3])
    def test_max_people_is_kept(self, posewire_open: Opener, posewire_card: MethodCard, max_people: int) -> None:
        estimator = cast(Estimator, posewire_open(max_people))
        allowed = max_people if posewire_card.multi_person else 1
        for index, image in enumerate(self.person_images()[:_CROWD_PICTURES]):
            detections = estimator.estimate(pictures.frame(np.hstack([image, image, image, image]), index))
            checks.check_detections(detections, posewire_card, allowed)

    def test_a_weights_file_that_holds_none_is_refused(self, posewire_card: MethodCard, tmp_path: Path) -> None:
        if not posewire_card.weights:
            pytest.skip("it takes no weights files")
        files = tuple(tmp_path / name for name in posewire_card.weights)
        for path in files:
            path.write_text("no weights", encoding="utf-8")
        with pytest.raises(PosewireError):
            plugins.open_method(posewire_card, MethodOptions(weights=files)).close()

    def test_close_may_be_called_twice(self, posewire_open: Opener) -> None:
        estimator = posewire_open(1)
        estimator.close()
        estimator.close()

    def test_its_speed_is_reported(
        self, posewire_estimator: Estimator, posewire_speed: Callable[[str, list[float]], None]
    ) -> None:
        seconds: list[float] = []
        for frame in self._frames():
            start = perf_counter()
            posewire_estimator.estimate(frame)
            seconds.append(perf_counter() - start)
        height, width = self.person_images()[0].shape[:2]
        posewire_speed(f"estimate {width}x{height}", seconds)

    def _frames(self) -> list[Frame]:
        """The pictures with a person, as frames of a film."""
        return [pictures.frame(image, index) for index, image in enumerate(self.person_images())]

    def _run(self, estimator: Estimator) -> list[Detections]:
        """The answers for them, each copied at once."""
        return [copy.deepcopy(estimator.estimate(frame)) for frame in self._frames()]
