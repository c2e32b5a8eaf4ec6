"""Do identities last? Real footage of one person, composed into scenes of several, run through the pipeline and counted.

What `posewire eval --identity` prints. The footage is the bundled clip's, so the numbers say how well people are told apart
and found again, not how well the method sees in general.
"""

from posewire.evaluate.identity.cutouts import Footage, cut_out
from posewire.evaluate.identity.following import SceneScore, follow_scenes
from posewire.evaluate.identity.report import identity_json, identity_table
from posewire.evaluate.identity.scenes import SCENES, Actor, Scene, Screen

__all__ = [
    "SCENES",
    "Actor",
    "Footage",
    "Scene",
    "SceneScore",
    "Screen",
    "cut_out",
    "follow_scenes",
    "identity_json",
    "identity_table",
]
