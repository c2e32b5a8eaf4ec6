"""How a command of a plugin, `python -m posewire_...`, begins and ends."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from posewire.errors import EXIT_CODE, PosewireError

P = ParamSpec("P")


def command(main: Callable[P, None]) -> Callable[P, int]:
    """Makes `main` return its exit code: 0, or EXIT_CODE after a PosewireError, which is told without a traceback."""

    @wraps(main)
    def run(*arguments: P.args, **named: P.kwargs) -> int:
        try:
            main(*arguments, **named)
        except PosewireError as error:
            print(error, file=sys.stderr)
            return EXIT_CODE
        return 0

    return run


def at_least_one(text: str) -> int:
    """The type of a flag that counts: 1 and above."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is not 1 or more")
    return number


def parser_of(module: str, doc: str | None) -> argparse.ArgumentParser:
    """Of `python -m module`: the module's first paragraph says what it does, the others stand below the flags."""
    description, _, rest = (doc or "").partition("\n\n")
    shape = argparse.RawDescriptionHelpFormatter
    return argparse.ArgumentParser(prog=f"python -m {module}", description=description, epilog=rest, formatter_class=shape)
