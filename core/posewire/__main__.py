"""The `posewire` command, also as `python -m posewire`, for where the script is not on the PATH."""

from __future__ import annotations

import signal
import sys


def main() -> int:
    """Loads the command line, which takes a moment, and runs it: whoever presses Ctrl-C in that moment reads no traceback."""
    try:
        from posewire import cli

        return cli.main()
    except KeyboardInterrupt:
        print("posewire: stopped", file=sys.stderr)
        return 128 + signal.SIGINT


if __name__ == "__main__":
    raise SystemExit(main())
