"""What a made-up method says of a clip: the true points with noise.

`white`: noise anew in every frame, 20 mm and 3 px, and 5 % of the points are not seen.

`network`: like a single-view network. The lengths of BlazePose's bones on a walking clip at 30 frames a second deviate by 8 %;
about a third of the variance is gone after one frame, the rest within 0.2 s; they are 10 % too short, and the hips 37 % wider
than our skeleton's. Hence: an error that changes within 0.1 s, one anew in almost every frame, one that stays; 2.5 times as
much along the line of sight; more at the ends of limbs than at the trunk. Now and then a joint is elsewhere for some frames, or
the legs, or all sides, are exchanged.

`confused`: the same, but legs, arms or all sides are exchanged once in two seconds for up to a second, as BlazePose does with
somebody seen from behind or from the side; half of the times it goes over to the other sides through what lies between.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d

from posewire import camera as cameras
from posewire.data import FloatArray, Track
from posewire.evaluate.refit.clips import JOINTS, Clip

WHITE, NETWORK, CONFUSED = NOISES = ("white", "network", "confused")
WHITE_M, WHITE_PX, DROPPED = 0.02, 3.0, 0.05

_SLOW_S, _QUICK_S = 0.1, 0.012
_SLOW_M, _QUICK_M, _LASTING_M, _ALONG = 0.035, 0.012, 0.02, 2.5
_SLOW_PX_M, _QUICK_PX_M, _LASTING_PX_M = 0.012, 0.004, 0.008
"""Of the pixels, in metres at the person's distance."""
_LENGTHS, _HIPS = 0.9, 1.37
_BURSTS_PER_S, _BURST_S, _BURST_M = 0.6, 0.1, 0.25
_SWAPS_PER_S, _SWAP_S = 0.2, 0.3
_CONFUSIONS_PER_S, _CONFUSION_S, _CHANGES_S = 0.5, 1.0, 0.1

_CONFIDENCE = 0.95
_BOX_PX = np.array([0.0, 0.0, 1.0, 1.0])
_KIND = [name.split("_")[-1] for name in JOINTS]
_ENDS, _MIDDLES = ("wrist", "hand", "ankle", "heel", "toe"), ("elbow", "knee")
_SHARE = np.array([1.0 if kind in _ENDS else 0.8 if kind in _MIDDLES else 0.5 for kind in _KIND])[:, None]
_ARMS = [j for j, kind in enumerate(_KIND) if kind in ("shoulder", "elbow", "wrist", "hand")]
_LEGS = [j for j, kind in enumerate(_KIND) if kind in ("hip", "knee", "ankle", "heel", "toe")]
_BOTH_HIPS = [JOINTS.index("left_hip"), JOINTS.index("right_hip")]
_PARTNER = np.arange(len(JOINTS))
_PARTNER[1::2], _PARTNER[2::2] = _PARTNER[2::2].copy(), _PARTNER[1::2].copy()  # after the nose come left and right in turn


def observed(clip: Clip, noise: str, rng: np.random.Generator) -> list[Track]:
    """A track for each frame; `noise` is one of NOISES."""
    points_m = cameras.to_camera(clip.joints_m, clip.camera)  # (T, 21, 3)
    said_m, said_px, confidence = (_white if noise == WHITE else _network)(points_m, clip, rng)
    if noise == CONFUSED:
        _confuse(said_m, said_px, float(clip.time_s[1] - clip.time_s[0]), rng)
    return [Track(0, *row) for row in zip(said_px, confidence, np.tile(_BOX_PX, (len(said_m), 1)), said_m, strict=True)]


def _middle(points_m: FloatArray) -> FloatArray:
    return points_m[:, _BOTH_HIPS].mean(axis=1, keepdims=True)


