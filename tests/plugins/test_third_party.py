"""Somebody else's distributions, really installed: listed, run, tested by posewire.testing, refused where they clash."""

from __future__ import annotations

import pytest
from pip_site import Site


def test_an_installed_plugin_is_found_with_its_distribution_and_version(site: Site) -> None:
    code = """
        import json
        from posewire import plugins
        registry = plugins.load()
        cards = [registry.method("sample-motion"), registry.source("sample-bars"), registry.rig("sample-robot")]
        print(json.dumps([str(registry.origin(card)) for card in cards]))
    """
    assert site.result(code) == ["plugin 'sample' of posewire-sample 1.0.0"] * 3


def test_a_broken_plugin_is_listed_and_the_others_work(site: Site) -> None:
    code = """
        import json
        from posewire import plugins
        registry = plugins.load()
        broken = [[plugin.name, plugin.distribution, plugin.reason] for plugin in registry.broken]
        print(json.dumps([broken, sorted(registry.methods)]))
    """
    broken, methods = site.result(code)
    reason = "ModuleNotFoundError: No module named 'a_library_that_nobody_installed' (posewire_broken/plugin.py, line 3)"
    assert ["broken", "posewire-broken", reason] in broken
    assert {"blazepose", "sample-motion", "glow-worm", "glow-worm-lifter"} <= set(methods)


def test_an_unknown_method_mentions_the_broken_plugin_of_that_name(site: Site) -> None:
    run = site.run("-m", "posewire", "run", "bars:64x48", "--method", "broken")
    assert run.returncode == 2
    assert "installed and broken: ModuleNotFoundError" in run.stderr
    assert "Traceback" not in run.stderr


def test_an_address_of_a_third_party_source_reaches_it(site: Site) -> None:
    code = """
        import json
        from posewire import capture, plugins
        from posewire.methods import SourceOptions
        source = capture.open_source("bars:64x48", SourceOptions(), tuple(plugins.load().sources.values()))
        frames = list(source)
        source.close()
        print(json.dumps([len(frames), frames[0].image.shape, frames[-1].time_s]))
    """
    frames, shape, last_s = site.result(code)
    assert (frames, shape) == (60, [48, 64, 3])
    assert last_s == pytest.approx(59 / 30)


def test_a_third_party_rig_is_a_usable_rig(site: Site) -> None:
    code = """
        import json
        from posewire import plugins, retarget
        print(json.dumps([bone.name for bone in retarget.read_rig(plugins.load().rig("sample-robot").path).bones]))
    """
    assert site.result(code) == ["base", "trunk", "head", "arm_l", "arm_r"]


def test_the_sample_passes_the_conformance_tests_and_its_speed_is_printed(site: Site) -> None:
    run = site.pytest("posewire_sample")
    assert run.returncode == 0, run.stdout
    assert "sample-motion" in run.stdout.split("posewire: speed")[1]


def test_a_new_plugin_passes_its_own_tests_as_it_stands(site: Site) -> None:
    run = site.pytest("posewire-glow-worm")
    assert run.returncode == 0, run.stdout
    report = run.stdout.split("posewire: speed")[1]
    assert "glow-worm " in report and "glow-worm-lifter" in report


def test_two_distributions_with_one_method_name_are_refused_and_both_named(site_with_duplicate: Site) -> None:
    run = site_with_duplicate.run("-m", "posewire", "methods")
    assert run.returncode == 2
    assert "'sample-motion' from plugin 'duplicate' of posewire-duplicate 1.0.0" in run.stderr
    assert "from plugin 'sample' of posewire-sample 1.0.0" in run.stderr
    assert "pip uninstall" in run.stderr
    assert "Traceback" not in run.stderr
