"""Writes a new plugin: a distribution of its own that installs, is listed and passes the conformance tests as it stands."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from string import Template

from posewire import plugins
from posewire.errors import PluginError
from posewire.shell import typed_mkdir

TEMPLATE = Path(__file__).parent / "plugin_template"
_SUFFIX = ".template"
_NAME = re.compile(r"[a-z][a-z0-9]*([_-][a-z0-9]+)*")


def create(name: str, folder: Path) -> Path:
    """Writes the plugin called `name` to a new folder in `folder`, and returns that new folder.

    Raises:
        PluginError: the name is not usable or taken, or the new folder cannot be made.
    """
    _refuse_bad_name(name)
    package = f"posewire_{name.replace('-', '_')}"
    _refuse_taken_name(name, package)
    root = folder / package.replace("_", "-")
    _make(root)
    names = {"name": name, "package": package, "distribution": root.name}
    for template in sorted(TEMPLATE.rglob(f"*{_SUFFIX}")):
        _write(template, root, names)
    return root


def _refuse_bad_name(name: str) -> None:
    if not _NAME.fullmatch(name) or len(name) > 40:
        allowed = "a lower-case letter, then letters and digits, in parts joined by - or _; at most 40 characters"
        raise PluginError("A plugin cannot have this name.", got=repr(name), allowed=allowed, hint="posewire plugin new mine")


def _refuse_taken_name(name: str, package: str) -> None:
    registry, hint = plugins.load(), f"another name: posewire plugin new my-{name}"
    new = {name, f"{name}-lifter"}
    if taken := sorted(new & set(registry.methods)):
        origin = registry.origin(registry.methods[taken[0]])
        raise PluginError(f"There is a method '{taken[0]}' already.", got=f"it is from {origin}", hint=hint)
    if importlib.util.find_spec(package) is not None:
        raise PluginError(f"There is a package '{package}' already.", got=name, hint=hint)


def _make(root: Path) -> None:
    try:
        root.mkdir()
    except FileExistsError:
        raise PluginError(f"{root} exists already.", hint="choose another name or --folder") from None
    except OSError as error:
        allowed = "a name in an existing folder of yours"
        hint = "another folder: --folder DIR" if root.parent.is_dir() else typed_mkdir(root.parent)
        raise PluginError(f"{root} cannot be made.", got=str(error), allowed=allowed, hint=hint) from error


def _write(template: Path, root: Path, names: dict[str, str]) -> None:
    relative = template.relative_to(TEMPLATE).as_posix().removesuffix(_SUFFIX)
    target = root / relative.replace("package/", f"{names['package']}/")
    target.parent.mkdir(exist_ok=True)
    target.write_text(Template(template.read_text(encoding="utf-8")).substitute(names), encoding="utf-8")
