"""The files that ship: they see everybody in one picture, upright or not wide, as int8."""

from __future__ import annotations

import numpy as np
import pytest

import posewire_models
from posewire.bench import many_people
from posewire.methods import MethodOptions
from posewire.testing import checks, pictures
from posewire_xnect.estimator import MODELS, open_xnect
from posewire_xnect.plugin import posewire_methods

CARD = posewire_methods()[0]


@pytest.mark.parametrize("people", [1, 5, 10])
def test_nearly_everybody_of_a_crowd_is_seen_and_nobody_else(people: int) -> None:
    frame = many_people.composed(many_people.cut_outs(many_people.bundled_frames(12)), people)[0]
    method = open_xnect(MethodOptions(max_people=16, threads=1))
    found = method.estimate(frame)
    method.close()
    checks.check_detections(found, CARD, 16)
    assert 0.8 * people <= found.people <= people + 2


def test_a_film_taken_upright_is_seen_upright() -> None:
    image = pictures.clip_images(1)[0]
    assert image.shape[0] > image.shape[1]
    method = open_xnect(MethodOptions(threads=1))
    found = method.estimate(pictures.frame(image))
    method.close()
    assert found.people == 1
    names = [CARD.joints.index(name) for name in ("neck", "pelvis")]
    neck, pelvis = found.keypoints_px[0, names]
    assert neck[1] < pelvis[1] and np.abs(pelvis - neck).max() > 150


def test_both_files_together_are_small() -> None:
    assert sum(posewire_models.model_path(name).stat().st_size for name in MODELS) < 6.5e6
