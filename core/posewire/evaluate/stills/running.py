"""Shows a method single pictures: whole, as it would meet them, or with the true box of the person."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from posewire import camera as cameras
from posewire.asking import estimate, restart
from posewire.data import FloatArray, Frame, ImageArray
from posewire.errors import PluginError, as_plugin_error
from posewire.evaluate.stills.reading import Still, Stills
from posewire.methods import BoxEstimator, Estimator, MethodCard
from posewire.metrics import match_people

BOXES = ("found", "true")
"""Who says where the person is: the method's own detector, or the labels."""
_CUT = 1.5
"""Side of the cut-out over the longer side of the box: what lies around a person belongs to the picture of one."""
_MARGIN = 0.1
"""Labels end at ankles, wrists and the crown; hands and feet reach further by about this share of the longer side."""
_HINT = "another --method, or tell the plugin's author"


def answers(estimator: Estimator, card: MethodCard, stills: Stills, boxes: str) -> Iterator[tuple[Still, FloatArray]]:
    """Each picture and where the method sees its labelled person: (J, 2) in the labels' order, NaN = missing.

    Of several people the one nearest to the labels counts.

    Raises:
        PluginError: the method has none of the joints, or it failed.
    """
    columns = [card.joints.index(name) if name in card.joints else -1 for name in stills.joint_names]
    if max(columns, default=-1) < 0:
        raise PluginError(f"{card.name} has none of the joints.", got=", ".join(card.joints), allowed=stills.joint_names)
    for still in stills:
        restart(estimator, card)
        people_px = _whole(estimator, card, still) if boxes == "found" else _boxed(estimator, card, still)
        yield still, _of_person(_in_order(people_px, columns), still.points_px)


def _whole(estimator: Estimator, card: MethodCard, still: Still) -> FloatArray:
    """(P, J, 2) in the method's order."""
    return estimate(estimator, card, _frame(still.image), still.name).keypoints_px


def _boxed(estimator: Estimator, card: MethodCard, still: Still) -> FloatArray:
    """A method that cannot be told a box is shown the cut-out around it, and finds the person there."""
    box_px = true_box(still.points_px)
    if isinstance(estimator, BoxEstimator):
        with as_plugin_error(f"The method {card.name!r} failed on {still.name}.", _HINT):
            return estimator.estimate_in(_frame(still.image), box_px).keypoints_px
    x0, y0, x1, y1 = _cut(box_px, still.image.shape)
    found = estimate(estimator, card, _frame(np.ascontiguousarray(still.image[y0:y1, x0:x1])), still.name)
    return found.keypoints_px + np.array([x0, y0])


def _frame(image: ImageArray) -> Frame:
    return Frame(image, 0.0, 0, cameras.assumed(image.shape[1], image.shape[0]))


def _cut(box_px: FloatArray, shape: tuple[int, ...]) -> list[int]:
    """x0 y0 x1 y1 of the square around a box that is half as large again, as far as it lies in the picture."""
    centre, half = 0.5 * (box_px[:2] + box_px[2:]), 0.5 * _CUT * float(np.max(box_px[2:] - box_px[:2]))
    low = np.clip(np.floor(centre - half), 0, [shape[1] - 1, shape[0] - 1])
    high = np.clip(np.ceil(centre + half), low + 1, [shape[1], shape[0]])
    return [*low.astype(int).tolist(), *high.astype(int).tolist()]


def true_box(points_px: FloatArray) -> FloatArray:
    """(4,) around the visible points (J, 2), with a margin."""
    low, high = np.nanmin(points_px, axis=0), np.nanmax(points_px, axis=0)
    margin = _MARGIN * float(np.max(high - low))
    return np.concatenate([low - margin, high + margin])


def _in_order(keypoints_px: FloatArray, columns: Iterable[int]) -> FloatArray:
    """(P, J, 2) in the labels' order."""
    unseen = np.full((len(keypoints_px), 2), np.nan)
    return np.stack([keypoints_px[:, column] if column >= 0 else unseen for column in columns], axis=1)


def _of_person(people_px: FloatArray, true_px: FloatArray) -> FloatArray:
    """The row (J, 2) of the labelled person; one person is taken as it is."""
    if len(people_px) <= 1:
        return people_px[0] if len(people_px) else np.full_like(true_px, np.nan)
    row = match_people(people_px, true_px[None], float("inf"))[0]
    return people_px[row] if row >= 0 else np.full_like(true_px, np.nan)
