"""What the tracker can be told."""

from __future__ import annotations

from dataclasses import dataclass

from posewire.errors import SettingsError


@dataclass(frozen=True, slots=True)
class TrackSettings:
    """How identities are kept. The defaults are for people who fill a tenth of the picture or more, at any frame rate."""

    max_people: int = 1
    """At most so many tracks a frame; those already known come first."""
    birth_confidence: float = 0.5
    """While nobody else is seen, a newcomer with at least this mean confidence gets an identity at once, if a seat is free."""
    birth_frames: int = 3
    """Anyone else gets it after so many frames in a row; then also the seat of somebody who is missing."""
    birth_frames_missing: int = 8
    """The same beside others while somebody known is missing: at the picture's edge a method sees the first frames of a return
    wrongly, and the colours with them."""
    birth_frames_covered: int = 15
    """The same for somebody inside the box of a known person: methods see bodies in parts of bodies, for some frames."""
    gap_s: float = 1.0
    """A missing person is looked for near the predicted place for so long; after that only by appearance."""
    cut_s: float = 2.0
    """A jump of the clock by more than this, or backwards, is a cut: everybody is looked for by appearance."""
    remember_s: float = 600.0
    """An identity is forgotten when it was not seen for so long; its number is never used again."""
    gate_2d: float = 0.5
    """Largest mean distance from the predicted keypoints, in diagonals of the person's box."""
    reach_per_s: float = 3.0
    """While others are where expected, a lost person can have moved by so many box diagonals a second."""
    size_jump: float = 2.0
    """Nobody is so many times larger or smaller than in the last frame: a method has slipped to a part of the body, or to
    somebody far behind. While somebody is lost it grows by half of that a second."""
    scale_3d_m: float = 0.5
    """Mean joint distance of two root-relative poses that counts as wholly different."""
    weight_2d: float = 1.0
    weight_3d: float = 0.3
    weight_appearance: float = 1.0
    look_alike: float = 0.55
    """Largest appearance dissimilarity (0..1) at which somebody is recognised anywhere in the picture. Seen on one clip: the
    same person in any two frames 0.27 (median), 0.45 (95th percentile), but 0.5 to 0.7 after turning sideways against the sun:
    such a return gets a new id. Pairs of strangers on 150 sports photographs: 0.53 (5th percentile), 0.78 (median)."""
    look_alike_near: float = 0.7
    """The same for somebody who was missing and comes back near the predicted place: half hidden, colours lie."""
    look_usual: float = 0.4
    """What counts where a look is not known beside others that are: the median of one person's looks."""
    return_frames: int = 3
    """Somebody lost is recognised beside others after so many frames of a candidate; at once where nobody else is near."""
    look_every_s: float = 0.5
    """How often the appearance of an unoccluded person is read when nothing is ambiguous."""
    look_stranger: float = 0.65
    """Who looks less like the person than this is a stranger or a thing, if it lasts."""
    suspicion: float = 0.5
    """Sum of differences of looks at which a track is taken for somebody else's: five clear frames of strangers."""
    suspicion_hides: float = 0.1
    """From here on it is not shown."""
    suspicion_drift: float = 0.05
    """By so much the looks must differ to count at all."""
    look_memory_s: float = 30.0
    """Time constant with which the remembered appearance follows the light (Mehta 2020: renewed every 30 s)."""

    def __post_init__(self) -> None:
        if self.max_people < 1:
            raise SettingsError(
                "max_people leaves no room for anybody.", got=self.max_people, allowed="1 or more", hint="--max-people 1"
            )
