"""`python -m posewire_data.fit_noise CLIP[:PEOPLE]... --out FILE.json`: fits the noise model to BlazePose on real clips.

No clip that may be used for this has a true 2D. The reference is a second opinion: the same network on the mirrored picture.
Where the two differ, one or both are wrong; their errors are taken as equally large and independent, so that an error is the
difference / sqrt(2). What both get wrong alike (a hidden elbow guessed at the same place) is not seen: the fit is a lower bound.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from posewire.data import FloatArray
from posewire.errors import EXIT_CODE, PosewireError
from posewire_data.errors import DatasetError
from posewire_data.joints import JOINTS, MIRROR, SELDOM_SEEN
from posewire_data.noise import CONFIDENCE_BINS, LIMB_GROUPS, Events, JointNoise, NoiseModel
from posewire_data.watch import Sighting, distance, sizes_px, watch

_SLIP_DEVIATIONS = 5.0
"""An error beyond so many robust deviations is a slip of its own kind."""
_MIN_EXCHANGE = 0.04
"""Sides closer together than this share of the size cannot be told to be exchanged."""
_GIVEN = [j for j in range(len(JOINTS)) if j not in SELDOM_SEEN]
_ENOUGH = 30
"""Points in an interval of confidence, for its own factor."""
BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Opinion:
    """Both opinions of one person over consecutive frames."""

    errors: FloatArray
    """(F, 17, 2) difference / sqrt(2), in person sizes, sides exchanged back; NaN = not given by both."""
    confidence: FloatArray
    """(F, 17) of the unmirrored picture; 0 = missing."""
    given: FloatArray
    """(F, 17) 1 where the point is given."""
    exchanged: dict[str, FloatArray]
    """(F,) 1 where a limb pair is exchanged in one of the two, NaN where that cannot be told."""
    rate_hz: float


def opinions(clip: Path, most_people: int, most_frames: int) -> list[Opinion]:
    """Watches a clip twice."""
    ours, theirs = (watch(clip, most_people, mirrored=mirrored, most_frames=most_frames) for mirrored in (False, True))
    return [_opinion(a, b) for a in ours for b in theirs if _same_person(a, b)]


def _common(a: Sighting, b: Sighting) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of each that show the same frames."""
    _, of_a, of_b = np.intersect1d(a.frames, b.frames, return_indices=True)
    return np.asarray(of_a, dtype=np.intp), np.asarray(of_b, dtype=np.intp)


def _same_person(a: Sighting, b: Sighting) -> bool:
    of_a, of_b = _common(a, b)
    if len(of_a) < 20:
        return False
    apart = [distance(p, q) for p, q in zip(a.points_px[of_a], b.points_px[of_b], strict=True)]
    return float(np.median(apart)) < 0.08


def _opinion(a: Sighting, b: Sighting) -> Opinion:
    of_a, of_b = _common(a, b)
    size_px = np.median(sizes_px(a.points_px[of_a]))
    p, q = a.points_px[of_a] / size_px, b.points_px[of_b] / size_px
    exchanged: dict[str, FloatArray] = {}
    for name, parts in LIMB_GROUPS.items():
        joints = [JOINTS.index(f"{side}_{part}") for side in ("left", "right") for part in parts]
        exchanged[name] = _exchanged(p[:, joints], q[:, joints], p[:, [MIRROR[j] for j in joints]])
        back = (np.nan_to_num(exchanged[name]) > 0)[:, None, None]
        q[:, joints] = np.where(back, q[:, [MIRROR[j] for j in joints]], q[:, joints])
    given = np.asarray(np.isfinite(a.points_px[of_a]).all(axis=-1), dtype=np.float64)
    return Opinion((p - q) / np.sqrt(2), a.confidence[of_a], given, exchanged, a.rate_hz)


def _exchanged(ours: FloatArray, theirs: FloatArray, ours_exchanged: FloatArray) -> FloatArray:
    """(F,) 1 where `theirs` (F, 4, 2) agrees with `ours` only if one's sides are exchanged; NaN where both sides coincide."""
    straight = np.linalg.norm(ours - theirs, axis=-1).mean(axis=1)
    crossed = np.linalg.norm(ours_exchanged - theirs, axis=-1).mean(axis=1)
    apart = np.linalg.norm(ours - ours_exchanged, axis=-1).mean(axis=1)
    return np.where(apart > _MIN_EXCHANGE, (crossed < 0.5 * straight).astype(np.float64), np.nan)


