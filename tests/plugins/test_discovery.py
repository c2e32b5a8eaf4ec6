"""Plugins are found one by one; a broken one is listed with its reason, a duplicate is refused. Real distributions, no mocks."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import installed
import pytest

from posewire import plugins
from posewire.errors import ModelError, PluginError
from posewire.methods import MethodOptions

Load = Callable[..., plugins.Registry]

GOOD = """
@hookimpl
def posewire_methods():
    return [method("{0}")]
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Load:
    """Installs the given distributions (name=plugins) into an empty folder and loads what is there."""
    monkeypatch.syspath_prepend(tmp_path)

    def load(**distributions: dict[str, str]) -> plugins.Registry:
        for distribution, code in distributions.items():
            installed.put(tmp_path, f"{tmp_path.name}_{distribution}".replace("-", "_"), code)
        return plugins.load_from(installed.entry_points(tmp_path))

    return load


def reason(registry: plugins.Registry) -> str:
    (broken,) = registry.broken
    return broken.reason


def test_a_plugin_brings_methods_sources_and_rigs(load: Load) -> None:
    code = """
        @hookimpl
        def posewire_methods():
            yield method("see")
            yield method("lift", kind="lifter")
        @hookimpl
        def posewire_sources():
            return (source("screen"),)
        @hookimpl
        def posewire_rigs():
            return [rig("dog")]
    """
    registry = load(mine={"mine": code})
    assert (set(registry.methods), set(registry.sources), set(registry.rigs)) == ({"see", "lift"}, {"screen"}, {"dog"})
    assert registry.broken == ()
    assert registry.method("lift").kind == "lifter"
    assert registry.source("screen").example == "x:0"
    assert registry.rig("dog").path.is_file()


def test_a_card_knows_the_distribution_that_brought_it(load: Load) -> None:
    code = (
        "@hookimpl\ndef posewire_methods(): return [method('same')]\n@hookimpl\ndef posewire_sources(): return [source('same')]"
    )
    registry = load(first={"a": GOOD.format("see")}, second={"b": code})
    assert registry.origin(registry.method("see")).distribution.endswith("first")
    for card in (registry.method("same"), registry.source("same")):
        assert registry.origin(card).distribution.endswith("second")
        assert registry.origin(card).version == "1.2"


def test_a_plugin_may_be_an_object_in_a_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    code = "class Plugin:\n    @hookimpl\n    def posewire_methods(self): return [method('see')]\nplugin = Plugin()\n"
    installed.put(tmp_path, "as_object", {"mine": code})
    entry = tmp_path / "as_object-1.2.dist-info" / "entry_points.txt"
    entry.write_text(entry.read_text().replace("_plugin\n", "_plugin:plugin\n"))
    assert set(plugins.load_from(installed.entry_points(tmp_path)).methods) == {"see"}


def test_no_plugins_is_an_empty_registry(load: Load) -> None:
    registry = load()
    assert not registry.methods and not registry.broken
    with pytest.raises(PluginError, match="none is installed"):
        registry.method("blazepose")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        pytest.param("import not_there_at_all", "No module named 'not_there_at_all'", id="import"),
        pytest.param("1 / 0", "ZeroDivisionError: division by zero", id="raises at import"),
        pytest.param("raise SystemExit(3)", "SystemExit: 3", id="exits at import"),
        pytest.param("def (", "SyntaxError", id="syntax"),
        pytest.param("@hookimpl\ndef posewire_methodz(): return []", "unknown hook 'posewire_methodz'", id="unknown hook"),
        pytest.param("@hookimpl\ndef posewire_methods(config): return []", "{'config'}", id="unknown argument"),
        pytest.param(
            "def posewire_methods(): return []",
            "() is not marked with @posewire.hookspecs.hookimpl",
            id="unmarked",
        ),
        pytest.param("x = 1", "it implements no hook", id="no hook"),
        pytest.param("@hookimpl\ndef posewire_methods(): 1 / 0", "ZeroDivisionError", id="hook raises"),
        pytest.param(
            "@hookimpl\ndef posewire_methods():\n    yield method('a')\n    1 / 0", "ZeroDivisionError", id="raises later"
        ),
        pytest.param("@hookimpl\ndef posewire_methods(): return method('a')", "must return cards", id="one card, no list"),
        pytest.param("@hookimpl\ndef posewire_methods(): return [rig('a')]", "something else than MethodCard", id="another card"),
        pytest.param("@hookimpl\ndef posewire_methods(): return ['a']", "something else than MethodCard", id="no card"),
        pytest.param(
            "@hookimpl\ndef posewire_methods(): return [method('a'), method('a')]", "same name twice", id="twice in one"
        ),
    ],
)
def test_a_broken_plugin_is_listed_with_its_reason_and_hurts_no_other(load: Load, code: str, expected: str) -> None:
    registry = load(bad={"bad": code}, good={"good": GOOD.format("see")})
    assert set(registry.methods) == {"see"}
    (broken,) = registry.broken
    assert (broken.name, broken.distribution.endswith("bad")) == ("bad", True)
    assert expected in broken.reason
    assert "\n" not in broken.reason


