# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the extension's zips: `python blender_addon/build.py --out DIST`.

Two builds, because one zip with several Python ABIs breaks Blender 4.2.0: py311 for Blender 4.2 to 5.0, py313 for 5.1 on;
each for every platform of PLATFORMS. Every zip carries the wheel of pyzmq that fits (CURVE needs it; without it our own ZMTP
takes over), the rig files of the engine and the licence. Then Blender's own validator has the last word, if bpy is at hand.
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
    flags.out.mkdir(parents=True, exist_ok=True)
    made = [
        build(python, platform, flags.out, wheels=not flags.no_wheels)
        for python in PYTHONS
        if flags.python is None or python.name in flags.python
        for platform in flags.platform or PLATFORMS
    ]
    validator = find_validator()
    for path in made:
        print(f"{path} ({path.stat().st_size // 1024} KiB)")
        if validator is not None:
            subprocess.run([sys.executable, str(validator), "validate", str(path)], check=True)
    if validator is None:
        print("NOT RUN: Blender's validator, because no bpy is installed for this Python")
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
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--dest",
        str(folder),
    ]
    command += ["--only-binary", ":all:", "--implementation", "cp", "--python-version", python.version, *tags, PYZMQ]
    subprocess.run(command, check=True)
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


def find_validator() -> Path | None:
    """Blender's own command line for extensions, which needs no Blender to run."""
    spec = importlib.util.find_spec("bpy")
    if spec is None or spec.origin is None:
        return None
    found = sorted(Path(spec.origin).parent.glob("**/bl_pkg/cli/blender_ext.py"))
    return found[0] if found else None


if __name__ == "__main__":
    sys.exit(main())