def fit(seen: Sequence[Opinion], source: str) -> NoiseModel:
    """The model of all opinions together. Left and right are taken as one joint: which side is hidden is the camera's matter.

    Raises:
        DatasetError: nobody was seen in both views.
    """
    if not seen:
        hint = "give a clip of a whole person, 2 s long"
        raise DatasetError("Nobody was followed in both the clip and its mirror image.", hint=hint)
    deviation = _deviations(seen)
    slipped = [_slipped(one.errors, deviation) for one in seen]
    core = [replace(one, errors=np.where(s[..., None], np.nan, one.errors)) for one, s in zip(seen, slipped, strict=True)]
    worse = _worse(core, deviation)
    each = [one for one in seen for _ in _GIVEN]
    return NoiseModel(
        {JOINTS[j]: _joint(core, j, worse) for j in _GIVEN},
        worse,
        _slips(seen, slipped),
        {name: _half(_events([one.exchanged[name] for one in seen], seen)) for name in LIMB_GROUPS},
        _events([1 - one.given[:, j] for one in seen for j in _GIVEN], each),
        source,
    )


def _deviations(seen: Sequence[Opinion]) -> FloatArray:
    """(17,) robust standard deviation (1.4826 median |e|) of the changing error in each coordinate, both sides together."""
    deviation = np.full(len(JOINTS), np.nan)
    for j in _GIVEN:
        sizes = [np.abs(_moving(one.errors[:, k])).ravel() for one in seen for k in (j, MIRROR[j])]
        deviation[j] = 1.4826 * np.nanmedian(np.concatenate(sizes))
    return deviation


def _steady(errors: FloatArray) -> FloatArray:
    """(1, ..., 2) what stays: the median over time; 0 for a joint that is never given."""
    known = np.isfinite(errors).any(axis=0)
    return np.where(known, np.nanmedian(np.where(known, errors, 0.0), axis=0), 0.0)[None]


def _moving(errors: FloatArray) -> FloatArray:
    """Errors (F, ..., 2) less what stays."""
    return errors - _steady(errors)


def _slipped(errors: FloatArray, deviation: FloatArray) -> BoolArray:
    """(F, 17) True where the error is of another kind."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.linalg.norm(_moving(errors), axis=-1) > _SLIP_DEVIATIONS * deviation, dtype=np.bool_)


def _interval(confidence: FloatArray) -> NDArray[np.int64]:
    return np.searchsorted(CONFIDENCE_BINS[1:-1], confidence, side="right")


def _worse(core: Sequence[Opinion], deviation: FloatArray) -> tuple[float, ...]:
    """Rise of the error, in each joint's own deviations, as confidence falls; 1 for an interval with hardly a point."""
    relative = np.concatenate([(_moving(one.errors) / deviation[:, None])[:, _GIVEN].reshape(-1, 2) for one in core])
    interval = _interval(np.concatenate([one.confidence[:, _GIVEN].ravel() for one in core]))
    rms = [_rms(relative[interval == i]) for i in range(len(CONFIDENCE_BINS) - 1)]
    return tuple(round(max(1.0, one / rms[-1]), 3) if np.isfinite(one / rms[-1]) else 1.0 for one in rms)


def _rms(errors: FloatArray) -> float:
    """NaN for hardly a point: no factor follows from that."""
    known = errors[np.isfinite(errors)]
    return float(np.sqrt(np.mean(known**2))) if len(known) >= _ENOUGH else float("nan")


def _joint(core: Sequence[Opinion], j: int, worse: tuple[float, ...]) -> JointNoise:
    pairs = [(one, k) for one in core for k in {j, MIRROR[j]} if np.isfinite(one.errors[:, k]).any()]
    rates_hz = [one.rate_hz for one, _ in pairs]
    quick = [_moving(one.errors[:, k]) / np.array(worse)[_interval(one.confidence[:, k])][:, None] for one, k in pairs]
    steady = np.concatenate([_steady(one.errors[:, k]) for one, k in pairs])
    logits = [_logit(one.confidence[one.given[:, k] > 0, k]) for one, k in pairs]
    means, lengths = np.array([one.mean() for one in logits]), [len(one) for one in logits]
    mean = float(np.average(means, weights=lengths))
    return JointNoise(
        steady=round(float(np.sqrt(np.mean(steady**2))), 5),
        quick=round(float(np.sqrt(np.nanmean(np.concatenate(quick) ** 2))), 5),
        memory_s=_memory_s(quick, rates_hz),
        logit=round(mean, 3),
        logit_between=round(float(np.sqrt(np.average((means - mean) ** 2, weights=lengths))), 3),
        logit_within=round(float(np.sqrt(np.average([one.var() for one in logits], weights=lengths))), 3),
        logit_memory_s=_memory_s([(one - one.mean())[:, None] for one in logits], rates_hz),
    )