@pytest.mark.parametrize(
    "code",
    ["import not_there_at_all", "1 / 0", "@hookimpl\ndef posewire_methods():\n    import json\n    json.loads('{')"],
    ids=["import", "raises at import", "hook raises in Python's own code"],
)
def test_a_broken_plugins_own_line_is_named(load: Load, code: str) -> None:
    """Not importlib's, pluggy's or json's."""
    registry = load(bad={"bad": code})
    assert re.search(r"_bad_plugin\.py, line \d+\)$", reason(registry)), reason(registry)


@pytest.mark.parametrize(
    ("card", "expected"),
    [
        ("method('')", "unusable name"),
        ("method('Upper Case')", "unusable name"),
        ("method('../escape')", "unusable name"),
        ("method(7)", "unusable name"),
        ("method('a', kind='tracker')", "unusable kind"),
        ("method('a', joints=())", "unusable joints"),
        ("method('a', joints=['nose'])", "unusable joints"),
        ("method('a', joints=('nose', 'nose'))", "unusable joints"),
        ("method('a', joints=('nose', ''))", "unusable joints"),
        ("method('a', joints=('nose', 3))", "unusable joints"),
        ("method('a', create=None)", "unusable create"),
        ("MethodCard('a', 'lifter', ('nose',), 'no', 'MIT', 'A method.', len)", "unusable multi_person"),
        ("MethodCard('a', 'lifter', ('nose',), False, '', 'A method.', len)", "unusable weights_licence"),
        ("MethodCard('a', 'lifter', ('nose',), False, 'MIT', None, len)", "unusable summary"),
        ("MethodCard('a', 'lifter', ('nose',), False, 'MIT', 'A method.', len, '90 mm')", "unusable accuracy"),
        ("MethodCard('a', 'lifter', ('nose',), False, 'MIT', 'A method.', len, (), ('9 ms',))", "unusable speed"),
        ("MethodCard('a', 'lifter', ('nose',), False, 'MIT', 'A method.', len, weights=('a.onnx',))", "unusable weights"),
        ("MethodCard('a', 'estimator', ('nose',), False, 'MIT', 'A method.', len, weights='a.onnx')", "unusable weights"),
    ],
)
def test_a_method_card_with_a_bad_field_names_the_field(load: Load, card: str, expected: str) -> None:
    assert expected in reason(load(bad={"bad": f"@hookimpl\ndef posewire_methods(): return [{card}]"}))


@pytest.mark.parametrize(
    ("hook", "card", "expected"),
    [
        ("posewire_rigs", "rig('dog', Path('nowhere.json'))", "unusable path"),
        ("posewire_rigs", "rig('dog', __file__)", "unusable path"),
        ("posewire_sources", "SourceCard('s', 'A source.', '', len, len)", "unusable example"),
        ("posewire_sources", "SourceCard('s', 'A source.', 'x:0', 'x:', len)", "unusable matches"),
        ("posewire_sources", "SourceCard('s', 'A source.', 'x:0', len, None)", "unusable open"),
    ],
)
def test_a_source_or_rig_card_with_a_bad_field_names_the_field(load: Load, hook: str, card: str, expected: str) -> None:
    assert expected in reason(load(bad={"bad": f"@hookimpl\ndef {hook}(): return [{card}]"}))


def test_two_plugins_of_one_name_are_refused_and_both_named(load: Load) -> None:
    with pytest.raises(PluginError, match=r"'same' from .*first 1\.2 and from .*second 1\.2"):
        load(first={"same": GOOD.format("a")}, second={"same": GOOD.format("b")})


def test_duplicate_plugin_names_are_refused_even_where_both_are_broken(load: Load) -> None:
    with pytest.raises(PluginError, match="Two plugins have the same name"):
        load(first={"same": "1 / 0"}, second={"same": "1 / 0"})


