"""CURVE with an allow-list, with real sockets: the allowed hear, the others hear nothing."""

from __future__ import annotations

import errno
import io
import json
import os
from pathlib import Path

import pytest
import zmq
from wire_samples import ANYWHERE, instant, until

from posewire import keys
from posewire.client import Client, connect
from posewire.errors import WireError
from posewire.publish import Publisher
from posewire.wire import DEFAULT_ADDRESS


def connected(client: Client, publisher: Publisher) -> None:
    """Waits until the client hears the publisher."""
    until(client.newest, meanwhile=lambda: publisher.send(instant()))


def assert_hears_nothing(client: Client, publisher: Publisher, witness: Client) -> None:
    """After the witness, who connected later, has heard much, and time for a retry: still nothing."""
    connected(witness, publisher)
    for _ in range(50):
        publisher.send(instant())
        witness.receive(5.0)
        assert client.newest() is None and client.subject is None


def test_an_allowed_client_receives_and_others_receive_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    friend_file = keys.add("friend", folder)
    other = tmp_path / "other"
    stranger_file = tmp_path / "stranger.json"
    keys.add("stranger", other, out=stranger_file)
    values = json.loads(stranger_file.read_text())
    values["server_public"] = keys.load_server(folder).public  # knows the server, is not on its list
    stranger_file.write_text(json.dumps(values))
    with (
        Publisher(ANYWHERE, keys=folder) as publisher,
        connect(publisher.address, key_file=stranger_file) as stranger,
        connect(publisher.address) as keyless,
        connect(publisher.address, key_file=friend_file, timeout_s=10) as friend,
    ):
        publisher.send(instant())
        until(lambda: stranger.status == "refused")
        assert_hears_nothing(stranger, publisher, friend)
        assert_hears_nothing(keyless, publisher, friend)
        with pytest.raises(WireError, match=r"(?s)does not let this client in.*posewire keys add"):
            stranger.receive(0.05)


def test_a_client_that_expects_another_server_receives_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    friend_file, misled_file = keys.add("friend", folder), keys.add("misled", folder)
    values = json.loads(misled_file.read_text())
    values["server_public"] = zmq.curve_keypair()[0].decode()
    misled_file.write_text(json.dumps(values))
    with (
        Publisher(ANYWHERE, keys=folder) as publisher,
        connect(publisher.address, key_file=misled_file) as misled,
        connect(publisher.address, key_file=friend_file) as friend,
    ):
        assert_hears_nothing(misled, publisher, friend)