def _logit(confidence: FloatArray) -> FloatArray:
    clipped = np.clip(confidence, 1e-3, 1 - 1e-3)
    return np.log(clipped / (1 - clipped))


def _memory_s(series: Sequence[FloatArray], rates_hz: Sequence[float]) -> float:
    """Time constant of a Gauss-Markov process from the correlation of neighbours, -dt / ln(r1), weighted by length."""
    times_s: list[float] = []
    for values, rate_hz in zip(series, rates_hz, strict=True):
        r1 = float(np.nanmean(values[1:] * values[:-1])) / max(float(np.nanmean(values**2)), 1e-12)
        times_s.append(-1.0 / (rate_hz * float(np.log(np.clip(r1, 0.01, 0.99)))))
    return round(float(np.average(times_s, weights=[len(values) for values in series])), 4)


def _slips(seen: Sequence[Opinion], slipped: Sequence[BoolArray]) -> Events:
    """Slips of all joints together; a difference is one network's slip as often as the other's, at its full size."""
    away = np.concatenate([_moving(one.errors)[s] for one, s in zip(seen, slipped, strict=True)])
    each = [one for one in seen for _ in _GIVEN]
    events = _half(_events([s[:, j].astype(np.float64) for s in slipped for j in _GIVEN], each))
    return replace(events, size=round(float(np.sqrt(2 * np.mean(away**2))), 4) if len(away) else 0.0)


def _half(events: Events) -> Events:
    """Of a difference between two, each is the wrong one half of the time."""
    return replace(events, share=round(events.share / 2, 5))


def _events(states: Sequence[FloatArray], of: Sequence[Opinion]) -> Events:
    """Share and mean duration of a state (F,) that is 1, 0 or NaN (not known, taken as 0)."""
    known = np.concatenate([state[np.isfinite(state)] for state in states])
    durations = [
        length / one.rate_hz for state, one in zip(states, of, strict=True) for length in _runs(np.nan_to_num(state) > 0)
    ]
    share = float(known.mean()) if known.size else 0.0
    return Events(round(share, 5), round(float(np.mean(durations)), 4) if durations else 0.1)


def _runs(on: BoolArray) -> Iterator[int]:
    """Lengths of the stretches of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    yield from (edges[1::2] - edges[::2]).tolist()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(
        prog="python -m posewire_data.fit_noise", description="Fits the noise model to BlazePose on real clips."
    )
    parser.add_argument("clips", nargs="+", metavar="CLIP[:PEOPLE]", help="videos; :6 after the name = six people in it")
    parser.add_argument("--frames", type=int, default=300, metavar="N", help="of each clip at most (default: 300)")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    flags = parser.parse_args(arguments)
    try:
        seen: list[Opinion] = []
        for clip in flags.clips:
            name, _, people = clip.rpartition(":") if clip.rpartition(":")[2].isdecimal() else (clip, "", "1")
            found = opinions(Path(name), int(people), flags.frames)
            print(f"{Path(name).name}: {len(found)} people, {sum(len(one.errors) for one in found)} frames")
            seen += found
        names = " ".join(Path(clip).name for clip in flags.clips)
        people = f"{len(seen)} people, {sum(len(one.errors) for one in seen)} frames"
        model = fit(seen, f"python -m posewire_data.fit_noise {names} --frames {flags.frames}: {people}")
    except PosewireError as error:
        print(error, file=sys.stderr)
        return EXIT_CODE
    model.save(flags.out)
    for name, row in model.joints.items():
        print(f"{name:15} steady {row.steady:.4f} quick {row.quick:.4f} memory {row.memory_s:.3f} s")
    print(f"worse {model.worse} slips {model.slips} exchanges {model.exchanges} missing {model.missing}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
