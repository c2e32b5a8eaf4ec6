"""What comes after VNect takes its joints: the fit, the lifters, the cards."""

from __future__ import annotations

import numpy as np
import pytest
from vnect_dots import BoxDetector, DotsSession, OneBody, frame, painted, standing_px

from posewire import plugins
from posewire.data import Track
from posewire.fit.points import NONE, make_points, marker_names
from posewire.lift import LiftStage
from posewire.methods import BoxEstimator, MethodOptions
from posewire.skeleton import MARKERS, REFERENCE
from posewire_lifting.lifter import open_lifter
from posewire_lifting.names import LIFTER_JOINTS
from posewire_vnect.estimator import VNect
from posewire_vnect.location_net import LocationNet
from posewire_vnect.names import JOINTS
from posewire_vnect.plugin import posewire_methods
from posewire_vnect.search import Search

MODELS = {"vae": "lifter_vae", "selfsup": "lifter_selfsup"}


def opened() -> VNect:
    net = LocationNet(DotsSession())  # type: ignore[arg-type]
    return VNect(net, Search(net, OneBody(None), BoxDetector((220, 100, 420, 420))))  # type: ignore[arg-type]


def test_the_fit_knows_every_joint() -> None:
    assert marker_names(JOINTS) == list(JOINTS)
    points = make_points(JOINTS)
    assert NONE not in (*points.hips, *points.shoulders)


def test_the_head_top_lies_at_the_crown_of_the_rest_pose() -> None:
    rest = REFERENCE.positions_m([0.0, REFERENCE.offsets_m[0, 1], 0.0], np.tile([1.0, 0, 0, 0], (len(REFERENCE.names), 1)))
    marker = MARKERS["head_top"]
    crown_m = rest[REFERENCE.index(marker.joint)] + marker.offset_m
    np.testing.assert_allclose(crown_m, [0.0, 1.70, 0.0], atol=1e-9)


@pytest.mark.parametrize("lifter", MODELS)
def test_a_lifter_takes_all_of_its_joints_from_vnect(lifter: str) -> None:
    assert set(LIFTER_JOINTS) <= set(JOINTS)
    picture = frame(painted(standing_px(320, 250, 300)))
    found = opened().estimate(picture)
    card = plugins.load().method(lifter)
    stage = LiftStage(open_lifter(MODELS[lifter], MethodOptions()), card, JOINTS)
    lifted = stage.lift(Track(0, found.keypoints_px[0], found.confidence[0], found.boxes_px[0]), 0.0, picture.camera)
    stage.close()
    assert lifted.keypoints_m is not None
    both = [JOINTS.index(name) for name in LIFTER_JOINTS]
    assert np.isfinite(lifted.keypoints_m[both]).all()
    head, foot = (lifted.keypoints_m[JOINTS.index(name), 1] for name in ("head_top", "left_ankle"))
    assert head < 0 < foot


def test_it_can_be_told_a_box() -> None:
    assert isinstance(opened(), BoxEstimator)


def test_the_cards_are_one_person_methods_with_a_licence_and_these_joints() -> None:
    cards = {card.name: card for card in posewire_methods()}
    assert list(cards) == ["vnect", "vnect-2scale", "vnect-steady"]
    assert all(
        card.joints == JOINTS and not card.multi_person and card.weights_licence == "Apache-2.0" for card in cards.values()
    )
