"""The registry finds backends and meters, and calls their hooks directly."""

from __future__ import annotations

import sys

import pytest

from llem.errors import PluginDisabled, PluginDuplicate, PluginIncompatible, UnknownBackend
from llem.registry import Registry

METERS = """
from llem.api.hookspecs import hookimpl
from llem.api.meters import Meter, MeterSpec, Probe, Provenance

@hookimpl
def llem_meters():
    return [
        MeterSpec("good", "Works", Provenance.MEASURED, __name__ + ".Good", "cpu"),
        MeterSpec("gone", "Is not there", Provenance.MEASURED, __name__ + ".Gone", "cpu"),
    ]

class Good(Meter):
    def probe(self): return Probe(available=True, reason=str(self.options["answer"]))
    def open(self, devices): return ()
    def read(self): return ()
"""


def test_one_backend_loads_one_plugin(environment, source):
    environment.install("llem-two", {"a": source("a"), "b": source("b")})
    backend = environment.registry().backend("a")
    assert (backend.name, backend.module) == ("a", "llem_two_a")
    assert (backend.distribution, backend.version) == ("llem-two", "1.0")
    assert "llem_two_a" in sys.modules
    assert "llem_two_b" not in sys.modules


def test_each_backend_answers_for_itself(environment, source):
    hint = "\n@hookimpl\ndef llem_explain_error(error_type, message): return {!r} + message\n"
    environment.install(
        "llem-three",
        {"a": source("a", more=hint.format("a: ")), "b": source("b", more=hint.format("b: ")),
         "c": source("c")},
    )  # fmt: skip
    registry = environment.registry()
    first = registry.backend("a")
    assert first.explain_error("E", "oops") == "a: oops"
    assert registry.backend("b").explain_error("E", "oops") == "b: oops"
    assert registry.backend("c").explain_error("E", "oops") is None
    assert first.explain_error("E", "oops") == "a: oops"  # others were loaded since
    assert first.offers("llem_explain_error")
    assert not registry.backend("c").offers("llem_explain_error")


def test_a_mistyped_name_is_put_right(environment, source):
    environment.install("llem-rapid", {"rapid": source("rapid")})
    with pytest.raises(UnknownBackend, match=r"Unknown backend 'rapdi'\. Did you mean 'rapid'\?"):
        environment.registry().backend("rapdi")


def test_an_unknown_name_could_be_a_plugin_to_install(environment, source):
    environment.install("llem-rapid", {"rapid": source("rapid")})
    with pytest.raises(UnknownBackend) as caught:
        environment.registry().backend("quick")
    assert "Installed backends: rapid." in caught.value.hint
    assert "pip install llem-quick" in caught.value.hint


@pytest.mark.parametrize("name", ["", "../x", "a b", "X; rm", "--index-url"])
def test_no_install_command_is_made_of_nonsense(environment, name):
    with pytest.raises(UnknownBackend) as caught:
        environment.registry().backend(name)
    assert "pip install" not in caught.value.hint


def test_what_is_installed_and_unusable_says_why(environment, source):
    environment.install("llem-one", {"twin": source("twin")})
    environment.install("llem-two", {"twin": source("twin"), "off": source("off")})
    environment.install("llem-old", {"old": source("old")}, group="llem.plugins.v0")
    registry = environment.registry(LLEM_PLUGINS_DISABLE="off")
    for name, error, words in (
        ("twin", PluginDuplicate, "llem-one and llem-two"),
        ("old", PluginIncompatible, "built for plugin API v0, this llem speaks v1"),
        ("off", PluginDisabled, "LLEM_PLUGINS_DISABLE"),
    ):
        with pytest.raises(error, match=words) as caught:
            registry.backend(name)
        assert caught.value.hint
    assert registry.backends() == ()
    assert not {"llem_one_twin", "llem_two_twin", "llem_old_old", "llem_two_off"} & set(sys.modules)


def test_a_plugin_that_is_slow_to_import_is_called_so_and_works(environment, source):
    environment.install("llem-two", {"quick": source("quick"), "slow": source("slow")})
    durations_s = iter([0.0, 0.4, 10.0, 12.5])
    records = environment.registry().plugins
    registry = Registry(records, {}, clock=lambda: next(durations_s))
    assert [backend.name for backend in registry.backends()] == ["quick", "slow"]
    quick, slow = registry.plugins
    assert (quick.status, quick.message) == ("ok", "")
    assert slow.status == "ok"
    assert slow.message == "slow: took 2.5 s to import, which every listing waits for"


def test_a_plugin_may_bring_meters_and_no_backend(environment):
    environment.install("llem-watts", {"watts": METERS})
    registry = environment.registry()
    assert [(plugin, spec.name) for plugin, spec in registry.meter_specs()] == [
        ("watts", "good"),
        ("watts", "gone"),
    ]
    assert registry.backends() == ()
    with pytest.raises(UnknownBackend, match="Plugin 'watts' offers no backend"):
        registry.backend("watts")


def test_a_meter_is_probed_with_the_options(environment):
    environment.install("llem-watts", {"watts": METERS})
    registry = environment.registry()
    [(_, good), _] = registry.meter_specs()
    assert registry.probe_meter("watts", good, {"answer": 42}).reason == "42"


def test_hook_calls_can_be_traced(environment, source, capsys):
    environment.install("llem-rapid", {"rapid": source("rapid")})
    environment.registry(LLEM_TRACE_HOOKS="1").backend("rapid")
    assert "llem_capabilities" in capsys.readouterr().err
    environment.registry().backend("rapid")
    assert capsys.readouterr().err == ""


def test_this_environment_has_cores_own_plugins():
    names = {record.name for record in Registry.discover().plugins}
    assert {"simulated", "meters"} <= names


def test_a_hook_is_three_frames_away(environment, source):
    recording = """
@hookimpl
def llem_build_kwargs(experiment):
    import sys

    frame, frames = sys._getframe(), []
    while frame := frame.f_back:
        frames.append(frame.f_globals["__name__"])
    return [module for module in frames if module.startswith("llem.")]
"""
    environment.install("llem-near", {"near": source("near", more=recording)})
    frames = environment.registry().backend("near").build_plan(experiment=None)
    assert frames == ["llem.registry.registry", "llem.registry.backend", "llem.registry.backend"]
