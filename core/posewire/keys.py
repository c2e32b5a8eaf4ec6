"""Who may listen beyond this machine: the publisher's CURVE key pair and the list of clients that it lets in.

A folder holds `server.json` (secret), `allowed/NAME.json` (a client's public key) and `clients/NAME.json` (the one file
that the client needs: give it to its user, then delete it here). The form of a client's file is in docs/WIRE.md.
"""

from __future__ import annotations

import json
import os
import re
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs
import zmq
from zmq.utils import z85

from posewire.errors import WireError

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}")
_FORMAT = "posewire_key"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE key pair, each key 40 characters of Z85."""

    public: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ClientKey:
    """What a client needs to be let in."""

    server_public: str
    pair: KeyPair


def default_folder() -> Path:
    """Where this user's keys lie."""
    return Path(platformdirs.user_config_dir("posewire", appauthor=False)) / "keys"


def add(name: str, folder: Path | None = None, *, out: Path | None = None) -> Path:
    """Lets a new client in and writes its key file; makes the publisher's own pair at the first call.

    Args:
        name: How the client is called in `posewire keys list`.
        folder: The folder of keys; None = default_folder().
        out: The client's key file; None = clients/NAME.json in the folder.

    Raises:
        WireError: the name is not usable or taken, or a file cannot be written.
    """
    folder = folder or default_folder()
    allowed, client_file = _allowed_file(name, folder), out or folder / "clients" / f"{name}.json"
    if allowed.exists():
        raise WireError("A client of this name is already there.", got=name, hint=f"posewire keys remove {name}, or another name")
    _make_folders(folder)
    server, client = _server_pair(folder), _new_pair()
    _write_secret(client_file, {"name": name, "server_public": server.public, "public": client.public, "secret": client.secret})
    _write_secret(allowed, {"name": name, "public": client.public})
    return client_file


def remove(name: str, folder: Path | None = None) -> None:
    """Shuts a client out; a running publisher refuses its next connection.

    Raises:
        WireError: there is no client of this name.
    """
    folder = folder or default_folder()
    allowed = _allowed_file(name, folder)
    if not allowed.exists():
        known = sorted(clients(folder))
        raise WireError("There is no client of this name.", got=name, allowed=known or "none yet", hint="posewire keys list")
    allowed.unlink()
    (folder / "clients" / f"{name}.json").unlink(missing_ok=True)


def clients(folder: Path | None = None) -> dict[str, str]:
    """Name to public key of every client that is let in."""
    files = sorted(((folder or default_folder()) / "allowed").glob("*.json"))
    return {path.stem: _read(path, "public")["public"] for path in files}


def load_server(folder: Path) -> KeyPair:
    """The publisher's pair.

    Raises:
        WireError: there is none yet, or its file is damaged or open to other users.
    """
    return _pair(_read(_private(folder / "server.json"), "public", "secret"), folder / "server.json")


def load_client(path: Path) -> ClientKey:
    """A client's key file.

    Raises:
        WireError: it is missing or damaged.
    """
    values = _read(path, "server_public", "public", "secret")
    return ClientKey(values["server_public"], _pair(values, path))


def _server_pair(folder: Path) -> KeyPair:
    path = folder / "server.json"
    if not path.exists():
        pair = _new_pair()
        _write_secret(path, {"public": pair.public, "secret": pair.secret})
    return load_server(folder)


def _new_pair() -> KeyPair:
    public, secret = zmq.curve_keypair()
    return KeyPair(public.decode(), secret.decode())


def _pair(values: Mapping[str, str], path: Path) -> KeyPair:
    if zmq.curve_public(values["secret"].encode()).decode() != values["public"]:
        raise WireError(f"The key file {path} is damaged.", got="two keys that do not belong together", hint=_AGAIN)
    return KeyPair(values["public"], values["secret"])


def _allowed_file(name: str, folder: Path) -> Path:
    if not _NAME.fullmatch(name):
        allowed = "1 to 64 of A-Z a-z 0-9 _ - ."
        raise WireError("The name of a client is not usable.", got=name, allowed=allowed, hint="posewire keys add studio")
    return folder / "allowed" / f"{name}.json"


def _write_secret(path: Path, values: dict[str, str]) -> None:
    """A new file that only this user may read; never replaces one, and leaves none where it fails."""
    text = json.dumps({_FORMAT: 1, **values}, indent=1)
    try:
        file = os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
        try:
            with file:
                file.write(text)
        except OSError:
            path.unlink()
            raise
    except FileExistsError as error:
        raise WireError(f"The key file {path} exists.", hint="name another file, or remove this one first") from error
    except OSError as error:
        raise WireError(
            f"The key file {path} cannot be written.", got=error.strerror, hint="name a file in a folder of yours"
        ) from error


def _make_folders(folder: Path) -> None:
    try:
        for each in (folder, folder / "allowed", folder / "clients"):
            each.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise WireError(f"The folder of keys {folder} cannot be made.", got=error.strerror) from error


def _private(path: Path) -> Path:
    """Refuses a secret that other users of this machine can read; Windows protects the profile folder by itself."""
    if sys.platform != "win32" and path.exists() and path.stat().st_mode & 0o077:
        raise WireError(f"Other users can read the secret key {path}.", hint=f"chmod 600 {path}")
    return path


def _read(path: Path, *wanted: str) -> dict[str, str]:
    """The wanted Z85 keys of a key file."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values[_FORMAT] != 1:
            raise ValueError(f"version {values[_FORMAT]}")
        for key in wanted:
            if len(z85.decode(values[key])) != 32:
                raise ValueError(f"{key} is no CURVE key")
    except FileNotFoundError as error:
        raise WireError(f"There is no key file {path}.", hint=_AGAIN) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
        raise WireError(f"The key file {path} cannot be used.", got=f"{type(error).__name__}: {error}", hint=_AGAIN) from error
    return {key: values[key] for key in wanted}


_AGAIN = "posewire keys add NAME writes a client's key file on the publishing machine"