def _white(points_m: FloatArray, clip: Clip, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    pixels = cameras.project(points_m, clip.camera)
    said_m = points_m - _middle(points_m) + rng.normal(0.0, WHITE_M, points_m.shape)
    said_px = pixels + rng.normal(0.0, WHITE_PX, pixels.shape)
    confidence = np.full(pixels.shape[:2], _CONFIDENCE)
    dropped = rng.random(confidence.shape) < DROPPED
    said_m[dropped], said_px[dropped], confidence[dropped] = np.nan, np.nan, 0.0
    return said_m, said_px, confidence


def _network(points_m: FloatArray, clip: Clip, rng: np.random.Generator) -> tuple[FloatArray, FloatArray, FloatArray]:
    T = len(points_m)
    interval_s, px_per_m = float(clip.time_s[1] - clip.time_s[0]), clip.camera.K[0, 0] / points_m[..., 2].mean()
    middle_m = _middle(points_m)
    wider_m = (points_m[:, _BOTH_HIPS] - middle_m) * (_HIPS - 1.0)
    seen_m = points_m.copy()
    seen_m[:, _BOTH_HIPS] += wider_m
    pixels = cameras.project(seen_m, clip.camera)

    def noise(coordinates: int, deviations: tuple[float, float, float]) -> FloatArray:
        shape = (T, len(JOINTS), coordinates)
        slow, quick = _changing(rng, shape, _SLOW_S / interval_s), _changing(rng, shape, _QUICK_S / interval_s)
        return _SHARE * (deviations[0] * slow + deviations[1] * quick + deviations[2] * rng.normal(0.0, 1.0, shape[1:]))

    said_m = _LENGTHS * (seen_m - middle_m) + noise(3, (_SLOW_M, _QUICK_M, _LASTING_M)) * [1.0, 1.0, _ALONG]
    said_px = pixels + px_per_m * noise(2, (_SLOW_PX_M, _QUICK_PX_M, _LASTING_PX_M))
    confidence = np.full(pixels.shape[:2], _CONFIDENCE)
    _burst(said_m, said_px, confidence, px_per_m, interval_s, rng)
    _swap(said_m, said_px, interval_s, rng)
    return said_m, said_px, confidence


def _changing(rng: np.random.Generator, shape: tuple[int, ...], frames: float) -> FloatArray:
    """Noise of deviation 1 that is another after about so many frames."""
    margin = round(8 * frames) + 1
    noise = gaussian_filter1d(rng.normal(0.0, 1.0, (shape[0] + 2 * margin, *shape[1:])), frames, axis=0)
    return np.asarray((noise / noise.std())[margin:-margin])


def _moments(rng: np.random.Generator, frames: int, interval_s: float, per_s: float, longest_s: float) -> list[slice]:
    """Stretches of frames at random."""
    starts = rng.integers(0, frames, rng.poisson(per_s * frames * interval_s))
    return [slice(s, s + int(rng.integers(1, max(2, round(longest_s / interval_s))))) for s in starts.tolist()]


def _burst(
    said_m: FloatArray, said_px: FloatArray, confidence: FloatArray, px_per_m: float, interval_s: float, rng: np.random.Generator
) -> None:
    """A joint is elsewhere for some frames."""
    for moment in _moments(rng, len(said_m), interval_s, _BURSTS_PER_S, _BURST_S):
        joint, away_m = rng.integers(len(JOINTS)), rng.normal(0.0, _BURST_M, 3)
        said_m[moment, joint] += away_m
        said_px[moment, joint] += px_per_m * away_m[:2]
        confidence[moment, joint] = rng.uniform(0.2, 0.9)


def _swap(said_m: FloatArray, said_px: FloatArray, interval_s: float, rng: np.random.Generator) -> None:
    """The legs, or all sides, are exchanged for some frames."""
    for moment in _moments(rng, len(said_m), interval_s, _SWAPS_PER_S, _SWAP_S):
        joints = np.array(_LEGS) if rng.random() < 0.5 else np.arange(len(JOINTS))
        for said in (said_m, said_px):
            part = said[moment].copy()
            part[:, joints] = said[moment][:, _PARTNER[joints]]
            said[moment] = part


def _confuse(said_m: FloatArray, said_px: FloatArray, interval_s: float, rng: np.random.Generator) -> None:
    """Arms, legs or all sides are exchanged for longer, at once or through what lies between."""
    T = len(said_m)
    for moment in _moments(rng, T, interval_s, _CONFUSIONS_PER_S, _CONFUSION_S):
        joints = np.array((_ARMS, _LEGS, range(len(JOINTS)))[rng.integers(3)])
        change = max(1, round(rng.integers(2) * _CHANGES_S / interval_s))
        frames = np.arange(T)
        share = np.clip(np.minimum(frames - moment.start + 1, moment.stop - frames) / change, 0.0, 1.0)[:, None, None]
        for said in (said_m, said_px):
            said[:, joints] += share * (said[:, _PARTNER[joints]] - said[:, joints])
