"""Imports point one way, upstream only: every room of the core, and what a bundled plugin may use of it."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
CORE = REPOSITORY / "core" / "posewire"

PIPELINE = (
    *(
        "errors",
        "shell",
        "output_path",
        "cores",
        "machine_code",
        "settings",
        "data",
        "image_file",
        "npz",
        "pictures",
        "rotation",
        "skeleton",
        "profiles",
        "camera",
        "ground",
        "methods",
        "hookspecs",
        "cards",
        "plugins",
    ),
    *("runtime", "filters", "capture", "tracking", "lift", "fit", "people", "rigs", "retarget", "builtin_plugin", "take"),
    *("wire", "keys", "admission", "publish", "stages", "asking", "pipeline"),
)
"""The rooms in order: each imports only from rooms before it. A package is one room."""

TOOLS = (
    *("outputs", "detect", "client", "metrics", "evaluate", "calibrate", "solve", "preview", "doctor", "bench"),
    *("testing", "new_plugin"),
)
"""Above the pipeline. They may use it and one another, not the command line."""

ENTRANCES = ("cli", "__main__", "__init__")
"""May import everything; nothing imports them (but `from posewire import __version__`)."""

ORDER = {room: place for place, room in enumerate(PIPELINE)}

FOR_PLUGINS = {
    *("errors", "data", "npz", "pictures", "rotation", "skeleton", "camera", "methods"),
    *("hookspecs", "runtime", "filters", "metrics", "evaluate"),
}
"""What a bundled plugin uses of the core, as any third party would."""

FILES = sorted(path for path in CORE.rglob("*.py") if "plugin_template" not in path.parts)
PLUGIN_FILES = sorted((REPOSITORY / "plugins").glob("*/posewire_*/**/*.py"))


def room_of(path: Path) -> str:
    """The room of a file of the core; the plugin's name for a file of a plugin."""
    home = CORE if path.is_relative_to(CORE) else REPOSITORY / "plugins"
    return path.relative_to(home).parts[0].removesuffix(".py")


def imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and dotted name of every import in a file, also of those inside functions; names, not only modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}:{node.lineno}: relative imports are not used here"
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def rooms_imported(path: Path) -> Iterator[tuple[int, str]]:
    """Line and room of every import from the core; a name of `posewire` itself (`__version__`) is no room."""
    for line, name in imported(path):
        package, _, rest = name.partition(".")
        room = rest.partition(".")[0]
        if package == "posewire" and ((CORE / room).is_dir() or (CORE / f"{room}.py").is_file()):
            yield line, room


def may_import(room: str, other: str) -> bool:
    if room in ENTRANCES or other == room:
        return True
    if room in TOOLS:
        return other in ORDER or other in TOOLS
    return other in ORDER and ORDER[other] < ORDER[room]


def wrong_imports(paths: list[Path], allowed: Callable[[str, str], bool]) -> str:
    """One line for every import that is not allowed: allowed(room of the file, room imported)."""
    wrong = (
        f"{path.relative_to(REPOSITORY).as_posix()}:{line} imports {other}"
        for path in paths
        for line, other in rooms_imported(path)
        if not allowed(room_of(path), other)
    )
    return "\n".join(wrong)


def test_every_module_has_a_room_and_every_room_a_module() -> None:
    homes, rooms = {room_of(path) for path in FILES}, {*PIPELINE, *TOOLS, *ENTRANCES}
    assert not homes ^ rooms, "give it a place in this test and in docs/ARCHITECTURE.md"


def test_the_page_on_the_architecture_names_the_rooms_in_their_order() -> None:
    page = (REPOSITORY / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    *rows, tools = re.findall(r"^\| (.*?) \| (.*?) \|$", page, re.MULTILINE)[1:]
    assert " ".join(names.strip("`") for names, _ in rows).split() == list(PIPELINE)
    assert sorted(tools[1].strip("`").split()) == sorted((*TOOLS, "cli"))


def test_a_module_imports_only_from_rooms_upstream() -> None:
    assert wrong_imports(FILES, may_import) == ""


def test_a_bundled_plugin_uses_the_public_door_only() -> None:
    assert PLUGIN_FILES
    assert wrong_imports(PLUGIN_FILES, lambda _, other: other in FOR_PLUGINS) == ""


def test_the_pipeline_names_no_bundled_plugin() -> None:
    bundled = {plugin.name for plugin in REPOSITORY.glob("plugins/*/posewire_*")}
    files = [path for path in FILES if room_of(path) in PIPELINE]
    assert bundled
    assert {name for path in files for _, name in imported(path) if name.partition(".")[0] in bundled} == set()


def test_this_test_sees_imports_inside_functions_and_of_submodules(tmp_path: Path) -> None:
    path = tmp_path / "x.py"
    path.write_text("def f():\n    from posewire import fit\n    import posewire.camera\n    from posewire.data import Frame\n")
    assert sorted(rooms_imported(path)) == [(2, "fit"), (3, "camera"), (4, "data")]
    assert not may_import("camera", "fit") and may_import("fit", "camera") and not may_import("fit", "cli")
