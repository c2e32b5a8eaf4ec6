"""Values that flow: shapes are checked once, arrays are read-only."""

import numpy as np
import pytest

from posewire.data import Detections, Track


def test_arrays_in_values_cannot_be_written():
    detections = Detections(np.zeros((1, 3, 2)), np.ones((1, 3)), np.zeros((1, 4)))
    with pytest.raises(ValueError, match="read-only"):
        detections.keypoints_px[0, 0, 0] = 1.0


def test_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="shape"):
        Detections(np.zeros((1, 4, 2)), np.ones((1, 3)), np.zeros((1, 4)))
    with pytest.raises(ValueError, match="shape"):
        Track(1, np.zeros((3, 2)), np.ones(3), np.zeros(4), keypoints_m=np.zeros((3, 2)))


def test_nobody_has_no_rows_but_knows_its_joints():
    nobody = Detections.nobody(5, with_3d=True)
    assert (nobody.people, nobody.keypoints_px.shape) == (0, (0, 5, 2))
    assert nobody.keypoints_m is not None
    assert nobody.keypoints_m.shape == (0, 5, 3)
