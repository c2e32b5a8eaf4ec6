"""Track -> Track with keypoints_m: each person's own 2D history goes through a Lifter.

Tracking comes first, so a history never mixes two people. It is causal: the last row is now. Where a lifter can sample, the
spread of its hypotheses lowers the confidence of a joint: the fit leans less on it, and the stream says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from posewire.data import Camera, FloatArray, Track
from posewire.errors import PluginError, as_plugin_error
from posewire.methods import Lifter, MethodCard, SamplingLifter

RESTART_GAP_S = 0.5
"""A person who was away for longer starts a new history; a shorter gap is filled with rows of unseen keypoints."""

HYPOTHESES = 8
SPREAD_M = 0.10
"""Deviation of a joint's hypotheses that halves its confidence."""
FILLED_CONFIDENCE = 0.5
"""Of a joint that the lifter filled in without seeing it and without any doubt."""
_HINT = "run without --lifter, or tell the lifter's author; posewire.testing checks a lifter for this"


@dataclass(frozen=True, slots=True, eq=False)
class _History:
    """The last T rows of one person, in the lifter's order of J keypoints. Never changed in place: a lifter may keep a window."""

    keypoints_px: FloatArray  # (T, J, 2)
    confidence: FloatArray  # (T, J)
    time_s: FloatArray  # (T,)

    @classmethod
    def empty(cls, joints: int) -> _History:
        return cls(np.empty((0, joints, 2)), np.empty((0, joints)), np.empty(0))

    def ends_at(self, time_s: float) -> bool:
        """True where the last row is of this very instant."""
        return bool(self.time_s[-1] == time_s)

    def continues_at(self, time_s: float) -> bool:
        """False where time goes backwards or stands still, or the person was away for too long."""
        return bool(0.0 < time_s - self.time_s[-1] <= RESTART_GAP_S)

    def filled_until(self, time_s: float) -> _History:
        """With unseen rows at the history's own frame spacing for the frames in which the person was missed."""
        if len(self.time_s) < 2:
            return self
        spacing_s = float(np.median(np.diff(self.time_s)))
        missing = round((time_s - self.time_s[-1]) / spacing_s) - 1
        if missing < 1:
            return self
        times_s = np.linspace(self.time_s[-1], time_s, missing + 2)[1:-1]
        joints = self.confidence.shape[1]
        return self.extended(np.full((missing, joints, 2), np.nan), np.zeros((missing, joints)), times_s)

    def extended(self, keypoints_px: FloatArray, confidence: FloatArray, time_s: FloatArray) -> _History:
        """With more rows at the end."""
        return _History(
            np.concatenate([self.keypoints_px, keypoints_px]),
            np.concatenate([self.confidence, confidence]),
            np.concatenate([self.time_s, time_s]),
        )

    def last(self, rows: int) -> _History:
        """The newest `rows` rows."""
        return _History(self.keypoints_px[-rows:], self.confidence[-rows:], self.time_s[-rows:])


def trusted(confidence: FloatArray, hypotheses_m: FloatArray) -> FloatArray:
    """Confidence (J,) times 1 / (1 + (spread / SPREAD_M)^2), the spread being the deviation of the hypotheses (S, J, 3).

    A joint that is unseen and filled in by the lifter gets FILLED_CONFIDENCE times that; one that is unknown keeps its own.
    """
    spread_m2 = hypotheses_m.var(axis=0).sum(axis=-1)  # (J,)
    seen = np.where(confidence > 0.0, confidence, FILLED_CONFIDENCE)
    return np.where(np.isfinite(spread_m2), seen / (1.0 + spread_m2 / SPREAD_M**2), confidence)


