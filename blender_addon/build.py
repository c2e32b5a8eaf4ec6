# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the extension's zips: `posewire blender build`, or `python blender_addon/build.py --out DIST` in any Python.

Two builds, because one zip with several Python ABIs breaks Blender 4.2.0: py311 for Blender 4.2 to 5.0, py313 for 5.1 on;
each for every platform of PLATFORMS. Every zip carries the wheel of pyzmq that fits (CURVE needs it; without it our own ZMTP
takes over), the rig files of the engine and the licence. Every zip is opened again and checked; Blender's own validator has
the last word, where bpy is installed for this Python or a program `blender` is on the search path.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
SOURCE = HERE / "posewire_live"
RIGS = HERE.parent / "core" / "posewire" / "rigs"
PYZMQ = "pyzmq==27.1.0"
_OLD_ZIP_TIME = (2026, 1, 1, 0, 0, 0)
"""Of every file in a zip, so that equal sources give equal zips."""


class BuildError(Exception):
    """A zip could not be made; the text says why."""


@dataclass(frozen=True)
class Python:
    """One of the two builds."""

    name: str
    version: str
    blender_min: str
    blender_max: str | None
    """First version of Blender that it is not for."""


PYTHONS = (Python("py311", "3.11", "4.2.0", "5.1.0"), Python("py313", "3.13", "5.1.0", None))
PLATFORMS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux2014_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_11_0_arm64", "macosx_10_15_universal2"),
    "macos-x64": ("macosx_10_15_x86_64", "macosx_10_15_universal2"),
}
"""Blender's name of a platform, and pip's."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Builds, validates, prints what was made."""
    parser = argparse.ArgumentParser(description="Build the Blender extension.")
    parser.add_argument("--out", type=Path, default=HERE.parent / "dist", help="where the zips go")
    parser.add_argument("--python", choices=[python.name for python in PYTHONS], action="append", help="only this build")
    parser.add_argument("--platform", choices=list(PLATFORMS), action="append", help="only this platform")
    parser.add_argument("--no-wheels", action="store_true", help="without pyzmq: listens on this computer only")
    flags = parser.parse_args(arguments)
    pairs = [(p, system) for p in PYTHONS if p.name in (flags.python or [p.name]) for system in flags.platform or PLATFORMS]
    try:
        flags.out.mkdir(parents=True, exist_ok=True)
        for python, platform in pairs:
            path = build(python, platform, flags.out, wheels=not flags.no_wheels)
            check(path)
            print(f"{path} ({path.stat().st_size // 1024} KiB){validate(path)}", flush=True)
    except (BuildError, OSError) as error:
        print(f"build.py: {error}", file=sys.stderr)
        return 2
    if find_validator() is None:
        print("NOT RUN: Blender's own validator: no bpy in this Python, no `blender` on the search path")
    return 0


def build(python: Python, platform: str, out: Path, *, wheels: bool) -> Path:
    """One zip."""
    manifest = (SOURCE / "blender_manifest.toml").read_text(encoding="utf-8")
    version = tomllib.loads(manifest)["version"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "posewire_live"
        shutil.copytree(SOURCE, root, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "blender_manifest.toml"))
        shutil.copytree(RIGS, root / "rigs", ignore=lambda _, names: [name for name in names if not name.endswith(".json")])
        shutil.copy(HERE / "LICENSE", root)
        names = fetch_wheels(python, platform, root / "wheels") if wheels else []
        (root / "blender_manifest.toml").write_text(_manifest(manifest, python, platform, names), encoding="utf-8")
        return _pack(root, out / f"posewire_live-{version}-{python.name}-{platform}.zip")


def fetch_wheels(python: Python, platform: str, folder: Path) -> list[str]:
    """Downloads pyzmq's wheel; names of the files."""
    tags = [part for tag in PLATFORMS[platform] for part in ("--platform", tag)]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python.version, *tags]
    if subprocess.run([*command, "--dest", str(folder), PYZMQ], check=False).returncode != 0:
        raise BuildError(
            f"the wheel of {PYZMQ} for {python.name}, {platform} could not be downloaded: is pip installed here, is there a "
            "network? --no-wheels builds without it: such a zip listens on its own computer only"
        )
    return sorted(path.name for path in folder.glob("*.whl"))


def _manifest(text: str, python: Python, platform: str, wheels: Sequence[str]) -> str:
    """The manifest of one build; what is added must stand before the first table."""
    lines = [f'platforms = ["{platform}"]', "wheels = [" + ", ".join(f'"./wheels/{name}"' for name in wheels) + "]"]
    if python.blender_max is not None:
        lines.append(f'blender_version_max = "{python.blender_max}"')
    text = text.replace('blender_version_min = "4.2.0"', f'blender_version_min = "{python.blender_min}"')
    top, table, rest = text.partition("\n[permissions]")
    return top + "\n".join(["", *(line for line in lines if line != "wheels = []")]) + "\n" + table + rest


def _pack(root: Path, path: Path) -> Path:
    path.unlink(missing_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(p for p in root.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(file.relative_to(root).as_posix(), _OLD_ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, file.read_bytes())
    return path


def check(path: Path) -> None:
    """Reads the zip as Blender will; BuildError when something is missing."""
    with zipfile.ZipFile(path) as archive:
        names = set(archive.namelist())
        manifest = tomllib.loads(archive.read("blender_manifest.toml").decode())
    wanted = {"__init__.py", "LICENSE", "rigs/native.json", *(name.removeprefix("./") for name in manifest.get("wheels", []))}
    missing = sorted(wanted - names)
    if missing or not set(manifest["platforms"]) <= set(PLATFORMS):
        raise BuildError(f"{path} lacks {missing[0] if missing else 'a platform that Blender knows'}")


def validate(path: Path) -> str:
    """Asks Blender's validator; what to print behind the zip's name."""
    command = find_validator()
    if command is None:
        return ""
    done = subprocess.run([*command, "validate", str(path)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BuildError(f"Blender refuses {path}:\n{done.stdout}{done.stderr}")
    return ", valid"


def find_validator() -> list[str] | None:
    """The command of Blender's validator: a file beside bpy that needs no Blender to run, else a Blender."""
    spec = importlib.util.find_spec("bpy")
    if spec is not None and spec.origin is not None:
        found = sorted(Path(spec.origin).parent.glob("**/bl_pkg/cli/blender_ext.py"))
        if found:
            return [sys.executable, str(found[0])]
    program = shutil.which("blender")
    return None if program is None else [program, "--command", "extension"]


if __name__ == "__main__":
    sys.exit(main())
