"""Which of several disagreeing fits is believed."""

import numpy as np

from posewire.solve.choosing import choose

TIME_S = np.arange(60) / 30
BODY = np.random.default_rng(0).normal(0, 0.15, (8, 3))
TURNED = BODY * [-1.0, 1.0, -1.0]


def still(where_turned):
    """(R, 8, 3) a body at rest, turned around in some frames."""
    return np.where(where_turned[:, None, None], TURNED, BODY)


def errors(where_turned):
    return np.where(where_turned, 0.3, 0.03)


NEVER, LATE, EARLY = np.zeros(60, bool), np.arange(60) >= 35, np.arange(60) < 25


def test_the_fit_that_is_lost_late_and_the_one_lost_early_each_give_their_good_part():
    path = choose(np.stack([still(LATE), still(EARLY)]), np.stack([errors(LATE), errors(EARLY)]), TIME_S)
    assert (path[:25] == 0).all() and (path[35:] == 1).all()


def test_fits_that_agree_are_not_switched_between():
    error = np.random.default_rng(1).uniform(0.03, 0.06, (3, 60))
    path = choose(np.stack([still(NEVER)] * 3), error, TIME_S)
    assert len(set(path.tolist())) == 1


def test_a_short_exchange_in_the_data_is_overruled_and_a_long_one_believed():
    for frames, believed in ((5, 0), (45, 1)):
        exchanged = (np.arange(60) >= 8) & (np.arange(60) < 8 + frames)
        joints = np.stack([still(NEVER), still(exchanged)])
        path = choose(joints, np.stack([errors(exchanged), errors(NEVER)]), TIME_S)
        assert path[10] == believed


def test_where_a_fit_has_no_pose_the_other_is_taken():
    joints, error = np.stack([still(NEVER), still(NEVER)]), np.full((2, 60), 0.05)
    joints[0, 10:30], joints[1, 30:40] = np.nan, np.nan
    path = choose(joints, error, TIME_S)
    assert (path[10:30] == 1).all() and (path[30:40] == 0).all()


def test_one_frame_is_enough_and_so_is_no_knowledge_of_the_data():
    assert choose(still(NEVER)[None, :1].repeat(2, axis=0), np.full((2, 1), np.nan), TIME_S[:1]).shape == (1,)