class LiftStage:
    """Lifts tracks with one lifter. One thread owns it.

    Keypoints are matched by name. A keypoint that the estimator does not give is NaN with confidence 0 for the lifter; a joint
    that the lifter does not give is NaN in the result, which keeps the estimator's order; other joints of the lifter are dropped.

    Args:
        lifter: The open lifter.
        card: Its card; `card.joints` is its J axis.
        keypoint_names: The estimator's J axis.

    Raises:
        PluginError: lifter and estimator have no keypoint in common.
    """

    def __init__(self, lifter: Lifter, card: MethodCard, keypoint_names: Sequence[str]) -> None:
        self._lifter, self._card, self._problem = lifter, card, f"The lifter {card.name} failed."
        common = [name for name in card.joints if name in keypoint_names]
        if not common:
            raise PluginError(
                f"The lifter {card.name} knows none of the method's keypoints.",
                got=", ".join(keypoint_names),
                allowed=card.joints,
                hint="posewire methods lists which keypoints each method has",
            )
        self._from_estimator = np.array([list(keypoint_names).index(name) for name in common])
        self._from_lifter = np.array([card.joints.index(name) for name in common])
        self._histories: dict[int, _History] = {}

    def lift(self, track: Track, time_s: float, camera: Camera) -> Track:
        """The track with the lifter's 3D, root-relative, camera axes, in the estimator's order; 3D of the estimator is replaced.

        Confidence stays as it is, unless the lifter can sample: then see `trusted`.

        Raises:
            PluginError: the lifter failed or returned another shape.
        """
        history = self._remember(track, time_s)
        lifted_m = self._lifted(history, camera)
        keypoints_m = np.full((len(track.confidence), 3), np.nan)
        keypoints_m[self._from_estimator] = lifted_m[self._from_lifter]
        return replace(track, keypoints_m=keypoints_m, confidence=self._confidence(track, history, camera))

    def reset(self) -> None:
        """Forgets every history (a cut, another source)."""
        self._histories.clear()

    def close(self) -> None:
        """Closes the lifter; may be called twice."""
        self.reset()
        with as_plugin_error(f"The lifter {self._card.name} cannot be closed.", _HINT):
            self._lifter.close()

    def _remember(self, track: Track, time_s: float) -> _History:
        """The person's history up to and including this row; histories that can no longer be continued are dropped."""
        # A history that already ends at this instant belongs to somebody else in the same frame: it goes on.
        alive = {
            key: history for key, history in self._histories.items() if history.ends_at(time_s) or history.continues_at(time_s)
        }
        with as_plugin_error(self._problem, _HINT):
            rows = max(1, self._lifter.receptive_field)
        joints = len(self._card.joints)
        history = alive.get(track.person_id)
        if history is None or not history.continues_at(time_s):
            history = _History.empty(joints)
        keypoints_px, confidence = np.full((joints, 2), np.nan), np.zeros(joints)
        keypoints_px[self._from_lifter] = track.keypoints_px[self._from_estimator]
        confidence[self._from_lifter] = track.confidence[self._from_estimator]
        history = history.filled_until(time_s).extended(keypoints_px[None], confidence[None], np.array([time_s]))
        history = history.last(rows)
        self._histories = alive | {track.person_id: history}
        return history

    def _lifted(self, history: _History, camera: Camera) -> FloatArray:
        """The lifter's pose (J, 3)."""
        window = (history.keypoints_px, history.confidence, history.time_s, camera)
        return self._checked(lambda: self._lifter.lift(*window), (len(self._card.joints), 3))

    def _confidence(self, track: Track, history: _History, camera: Camera) -> FloatArray:
        """The track's confidence (J,), less where the lifter's hypotheses disagree."""
        lifter = self._lifter
        with as_plugin_error(self._problem, _HINT):
            sampler = lifter if isinstance(lifter, SamplingLifter) and lifter.can_sample else None
        if sampler is None:
            return track.confidence
        window = (history.keypoints_px, history.confidence, history.time_s, camera)
        shape = (HYPOTHESES, len(self._card.joints), 3)
        hypotheses_m = self._checked(lambda: sampler.sample(*window, HYPOTHESES), shape)
        confidence = track.confidence.copy()
        mine = self._from_estimator
        confidence[mine] = trusted(track.confidence[mine], hypotheses_m[:, self._from_lifter])
        return confidence

    def _checked(self, answer: Callable[[], FloatArray], expected: tuple[int, ...]) -> FloatArray:
        """The lifter's answer as float64; a joint with any coordinate that is not finite is NaN."""
        with as_plugin_error(self._problem, _HINT):
            lifted_m = np.asarray(answer())
        if lifted_m.shape != expected or not np.issubdtype(lifted_m.dtype, np.floating):
            got, allowed = f"{lifted_m.dtype} array of shape {lifted_m.shape}", f"a float array of shape {expected}"
            raise PluginError(self._problem, got=got, allowed=allowed, hint=_HINT)
        return np.where(np.isfinite(lifted_m).all(axis=-1, keepdims=True), lifted_m, np.nan).astype(np.float64)
