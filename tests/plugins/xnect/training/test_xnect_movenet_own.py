"""What MoveNet says itself, read where it was planted: its joints by name, its centres, and how far these reach."""

from __future__ import annotations

import numpy as np
import pytest
from xnect_scenes import SHAPE, inside, row

torch = pytest.importorskip("torch", reason="XNect's networks need torch: pip install 'posewire[train]'")

from posewire_data.joints import JOINTS  # noqa: E402
from posewire_xnect import association, encodings, targets  # noqa: E402
from posewire_xnect.movenet_own import FINER, KNOWN, LEAST, OF_KNOWN, CentreReadOut, with_own_heatmaps  # noqa: E402
from posewire_xnect.readout import ReadOut  # noqa: E402
from posewire_xnect.skeleton import NECK, PELVIS, J  # noqa: E402
from posewire_xnect.targets import FloatArray  # noqa: E402

COCO = {
    "nose": 0,
    "left_shoulder": 5,
    "right_shoulder": 6,
    "left_elbow": 7,
    "right_elbow": 8,
    "left_wrist": 9,
    "right_wrist": 10,
    "left_hip": 11,
    "right_hip": 12,
    "left_knee": 13,
    "right_knee": 14,
    "left_ankle": 15,
    "right_ankle": 16,
}
"""Number of each keypoint (Lin et al. 2014); left is the person's own."""
CELLS = (24, 32)
"""Of MoveNet's maps."""


def test_every_joint_that_movenet_knows_is_its_keypoint_of_that_name() -> None:
    assert {JOINTS[joint]: keypoint for joint, keypoint in zip(KNOWN, OF_KNOWN, strict=True)} == COCO


def test_known_joints_come_from_the_keypoints_and_no_others_do() -> None:
    keypoints = torch.linspace(-3.0, 3.0, 17)[None, :, None, None].expand(2, 17, 16, 24)
    finer = with_own_heatmaps(torch.zeros(2, J, 8, 12), keypoints)
    assert finer.shape == (2, J, 16, 24)
    for joint, name in enumerate(JOINTS):
        due = torch.sigmoid(torch.tensor(-3.0 + 6.0 * COCO[name] / 16)) if name in COCO else torch.tensor(0.0)
        torch.testing.assert_close(finer[:, joint], due.expand(2, 16, 24))


def test_the_other_joints_lie_where_they_lay_in_the_coarser_cells() -> None:
    y, x = torch.meshgrid(torch.arange(8.0), torch.arange(12.0), indexing="ij")
    finer = with_own_heatmaps((x + 100 * y).expand(1, J, 8, 12), torch.zeros(1, 17, 16, 24))[0, NECK]
    fine_y, fine_x = torch.meshgrid(torch.arange(16.0), torch.arange(24.0), indexing="ij")
    due = (fine_x + 0.5) / 2 - 0.5 + 100 * ((fine_y + 0.5) / 2 - 0.5)
    torch.testing.assert_close(finer[1:-1, 1:-1], due[1:-1, 1:-1])


def finer_maps(points: FloatArray, visible: np.ndarray) -> FloatArray:
    """(J, 2 h, 2 w) the same peaks as targets.heatmaps, in cells half as wide."""
    shape = (FINER * SHAPE[0], FINER * SHAPE[1])
    maps = np.zeros((J, *shape))
    for person, joint in np.argwhere(visible):
        peak = targets.gaussian((points[person, joint] + 0.5) * FINER - 0.5, shape, FINER * targets.SIGMA)
        maps[joint] = np.maximum(maps[joint], peak)
    return maps.astype(np.float32)


def test_finer_heatmaps_are_read_in_the_fields_cells_and_so_are_their_encodings() -> None:
    points, _ = row(4, 3)
    visible = inside(points)
    heat, fields = targets.heatmaps(points, visible, SHAPE), targets.affinity_fields(points, visible, SHAPE)
    number = np.broadcast_to(np.arange(SHAPE[0] * SHAPE[1], dtype=np.float32).reshape(SHAPE), (3 * J, *SHAPE))
    rest = torch.from_numpy(fields)[None], torch.from_numpy(number.copy())[None]
    coarse = ReadOut()(torch.from_numpy(heat)[None], *rest)
    fine = ReadOut(finer=FINER)(torch.from_numpy(finer_maps(points, visible))[None], *rest)
    count = 0
    for joint in range(J):
        for own in points[visible[:, joint], joint]:
            gaps = (fine.peaks[0, joint, :, :2] - torch.from_numpy(own)).norm(dim=1) + 100 * (fine.peaks[0, joint, :, 2] == 0)
            assert gaps.min() < 0.15  # below a quarter of our cell: half of a finer one
            beside = (coarse.peaks[0, joint, :, :2] - fine.peaks[0, joint, gaps.argmin(), :2]).norm(dim=1)
            assert beside.min() < 0.3
            cell = int(fine.encodings[0, joint, gaps.argmin(), 0])
            y, x = divmod(cell, SHAPE[1])
            assert abs(x - own[0]) < 0.65 and abs(y - own[1]) < 0.65
            count += 1
    assert count == int(visible.sum()) > 40
    assert (fine.peaks[..., 2] > 0).sum() == count
    assert (fine.integrals > 0).sum() == (coarse.integrals > 0).sum() > 3 * J / 2


