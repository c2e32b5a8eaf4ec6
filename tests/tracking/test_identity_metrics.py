"""MOTA, IDF1 and switches: counted by hand, by axioms, and as py-motmetrics counts them."""

from __future__ import annotations

import math

import numpy as np
import pytest

from posewire.metrics.identity import IdentityFrame, IdentityScore, box_overlaps, identity_score

Sequence = list[IdentityFrame]


def frame(reference: list[int], tracks: list[int], overlap: object) -> IdentityFrame:
    return IdentityFrame(
        np.array(reference, int), np.array(tracks, int), np.array(overlap, float).reshape(len(reference), len(tracks))
    )


def random_sequence(seed: int) -> Sequence:
    """Three people, up to four tracks, overlaps of all kinds; ids of tracks change hands."""
    random = np.random.default_rng(seed)
    frames: Sequence = []
    for _ in range(60):
        people = np.flatnonzero(random.random(3) < 0.8)
        tracks = np.flatnonzero(random.random(4) < 0.7)
        overlap = random.random((len(people), len(tracks)))
        overlap += 0.6 * (people[:, None] == (tracks[None] + random.integers(0, 2)) % 3)
        frames.append(IdentityFrame(people, 10 + tracks, np.minimum(overlap, 1.0)))
    return frames


def test_a_switch_a_miss_and_a_false_box_are_counted() -> None:
    together, apart = [[0.9, 0.0], [0.0, 0.9]], [[0.0, 0.9], [0.9, 0.0]]
    frames = [
        frame([1, 2], [7, 8], together),
        frame([1, 2], [7, 8], apart),  # both switch
        frame([1, 2], [7], [[0.0], [0.8]]),  # 1 is missed
        frame([1], [7, 9], [[0.0, 0.4]]),  # missed, two false
    ]
    score = identity_score(frames)
    assert score == IdentityScore(annotated=7, misses=2, false_boxes=2, switches=2, identity_hits=3, tracked=7)
    assert score.mota == pytest.approx(1 - 6 / 7)
    assert score.idf1 == pytest.approx(6 / 14)


def test_a_person_stays_with_the_old_track_while_it_fits() -> None:
    frames = [frame([1], [7], [[0.9]]), frame([1], [7, 8], [[0.5, 0.95]])]
    assert identity_score(frames).switches == 0


def test_who_returns_under_another_id_is_a_switch() -> None:
    frames = [frame([1], [7], [[0.9]]), frame([], [], []), frame([1], [8], [[0.9]])]
    assert identity_score(frames).switches == 1


def test_names_of_the_tracks_do_not_matter() -> None:
    frames = random_sequence(3)
    renamed = [IdentityFrame(f.reference_ids, 99 - f.track_ids, f.overlap) for f in frames]
    assert identity_score(renamed) == identity_score(frames)


def test_nobody_at_all_is_no_number() -> None:
    score = identity_score([])
    assert math.isnan(score.mota)
    assert math.isnan(score.idf1)


def test_two_sequences_add_up() -> None:
    a, b = identity_score(random_sequence(1)), identity_score(random_sequence(2))
    assert (a + b).annotated == a.annotated + b.annotated
    assert (a + b).switches == a.switches + b.switches


def test_overlap_is_symmetric_one_for_itself_and_never_true_for_nan() -> None:
    boxes = np.array([[0.0, 0, 4, 2], [2, 0, 6, 2], [10, 10, 11, 11], [np.nan] * 4])
    overlap = box_overlaps(boxes, boxes)
    np.testing.assert_allclose(overlap[:3, :3], [[1, 1 / 3, 0], [1 / 3, 1, 0], [0, 0, 1]])
    assert np.isnan(overlap[3]).all()


@pytest.mark.parametrize(
    ("seed", "mota", "idf1", "switches", "misses", "false_boxes"),
    [
        (0, 0.15436241610738255, 0.5214521452145214, 53, 34, 39),
        (1, 0.15646258503401356, 0.5324675324675324, 46, 32, 46),
        (2, 0.28378378378378377, 0.5904761904761905, 51, 18, 37),
    ],
)
def test_numbers_agree_with_those_that_motmetrics_gave(
    seed: int, mota: float, idf1: float, switches: int, misses: int, false_boxes: int
) -> None:
    """Written down from motmetrics 1.4.0, for where it is not installed."""
    score = identity_score(random_sequence(seed))
    assert (score.switches, score.misses, score.false_boxes) == (switches, misses, false_boxes)
    assert (score.mota, score.idf1) == pytest.approx((mota, idf1), abs=1e-9)


def motmetrics_numbers(frames: Sequence) -> dict[str, float]:
    """The same sequence through py-motmetrics (MIT), at the same least overlap of 0.5."""
    motmetrics = pytest.importorskip("motmetrics")
    accumulator = motmetrics.MOTAccumulator(auto_id=True)
    for one in frames:
        distance = np.where(one.overlap >= 0.5, 1 - one.overlap, np.nan)
        accumulator.update(one.reference_ids.tolist(), one.track_ids.tolist(), distance)
    names = ["mota", "idf1", "num_switches", "num_misses", "num_false_positives"]
    return motmetrics.metrics.create().compute(accumulator, metrics=names, name="all").loc["all"].to_dict()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize("seed", range(20))
def test_random_sequences_score_as_with_motmetrics(seed: int) -> None:
    frames = random_sequence(seed)
    theirs, ours = motmetrics_numbers(frames), identity_score(frames)
    assert (ours.mota, ours.idf1) == pytest.approx((theirs["mota"], theirs["idf1"]), abs=1e-9)
    counts = theirs["num_switches"], theirs["num_misses"], theirs["num_false_positives"]
    assert (ours.switches, ours.misses, ours.false_boxes) == counts