def test_clients_added_and_removed_while_the_publisher_runs(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    first_file = keys.add("first", folder, out=tmp_path / "first.json")
    with Publisher(ANYWHERE, keys=folder) as publisher:
        later_file = keys.add("later", folder)
        with connect(publisher.address, key_file=later_file) as later:
            connected(later, publisher)
        keys.remove("first", folder)
        with connect(publisher.address, key_file=first_file) as first:
            until(lambda: first.status == "refused", meanwhile=lambda: publisher.send(instant()))
            assert first.newest() is None


def test_a_client_that_was_refused_comes_in_by_itself_once_it_is_on_the_list(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keys.add("friend", folder)
    late_file = keys.add("late", folder)
    entry = (folder / "allowed" / "late.json").rename(tmp_path / "late.json")
    with Publisher(ANYWHERE, keys=folder) as publisher, connect(publisher.address, key_file=late_file) as late:
        until(lambda: late.status == "refused")
        entry.rename(folder / "allowed" / "late.json")
        connected(late, publisher)
        assert late.status == "connected"


def test_a_damaged_allow_list_lets_nobody_in_and_the_publisher_lives(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    friend_file = keys.add("friend", folder)
    with Publisher(ANYWHERE, keys=folder) as publisher:
        listed = folder / "allowed" / "friend.json"
        good = listed.read_bytes()
        listed.write_bytes(b"\xff{}")
        with connect(publisher.address, key_file=friend_file) as friend:
            until(lambda: friend.status == "refused")
        listed.write_bytes(good)
        with connect(publisher.address, key_file=friend_file) as friend:
            connected(friend, publisher)


def test_with_keys_an_address_open_to_others_needs_no_consent(tmp_path: Path) -> None:
    friend_file = keys.add("friend", tmp_path)
    with Publisher("tcp://0.0.0.0:*", keys=tmp_path) as publisher:
        port = publisher.address.rpartition(":")[2]
        with connect(f"tcp://127.0.0.1:{port}", key_file=friend_file) as friend:
            connected(friend, publisher)


def test_publishing_with_keys_that_are_not_there_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(WireError, match="posewire keys add NAME"):
        Publisher(ANYWHERE, keys=tmp_path)
    keys.add("friend", tmp_path)
    keys.remove("friend", tmp_path)
    with pytest.raises(WireError, match=r"(?s)No client.*posewire keys add NAME"):
        Publisher(ANYWHERE, keys=tmp_path)


def test_a_list_of_clients_grows_and_shrinks(tmp_path: Path) -> None:
    assert keys.clients(tmp_path) == {}
    first, second = keys.add("first", tmp_path), keys.add("second", tmp_path)
    public = {name: keys.load_client(path).pair.public for name, path in (("first", first), ("second", second))}
    assert keys.clients(tmp_path) == public
    keys.remove("first", tmp_path)
    assert list(keys.clients(tmp_path)) == ["second"] and not first.exists()
    assert keys.load_client(second).server_public == keys.load_server(tmp_path).public


@pytest.mark.skipif(os.name == "nt", reason="Windows protects the profile folder instead")
def test_secrets_are_for_their_owner_only(tmp_path: Path) -> None:
    path = keys.add("friend", tmp_path / "keys")
    for secret in (path, tmp_path / "keys" / "server.json"):
        assert secret.stat().st_mode & 0o777 == 0o600
    (tmp_path / "keys" / "server.json").chmod(0o644)
    with pytest.raises(WireError, match="chmod 600"):
        keys.load_server(tmp_path / "keys")


def test_a_secret_is_not_in_a_repr(tmp_path: Path) -> None:
    client = keys.load_client(keys.add("friend", tmp_path))
    assert client.pair.secret not in repr(client)


def test_a_name_that_is_taken_or_no_file_name_is_an_error(tmp_path: Path) -> None:
    keys.add("friend", tmp_path)
    with pytest.raises(WireError, match="already there"):
        keys.add("friend", tmp_path)
    for name in ("", "../x", "a/b", ".hidden", "x" * 65, "a b", "é"):
        with pytest.raises(WireError, match="name of a client"):
            keys.add(name, tmp_path)
    with pytest.raises(WireError, match=r"(?s)no client of this name.*friend"):
        keys.remove("nobody", tmp_path)


def test_a_client_file_that_is_in_the_way_is_not_overwritten(tmp_path: Path) -> None:
    there = tmp_path / "precious.json"
    there.write_text("precious")
    with pytest.raises(WireError, match="exists"):
        keys.add("friend", tmp_path / "keys", out=there)
    assert there.read_text() == "precious" and keys.clients(tmp_path / "keys") == {}


def test_folders_are_made_only_inside_the_folder_of_keys(tmp_path: Path) -> None:
    with pytest.raises(WireError, match="cannot be written"):
        keys.add("friend", tmp_path / "keys", out=tmp_path / "nowhere" / "friend.json")
    assert not (tmp_path / "nowhere").exists() and keys.clients(tmp_path / "keys") == {}
    (tmp_path / "file").write_text("")
    with pytest.raises(WireError, match="cannot be made"):
        keys.add("friend", tmp_path / "file")


@pytest.mark.parametrize(
    "damage", ["", "[]", "{}", '{"posewire_key": 2}', '{"posewire_key": 1, "public": 3}', '"\\ud800"', "\x00", "[" * 100_000]
)
def test_a_damaged_key_file_is_an_error(tmp_path: Path, damage: str) -> None:
    path = keys.add("friend", tmp_path)
    path.write_text(damage)
    with pytest.raises(WireError, match="key file"):
        connect(DEFAULT_ADDRESS, key_file=path)


@pytest.mark.parametrize("key", ["server_public", "public", "secret"])
@pytest.mark.parametrize("value", [None, "", "short", "é" * 40, "~" * 40, "0" * 40])
def test_a_damaged_key_is_an_error(tmp_path: Path, key: str, value: object) -> None:
    path = keys.add("friend", tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    if (key, value) == ("server_public", "0" * 40):
        return  # forty legal characters: only the server can tell
    with pytest.raises(WireError, match="key file"):
        keys.load_client(path)


def test_a_missing_key_file_says_who_writes_it(tmp_path: Path) -> None:
    with pytest.raises(WireError, match="posewire keys add NAME"):
        connect(DEFAULT_ADDRESS, key_file=tmp_path / "none.json")


def test_a_key_file_that_cannot_be_written_wholly_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a server key would be in the way of every later command."""

    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    def opened(number: int, *_: object, **__: object) -> Full:
        os.close(number)
        return Full()

    with monkeypatch.context() as full:
        full.setattr(os, "fdopen", opened)
        with pytest.raises(WireError, match="No space left"):
            keys.add("friend", tmp_path)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    keys.add("friend", tmp_path)