def test_people_are_grown_from_finer_heatmaps_as_from_coarser_ones() -> None:
    points, joints_m = row(2, 3)
    visible = inside(points)
    maps = targets.affinity_fields(points, visible, SHAPE), encodings.encode(points, joints_m, visible, SHAPE)[0]
    rest = [torch.from_numpy(part)[None] for part in maps]
    said = ReadOut(finer=FINER)(torch.from_numpy(finer_maps(points, visible))[None], *rest)
    peaks = said.peaks[0].double().numpy()
    people = association.assemble(association.Peaks(peaks[..., :2], peaks[..., 2]), said.integrals[0].double().numpy())
    assert len(people.points) == 3
    own = people.points[[int(np.linalg.norm(people.points[:, NECK] - body[NECK], axis=-1).argmin()) for body in points]]
    assert np.nanmax(np.linalg.norm(own - points, axis=-1)[visible]) < 0.3


def planted(bodies: list[FloatArray], cells: list[tuple[int, int]], heights: list[float]) -> tuple[object, object]:
    """Logits (1, 1, h, w) of centres at these cells x, y, and reach (1, 34, h, w) to the bodies (17, 2) x, y, cells; rubbish
    everywhere else."""
    centre = torch.full((1, 1, *CELLS), -6.0)
    reach = 9.0 * torch.randn(1, 34, *CELLS)
    for body, (x, y), height in zip(bodies, cells, heights, strict=True):
        centre[0, 0, y, x] = float(np.log(height / (1 - height)))
        away = body - np.array([x, y])
        reach[0, 0::2, y, x] = torch.from_numpy(away[:, 1]).float()
        reach[0, 1::2, y, x] = torch.from_numpy(away[:, 0]).float()
    return centre, reach


def body(seed: int) -> FloatArray:
    """(17, 2) keypoints anywhere in MoveNet's maps."""
    return np.random.default_rng(seed).uniform((0, 0), CELLS[::-1], (17, 2))


def test_a_centre_reaches_for_the_joints_that_were_planted_the_surest_first() -> None:
    bodies, cells, heights = [body(0), body(1), body(2)], [(3, 20), (29, 2), (16, 11)], [0.5, 0.9, 0.7]
    scores, guesses = CentreReadOut()(*planted(bodies, cells, heights))
    assert scores.shape == (1, association.CANDIDATES) and guesses.shape == (1, association.CANDIDATES, J, 2)
    torch.testing.assert_close(scores[0, :3], torch.tensor([0.9, 0.7, 0.5]))
    assert (scores[0, 3:] == 0).all() and (guesses[0, 3:] == 0).all()
    for person, planted_at in enumerate((bodies[1], bodies[2], bodies[0])):
        at = (planted_at + 0.5) / 2 - 0.5  # from cells of 4 px to cells of 8
        said = guesses[0, person].numpy()
        for name, keypoint in COCO.items():
            np.testing.assert_allclose(said[JOINTS.index(name)], at[keypoint], atol=1e-5)


def test_what_movenet_does_not_know_is_guessed_between_and_beyond_what_it_knows() -> None:
    _, guesses = CentreReadOut()(*planted([body(0)], [(5, 7)], [0.8]))
    said = dict(zip(JOINTS, guesses[0, 0].numpy(), strict=True))
    neck, pelvis = ((said[f"left_{part}"] + said[f"right_{part}"]) / 2 for part in ("shoulder", "hip"))
    np.testing.assert_allclose(said[JOINTS[NECK]], neck, atol=1e-5)
    np.testing.assert_allclose(said[JOINTS[PELVIS]], pelvis, atol=1e-5)
    np.testing.assert_allclose(said["chest"], (neck + pelvis) / 2, atol=1e-5)
    np.testing.assert_allclose(said["head_top"], said["nose"] + (said["nose"] - neck) / 2, atol=1e-5)


def test_of_centres_side_by_side_the_highest_stays_and_what_is_low_is_nobody() -> None:
    cells = [(10, 10), (12, 11), (10, 16), (25, 5)]
    scores, guesses = CentreReadOut()(*planted([body(seed) for seed in range(4)], cells, [0.6, 0.8, 0.3, 0.9 * LEAST]))
    torch.testing.assert_close(scores[0, :3], torch.tensor([0.8, 0.3, 0.0]))
    nobody, nowhere = CentreReadOut()(*planted([], [], []))
    assert not nobody.any() and not nowhere.any() and guesses[0, :2].any()


def test_each_picture_of_a_batch_has_its_own_centres() -> None:
    one, other = (planted([body(seed)], [(4 + seed, 9)], [0.4 + 0.1 * seed]) for seed in (0, 1))
    both = CentreReadOut()(*(torch.cat(pair) for pair in zip(one, other, strict=True)))
    for picture, alone in enumerate((one, other)):
        for said, due in zip(both, CentreReadOut()(*alone), strict=True):
            torch.testing.assert_close(said[picture : picture + 1], due)
