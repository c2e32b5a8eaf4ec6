"""Training samples: what the network has to say is what the camera saw; missing joints and new poses are as they claim."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from mover import moving

from posewire_data import bodies
from posewire_data.joints import JOINTS, ROOT, SELDOM_SEEN
from posewire_training.mixing import Mixing, mixed
from posewire_training.samples import (
    CLEAN,
    THIRTY_PERCENT,
    THIRTY_PERCENT_LATELY,
    THIRTY_PERCENT_THROUGHOUT,
    Augmentation,
    Disturbance,
    Hiding,
    Sampler,
)


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize("augmentation", [CLEAN, Augmentation(focal_error=0.0)], ids=["clean", "augmented"])
def test_the_target_projects_onto_the_points(augmentation: Augmentation) -> None:
    samples = Sampler(moving(), 1, augmentation).draw(rng(), 50)
    placed = samples.target_m + samples.root_m[:, None]
    image = placed[..., :2] / placed[..., 2:]
    np.testing.assert_allclose(image, samples.clean, atol=1e-5)
    points = samples.points[:, -1] * samples.size.exp()[:, None]
    others = [joint for joint in range(len(JOINTS)) if joint != ROOT]  # the 2D pelvis is the middle of the hips
    np.testing.assert_allclose(points[:, others], image[:, others], atol=1e-4)


def test_targets_are_root_relative_and_of_the_motions_size() -> None:
    motion = moving()
    samples = Sampler(motion).draw(rng(), 20)
    np.testing.assert_allclose(samples.target_m[:, ROOT], 0.0, atol=1e-6)
    lengths = bodies.bone_lengths_m(motion.frames_m()[:1])
    np.testing.assert_allclose(bodies.bone_lengths_m(samples.target_m.numpy()), np.broadcast_to(lengths, (20, 17)), atol=1e-4)


def test_a_windows_rows_before_the_clips_first_frame_are_unseen() -> None:
    sampler = Sampler(moving(frames=30), 9)
    samples = sampler.at(rng(), np.array([0, 29]))
    seen_rows = samples.seen.bool().any(dim=-1)
    assert seen_rows.tolist() == [[False] * 8 + [True], [True] * 9]


def test_thirty_percent_of_the_joints_are_hidden() -> None:
    seen = THIRTY_PERCENT.draw(rng(), 500, 3)
    assert seen.mean() == pytest.approx(0.7, abs=0.01)


def test_joints_that_are_hidden_lately_stay_hidden_until_now() -> None:
    hidden = ~THIRTY_PERCENT_LATELY.draw(rng(), 500, 9)
    assert hidden[:, -1].mean() == pytest.approx(0.3, abs=0.02)
    assert (hidden[:, 1:] >= hidden[:, :-1]).all()
    assert hidden[:, 0].mean() == pytest.approx(0.3 / 9, abs=0.01)


def test_joints_that_are_hidden_throughout_are_never_seen() -> None:
    hidden = ~THIRTY_PERCENT_THROUGHOUT.draw(rng(), 500, 9)
    assert hidden.mean() == pytest.approx(0.3, abs=0.02)
    assert (hidden == hidden[:, :1]).all()


def test_seldom_seen_joints_are_hidden_together() -> None:
    seen = Hiding(seldom=1.0, some=0.0, limb=0.0).draw(rng(), 20, 2)
    assert not seen[..., list(SELDOM_SEEN)].any()
    assert seen.sum() == 20 * 2 * (len(JOINTS) - len(SELDOM_SEEN))


def test_a_limb_is_hidden_for_the_whole_window() -> None:
    seen = Hiding(seldom=0.0, some=0.0, limb=1.0).draw(rng(), 50, 4)
    assert (seen == seen[:, :1]).all()
    assert set((~seen[:, 0]).sum(axis=-1)) <= {2, 4, 6}


def test_a_disturbance_is_steady_and_shaky_in_its_shares() -> None:
    rays = np.zeros((400, 30, 17, 2), np.float32) + 0.1 * np.arange(17, dtype=np.float32)[:, None]
    off = Disturbance(share=1.0, wild=0.0)(rng(), rays) - rays
    steady, shaky = off.mean(axis=1).std(), off.std(axis=1).mean()
    assert steady > 0 and shaky > 0
    assert np.allclose(Disturbance(share=0.0)(rng(), rays), rays)


def test_the_same_generator_draws_the_same_samples() -> None:
    sampler = Sampler(moving(), 3, Augmentation(), Hiding(), Disturbance())
    first, again = sampler.draw(rng(), 8), sampler.draw(rng(), 8)
    np.testing.assert_array_equal(first.points, again.points)
    np.testing.assert_array_equal(first.target_m, again.target_m)


def test_mixed_poses_are_new_and_keep_every_bones_length() -> None:
    positions = np.stack([moving(seed=seed).frames_m()[:2] for seed in range(12)])
    new = mixed(rng(), positions, Mixing(share=1.0))
    np.testing.assert_allclose(bodies.bone_lengths_m(new), bodies.bone_lengths_m(positions), atol=1e-4)
    assert np.linalg.norm(new - positions, axis=-1).mean() > 0.05
    np.testing.assert_array_equal(mixed(rng(), positions, Mixing(share=0.0)), positions)
