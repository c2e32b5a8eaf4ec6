"""Samples that are like real clips: human proportions, BlazePose's joints, its noise; the rest stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from mover import moving

from posewire_data import bodies
from posewire_data.joints import JOINTS, SELDOM_SEEN
from posewire_training.real import HUMAN_LENGTHS_M, RealClips
from posewire_training.samples import Hiding, Sampler


def rng() -> np.random.Generator:
    return np.random.default_rng(5)


def lengths_m(real: RealClips) -> np.ndarray:
    return bodies.bone_lengths_m(Sampler(moving(), real=real).draw(rng(), 300).target_m.numpy())


def test_the_bones_lie_between_the_motions_and_the_tables() -> None:
    own_m = bodies.bone_lengths_m(moving().frames_m()[0])
    mean_m = lengths_m(RealClips(share=1.0, human=1.0)).mean(axis=0)
    for side in ("left", "right"):
        for part, human_m in HUMAN_LENGTHS_M.items():
            joint = JOINTS.index(part if part in JOINTS else f"{side}_{part}")
            low, high = sorted((own_m[joint], human_m))
            assert 0.97 * low < mean_m[joint] < 1.03 * high


def test_without_any_change_the_bones_are_the_motions_own() -> None:
    own_m = bodies.bone_lengths_m(moving().frames_m()[:1])
    plain = RealClips(share=1.0, human=0.0, proportions=0.0, widths=0.0)
    np.testing.assert_allclose(lengths_m(plain), np.broadcast_to(own_m, (300, len(JOINTS))), atol=1e-4)


def test_the_network_sees_blazeposes_joints_and_the_target_has_them_all() -> None:
    samples = Sampler(moving(), real=RealClips(share=1.0)).draw(rng(), 300)
    never = [joint for joint in SELDOM_SEEN if JOINTS[joint] != "pelvis"]  # the pelvis is made of the hips
    assert not samples.seen[..., never].any()
    assert 0.8 < float(samples.seen[..., JOINTS.index("left_wrist")].mean()) < 1.0  # now and then it is not sure enough
    assert bool(samples.target_m.isfinite().all())


def test_the_other_samples_are_exact() -> None:
    samples = Sampler(moving(), real=RealClips(share=0.5)).draw(rng(), 200)
    points = samples.points[:, -1] * samples.size.exp()[:, None]
    exact = (points - samples.clean).abs().amax(dim=-1)[:, 1:].amax(dim=-1) < 1e-4
    assert 0.4 < float(exact.float().mean()) < 0.6


def test_a_spell_hides_a_joint_for_a_stretch_of_frames() -> None:
    hiding = Hiding(seldom=0.0, some=0.0, limb=0.0, spell=1.0)
    hidden = ~hiding.draw(rng(), 200, 9)
    changes = (hidden[:, 1:] != hidden[:, :-1]).sum(axis=1)
    assert changes.max() == 2  # begins and ends once
    assert 0.1 < hidden.mean() < 0.2
