"""Who is sent, how often, where to and where people stand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from gateway_samples import CALIBRATED, Receiver, moment, pose, standing

from posewire.client import connect
from posewire.errors import SettingsError
from posewire.publish import Publisher
from posewire_gateway import Gateway, Options, open_outputs
from posewire_gateway.moment import PersonNow
from posewire_gateway.opening import shared_receivers, targets_of
from posewire_gateway.people import Places, parse_choice
from posewire_gateway.placing import Placing
from posewire_gateway.rate import RateLimit
from posewire_gateway.targets import Datagrams, Target, parse_target


def other_side(name: str) -> str:
    return name.replace("left", "#").replace("right", "left").replace("#", "right")


def people(*ids: int, names: dict[int, str] | None = None) -> tuple[PersonNow, ...]:
    return moment(*map(pose, ids), names=names or {}).people


def ids(assigned: dict[int, PersonNow]) -> dict[int, int]:
    return {place: person.pose.person_id for place, person in assigned.items()}


def test_the_first_person_stays_the_one_until_gone_for_long() -> None:
    places = Places(parse_choice("first"))
    assert ids(places.assign(people(3, 5), 0.0)) == {0: 3}
    assert ids(places.assign(people(5, 3), 1.0)) == {0: 3}
    assert ids(places.assign(people(5), 2.0)) == {}
    assert ids(places.assign(people(5), 3.5)) == {0: 5}
    assert ids(places.assign(people(3, 5), 3.6)) == {0: 5}


def test_everybody_keeps_a_place_and_a_newcomer_takes_the_lowest_free_one() -> None:
    places = Places(parse_choice("all"))
    assert ids(places.assign(people(8, 9), 0.0)) == {0: 8, 1: 9}
    assert ids(places.assign(people(9, 10), 1.0)) == {1: 9, 2: 10}
    assert ids(places.assign(people(9, 10), 2.5)) == {1: 9, 2: 10}
    assert ids(places.assign(people(9, 10, 11), 2.6)) == {0: 11, 1: 9, 2: 10}


def test_people_named_by_id_or_name_have_the_place_they_are_named_at() -> None:
    places = Places(parse_choice("Ben, 4"))
    there = people(2, 4, 6, names={6: "Ben"})
    assert ids(places.assign(there, 0.0)) == {0: 6, 1: 4}
    assert ids(places.assign(people(4), 0.0)) == {1: 4}


@pytest.mark.parametrize("text", ["", "1,", "2,2"])
def test_a_choice_of_nobody_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="--people"):
        parse_choice(text)


RATES = [(60, None, 600), (60, 30, 300), (60, 50, 500), (60, 60, 600), (30, 90, 300)]


@pytest.mark.parametrize(("source_hz", "limit_hz", "expected"), RATES)
def test_the_rate_is_limited_evenly(source_hz: int, limit_hz: float | None, expected: int) -> None:
    limit = RateLimit(limit_hz)
    assert sum(limit.allows(n / source_hz) for n in range(10 * source_hz)) == pytest.approx(expected, abs=1)


def test_trembling_frames_at_the_limit_itself_all_go() -> None:
    limit = RateLimit(60)
    times_s = np.arange(600) / 60 + np.random.default_rng(0).uniform(-0.002, 0.002, 600)
    assert sum(map(limit.allows, times_s.tolist())) == 600


def test_there_is_no_burst_after_a_pause() -> None:
    limit = RateLimit(10)
    assert limit.allows(0.0)
    assert [limit.allows(100.0 + n / 100) for n in range(7)].count(True) == 1


def test_receivers_are_given_to_their_outputs() -> None:
    opened = targets_of(["vmc", "ws", "osc"], ["vmc=10.0.0.2:39539", "vmc=10.0.0.3:39539"])
    assert [(kind, target and str(target)) for kind, target in opened] == [
        ("ws", None),
        ("vmc", "10.0.0.2:39539"),
        ("vmc", "10.0.0.3:39539"),
        ("osc", "127.0.0.1:9000"),
    ]
    assert targets_of(["json"], ["[::1]:5"]) == [("json", Target("::1", 5))]


def test_kinds_that_share_a_receiver_are_told_of_until_one_is_sent_elsewhere() -> None:
    (said,) = shared_receivers(["trackers", "vmc", "osc"], [])
    assert said.startswith("osc and trackers go to the same 127.0.0.1:9000") and "--to osc=HOST:PORT" in said
    assert not shared_receivers(["osc", "vmc", "trackers"], ["osc=127.0.0.1:8000"])
    assert not shared_receivers(["vmc", "ws", "osc", "osc"], ["vmc=10.0.0.2:39539", "vmc=10.0.0.2:39539"])


@pytest.mark.parametrize(
    ("kinds", "to"), [(["vmc", "osc"], "127.0.0.1:1"), (["vmc"], "osc=127.0.0.1:1"), (["ws"], "127.0.0.1:1")]
)
def test_a_receiver_that_fits_no_output_is_refused(kinds: list[str], to: str) -> None:
    with pytest.raises(SettingsError, match="--to"):
        targets_of(kinds, [to])  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "host", "host:0", "host:65536", "tcp://host:1", "::1:5", "a b:1"])
def test_what_is_no_receiver_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="HOST:PORT"):
        parse_target(text)


def test_an_unknown_host_is_said() -> None:
    with pytest.raises(SettingsError, match="not known"):
        Datagrams(Target("no-such-host.invalid", 1))


def test_a_datagram_that_does_not_go_is_counted_and_dropped(receiver: Receiver) -> None:
    datagrams = Datagrams(Target("127.0.0.1", receiver.port))
    datagrams.send([b"x" * 70_000, b"y"])
    assert (datagrams.sent, datagrams.failed) == (1, 1)
    assert receiver.datagrams() == [b"y"]
    datagrams.close()


def heights(placing: Placing, root_y: list[float], *, hz: float = 10.0) -> list[float]:
    moments = (moment(standing(root_m=(1.0, y, -3.0)), time_s=n / hz) for n, y in enumerate(root_y))
    return [placing(now).people[0].pose.root_m[1] for now in moments]


def test_a_person_before_an_uncalibrated_camera_begins_at_the_origin_with_feet_on_the_floor() -> None:
    placed = Placing("auto")(moment(standing(root_m=(1.0, -0.4, -3.0))))
    np.testing.assert_allclose(placed.people[0].pose.root_m, [0.0, 0.901, 0.0], atol=1e-6)
    np.testing.assert_allclose(placed.world[1][0].min(axis=0)[1], 0.0, atol=1e-6)
    np.testing.assert_allclose(placed.moved_m, [-1.0, 1.301, 3.0], atol=1e-6)


def test_people_keep_their_distance_and_their_way() -> None:
    placing = Placing("floor")
    placing(moment(standing(0, (1.0, 0.0, -3.0)), standing(1, (2.0, 0.0, -3.0))))
    there = placing(moment(standing(0, (1.5, 0.0, -3.0)), standing(1, (2.0, 0.0, -3.5)), time_s=0.1))
    np.testing.assert_allclose([p.pose.root_m[[0, 2]] for p in there.people], [[0.5, 0.0], [1.0, -0.5]], atol=1e-6)


def test_a_jump_is_a_jump() -> None:
    rising = heights(Placing("floor"), [0.0, 0.1, 0.3, 0.3, 0.1, 0.0])
    np.testing.assert_allclose(np.subtract(rising, rising[0]), [0, 0.1, 0.3, 0.3, 0.1, 0.0], atol=0.03)


def test_a_false_step_below_the_floor_does_not_throw_anybody_up() -> None:
    after = heights(Placing("floor"), [0.0, -0.5, 0.0, 0.0])
    assert max(after) < after[0] + 0.06


def test_a_floor_that_was_wrong_is_found() -> None:
    assert heights(Placing("floor"), [0.0] + [0.3] * 100)[-1] == pytest.approx(0.901, abs=0.01)


def test_a_calibrated_stream_and_place_stream_are_left_alone() -> None:
    seen = moment(standing(root_m=(1.0, 5.0, -3.0)), seen_by=CALIBRATED)
    assert Placing("auto")(seen) is seen
    assumed = moment(standing(root_m=(1.0, 5.0, -3.0)))
    assert Placing("stream")(assumed) is assumed


def test_a_new_session_begins_anew() -> None:
    placing = Placing("auto")
    placing(moment(standing(root_m=(1.0, 0.0, 0.0)), session="a"))
    placed = placing(moment(standing(root_m=(4.0, 3.0, 2.0)), session="b"))
    np.testing.assert_allclose(placed.people[0].pose.root_m, [0.0, 0.901, 0.0], atol=1e-6)
    assert not math.isnan(placed.moved_m.sum())


def test_a_mirror_shows_everybody_with_the_sides_exchanged() -> None:
    seen = moment(pose(0), pose(1), seen_by=CALIBRATED)
    shown = seen.mirrored()
    names = seen.subject.names
    others = [names.index(other_side(name)) for name in names]
    np.testing.assert_allclose(shown.world[1], seen.world[1][:, others] * [-1.0, 1.0, 1.0], atol=1e-6)
    first, there = shown.people[0].pose, seen.people[0].pose
    np.testing.assert_array_equal(first.confidence, there.confidence[others])
    np.testing.assert_array_equal(first.contacts, there.contacts[[2, 3, 0, 1]])
    again = shown.mirrored()
    np.testing.assert_allclose(again.rotations_wxyz, seen.rotations_wxyz, atol=1e-9)
    np.testing.assert_allclose(again.roots_m, seen.roots_m)


def test_the_gateway_sends_the_mirror_image_when_it_is_told_to(receiver: Receiver) -> None:
    sent: list[float] = []
    for mirror in (False, True):
        with Publisher("tcp://127.0.0.1:*") as publisher:
            client = connect(publisher.address)
            with Gateway(client, open_outputs(["vmc"], [receiver.address], Options()), mirror=mirror) as gateway:
                gateway.send(moment(standing(root_m=(1.0, 0.0, -3.0))))
        hips = [values for address, values in receiver.messages() if address == "/VMC/Ext/Bone/Pos" and values[0] == "Hips"]
        sent.append(hips[0][1])
    assert sent[0] == pytest.approx(-sent[1]) and abs(sent[0]) > 0.5