@pytest.mark.parametrize(("hook", "maker"), [("methods", "method"), ("sources", "source"), ("rigs", "rig")])
def test_two_cards_of_one_name_are_refused_and_both_plugins_named(load: Load, hook: str, maker: str) -> None:
    code = f"@hookimpl\ndef posewire_{hook}(): return [{maker}('twin')]"
    with pytest.raises(PluginError, match=r"'twin' from plugin 'a' of .*first 1\.2 and from plugin 'b' of .*second 1\.2"):
        load(first={"a": code}, second={"b": code})


def test_an_unknown_name_lists_what_exists_and_the_nearest(load: Load) -> None:
    registry = load(one={"one": GOOD.format("blazepose")}, two={"two": GOOD.format("vnect")})
    with pytest.raises(PluginError) as caught:
        registry.method("blazepos")
    assert "allowed: blazepose, vnect" in str(caught.value)
    assert "did you mean 'blazepose'?" in str(caught.value)


def test_an_unknown_name_of_a_broken_plugin_gives_its_reason(load: Load) -> None:
    registry = load(one={"vnect": "import not_there_at_all"}, two={"two": GOOD.format("vnecto")})
    with pytest.raises(PluginError, match="installed and broken: ModuleNotFoundError: No module named 'not_there_at_all'"):
        registry.method("vnect")


def test_an_unknown_name_mentions_broken_plugins_that_might_have_brought_it(load: Load) -> None:
    registry = load(one={"broken-one": "import not_there_at_all"})
    with pytest.raises(PluginError, match="installed and broken: broken-one"):
        registry.rig("zebra")


def test_what_a_plugin_prints_while_loading_does_not_reach_standard_output(
    load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    load(loud={"loud": "print('hello')" + GOOD.format("see")})
    assert capsys.readouterr() == ("", "hello\n")


def test_a_failing_create_is_a_plugin_error(load: Load) -> None:
    code = """
        def create(options): import torch_of_the_future
        @hookimpl
        def posewire_methods(): return [method("see", create=create)]
    """
    card = load(mine={"mine": code}).method("see")
    with pytest.raises(
        PluginError, match=r"'see' cannot be opened(.|\n)*No module named 'torch_of_the_future' \(.*\.py, line \d+\)"
    ):
        plugins.open_method(card, MethodOptions())


def test_a_posewire_error_from_create_passes_unchanged(load: Load) -> None:
    code = """
        from posewire.errors import ModelError
        def create(options): raise ModelError("The weights are missing.")
        @hookimpl
        def posewire_methods(): return [method("see", create=create)]
    """
    with pytest.raises(ModelError, match="The weights are missing"):
        plugins.open_method(load(mine={"mine": code}).method("see"), MethodOptions())


def test_a_method_that_is_not_of_its_kind_is_refused(load: Load) -> None:
    with pytest.raises(PluginError, match="no estimate, reset, close"):
        plugins.open_method(load(mine={"mine": GOOD.format("see")}).method("see"), MethodOptions())


def test_a_method_whose_members_cannot_even_be_looked_at_is_blamed(load: Load) -> None:
    code = """
        class Broken:
            receptive_field = property(lambda self: 1 / 0)
        @hookimpl
        def posewire_methods(): return [method("up", kind="lifter", create=lambda options: Broken())]
    """
    with pytest.raises(PluginError, match=r"'up' cannot be opened(.|\n)*ZeroDivisionError(.|\n)*line \d+\)"):
        plugins.open_method(load(mine={"mine": code}).method("up"), MethodOptions())


def test_loading_every_plugin_of_this_environment_imports_no_network() -> None:
    code = """
        import json, sys
        from posewire import plugins
        registry = plugins.load()
        heavy = [name for name in ("torch", "onnxruntime", "tensorflow", "onnx", "jax") if name in sys.modules]
        broken = [plugin.reason for plugin in registry.broken if plugin.distribution == "posewire"]
        print(json.dumps([heavy, sorted(registry.methods), broken]))
    """
    run = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    heavy, methods, broken = json.loads(run.stdout)
    assert heavy == []
    assert "blazepose" in methods
    assert broken == []


def test_the_registry_of_this_process_is_found_once() -> None:
    assert plugins.load() is plugins.load()
    before = plugins.load()
    plugins.load.cache_clear()
    assert plugins.load() is not before
