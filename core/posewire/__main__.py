"""The `posewire` command, also as `python -m posewire`, for where the script is not on the PATH."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import NoReturn

_STOPS = ("SIGTERM", "SIGHUP")
"""Stopped by a service manager, terminal closed. Windows has no SIGHUP."""


def main() -> int:
    """Loads the command line, which takes a moment, and runs it: whoever presses Ctrl-C in that moment reads no traceback."""
    _without_a_console()
    try:
        _stop_like_ctrl_c()
        from posewire import cli

        return cli.main()
    except KeyboardInterrupt as stop:
        _ignore_ctrl_c()
        print("posewire: stopped", file=sys.stderr)
        return 128 + next(iter(stop.args), signal.SIGINT)
    finally:
        _ignore_ctrl_c()


def _ignore_ctrl_c() -> None:
    """All is closed: another Ctrl-C would only abort Python's own ending, with another exit code."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _without_a_console() -> None:
    """A service or a program without a window starts us without standard output or error: what is said there goes nowhere."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - as long as the process


def _stop_like_ctrl_c() -> None:
    """Whoever ends us closes files as Ctrl-C does, or a preview would be lost. What the parent ignores (nohup) stays ignored."""
    for name in _STOPS:
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _stop)


def _stop(number: int, _: object) -> NoReturn:
    raise KeyboardInterrupt(number)


if __name__ == "__main__":
    raise SystemExit(main())
