#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts the plugin together for a project: `python package.py MyProject/Plugins [--libzmq PREFIX --platform Win64]`.

Copies the plugin, the engine-free core into its runtime module and the rig files into its resources; with --libzmq also
libzmq's headers and libraries. Needs nothing but Python 3.9 or later. Run it again after an update: it replaces the folder.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

PLUGIN = Path(__file__).resolve().parent
REPOSITORY = PLUGIN.parent.parent
PLATFORMS = {"win32": "Win64", "darwin": "Mac"}
LIBRARIES = {"Win64": ("lib/*.lib", "bin/*.dll"), "Mac": ("lib/*.dylib",), "Linux": ("lib/*.so*", "lib/*/libzmq.so*")}


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="the Plugins folder of a project")
    parser.add_argument("--libzmq", type=Path, help="where libzmq is installed: a folder with include/zmq.h")
    parser.add_argument("--platform", choices=sorted(LIBRARIES), default=PLATFORMS.get(sys.platform, "Linux"))
    given = parser.parse_args()
    target = package(given.out)
    if given.libzmq is not None and not copy_libzmq(given.libzmq, given.platform, target):
        print(f"no libzmq for {given.platform} in {given.libzmq}: include/zmq.h and {LIBRARIES[given.platform]}", file=sys.stderr)
        return 1
    print(target)
    return 0


def package(out: Path) -> Path:
    """The plugin's folder below `out`, without libzmq."""
    target = out / PLUGIN.name
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(PLUGIN, target, ignore=shutil.ignore_patterns("package.py", "__pycache__", "lib", "include"))
    core, private = PLUGIN.parent / "core", target / "Source" / "PosewireLiveLink" / "Private" / "Core"
    for folder in ("include", "src"):
        shutil.copytree(core / folder, private / folder)
    rigs = target / "Resources" / "Rigs"
    rigs.mkdir(parents=True, exist_ok=True)
    for rig in sorted((REPOSITORY / "core" / "posewire" / "rigs").glob("*.json")):
        shutil.copy2(rig, rigs)
    return target


def copy_libzmq(prefix: Path, platform: str, target: Path) -> bool:
    """False when the prefix does not hold what the platform needs."""
    module = target / "Source" / "ThirdParty" / "LibZmq"
    found = [path for pattern in LIBRARIES[platform] for path in prefix.glob(pattern)]
    if not found or not (prefix / "include" / "zmq.h").is_file():
        return False
    (module / "include").mkdir(parents=True, exist_ok=True)
    (module / "lib" / platform).mkdir(parents=True, exist_ok=True)
    shutil.copy2(prefix / "include" / "zmq.h", module / "include")
    for path in found:
        shutil.copy2(path, module / "lib" / platform, follow_symlinks=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
