"""The BVH reader: what Posewire's own export says, and files that are none."""

import numpy as np
import pytest
from moving import walking_bvh

from posewire.errors import TakeError
from posewire.evaluate.refit.clips import clips_of
from posewire.skeleton import REFERENCE
from posewire_data.bvh import parse_bvh
from posewire_data.errors import DatasetError

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


def test_joints_lie_where_the_angles_put_them():
    motion = parse_bvh(TINY, "tiny.bvh")
    assert motion.names == ("a", "b", "b_end")
    assert motion.frame_time_s == 0.5
    positions, _ = motion.transforms()
    np.testing.assert_allclose(positions[0], [[0, 0, 0], [0, 2, 0], [0, 3, 0]])
    # 90 degrees about z lay the bone along -x; 90 about the child's x, which is the world's y then, turn its end to +z
    np.testing.assert_allclose(positions[1], [[1, 0, 0], [-1, 0, 0], [-1, 0, 1]], atol=1e-12)


def test_an_export_of_posewire_reads_back_as_the_motion_it_was_made_from(tmp_path):
    path, positions_m = walking_bvh(tmp_path)
    motion = parse_bvh(path.read_text(encoding="utf-8"), path.name)
    assert motion.frame_time_s == pytest.approx(1 / 60)
    joints = [motion.names.index(name) for name in ("left_wrist", "right_toe", "head")]
    expected_m = positions_m[:, [REFERENCE.index(motion.names[j]) for j in joints]]
    np.testing.assert_allclose(motion.transforms()[0][:, joints] / 100.0, expected_m, atol=2e-5)


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
    with pytest.raises(DatasetError, match=r"motion\.bvh"):
        next(clips_of(written(tmp_path, text), np.random.default_rng(0), seconds=1.0, most=1))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(TakeError, match=r"motion\.bvh cannot be read"):
        next(clips_of(tmp_path / "motion.bvh", np.random.default_rng(0), seconds=1.0, most=1))
