"""The BVH reader: what Posewire's own export says, and files that are none."""

import numpy as np
import pytest
from moving import walking_bvh

from posewire.errors import TakeError
from posewire.evaluate.refit.bvh import read_bvh
from posewire.skeleton import REFERENCE

TINY = """HIERARCHY
ROOT a
{
 OFFSET 0 0 0
 CHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation
 JOINT b
 {
  OFFSET 0 2 0
  CHANNELS 3 Zrotation Xrotation Yrotation
  End Site
  {
   OFFSET 0 1 0
  }
 }
}
MOTION
Frames: 2
Frame Time: 0.5
0 0 0 0 0 0 0 0 0
1 0 0 90 0 0 0 90 0
"""


def written(folder, text):
    path = folder / "motion.bvh"
    path.write_text(text, encoding="utf-8")
    return path


def test_joints_lie_where_the_angles_put_them(tmp_path):
    motion = read_bvh(written(tmp_path, TINY))
    assert motion.names == ("a", "b", "b_end")
    assert motion.interval_s == 0.5
    np.testing.assert_allclose(motion.rest, [[0, 0, 0], [0, 2, 0], [0, 3, 0]])
    np.testing.assert_allclose(motion.positions[0], motion.rest)
    # 90 degrees about z lay the bone along -x; 90 about the child's x, which is the world's y then, turn its end to +z
    np.testing.assert_allclose(motion.positions[1], [[1, 0, 0], [-1, 0, 0], [-1, 0, 1]], atol=1e-12)


def test_an_export_of_posewire_reads_back_as_the_motion_it_was_made_from(tmp_path):
    path, positions_m = walking_bvh(tmp_path)
    motion = read_bvh(path)
    assert motion.interval_s == pytest.approx(1 / 60)
    joints = [motion.names.index(name) for name in ("left_wrist", "right_toe", "head")]
    expected_m = positions_m[:, [REFERENCE.index(motion.names[j]) for j in joints]]
    np.testing.assert_allclose(motion.positions[:, joints] / 100.0, expected_m, atol=2e-5)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no motion at all",
        TINY.replace("}\n}\n", "}\n"),
        TINY.replace("Zrotation", "Wrotation"),
        TINY.replace("Frames: 2", "Frames: 3"),
    ],
)
def test_a_file_that_is_no_bvh_is_named(tmp_path, text):
    with pytest.raises(TakeError, match=r"motion\.bvh cannot be read"):
        read_bvh(written(tmp_path, text))
