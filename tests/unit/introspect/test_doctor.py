"""`llem meters` and `llem doctor` report the state of this machine."""

from __future__ import annotations

import json

import pytest

from llem.introspect.doctor import State, check_table, doctor
from llem.introspect.installed import meter_table, meters, meters_json
from llem.tables import render_json, render_text

METERS = """
from llem.api.hookspecs import hookimpl
from llem.api.meters import Channel, Meter, MeterSpec, Probe, Provenance, Quantity

def spec(name, **more):
    kind = "cuda" if name == "gpu" else "cpu"
    factory = f"{__name__}.{name.capitalize()}"
    return MeterSpec(name, "Reads watts", Provenance.MEASURED, factory, kind, **more)

@hookimpl
def llem_meters():
    return [spec("gpu"), spec("cpu"), spec("lost"), spec("odd"), spec("toy", opt_in=True)]

class Gpu(Meter):
    def probe(self):
        channels = [
            Channel("cuda:GPU-1", domain, Quantity.POWER, update_period_s=0.1, resolution=0.001)
            for domain in ("gpu", "memory")
        ]
        return Probe(available=True, channels=tuple(channels))
    def open(self, devices): return ()
    def read(self): return ()

class Cpu(Gpu):
    def probe(self): return Probe(available=False, reason="nothing to read; try another machine")

class Odd(Gpu):
    def probe(self): raise RuntimeError("surprise")

class Toy(Gpu):
    def probe(self): return Probe(available=True)
"""
ENGINE = "engine=EngineRequirement('rocket-engine', '>=2', 'pip install rocket-engine')"


@pytest.fixture
def registry(environment, source):
    """A registry with a backend, meters in all states and a broken plugin."""
    environment.install("llem-rocket", {"rocket": source("rocket", ENGINE)})
    environment.install("llem-watts", {"watts": METERS})
    return environment.registry()


def test_every_meter_says_whether_it_works(registry):
    found = {meter.spec.name: meter for meter in meters(registry)}
    assert list(found) == ["gpu", "cpu", "lost", "odd", "toy"]
    assert found["gpu"].probe.available
    assert found["gpu"].devices == ("cuda:GPU-1",)
    assert found["gpu"].plugin == "watts"
    assert not found["cpu"].probe.available
    assert found["cpu"].probe.reason == "nothing to read; try another machine"
    assert "AttributeError" in found["lost"].probe.reason
    assert "RuntimeError: surprise" in found["odd"].probe.reason
    text = render_text(meter_table(tuple(found.values())))
    assert "gpu    yes" in text
    assert "  instantaneous power every 0.1 s in steps of 0.001 W  " in text
    [first, *_] = json.loads(render_json(meters_json(tuple(found.values()))))
    assert first["channels"][0]["domain"] == "gpu"
    assert (first["plugin"], first["name"], first["provenance"]) == ("watts", "gpu", "measured")
    assert (first["available"], first["opt_in"]) == (True, False)


def _checks(registry, tmp_path, **environ):
    checks = doctor(registry, environ=environ, results=tmp_path / "a" / "results")
    return {check.name: check for check in checks}


def test_a_sound_environment(registry, environment, tmp_path):
    environment.install("rocket-engine", version="2.1")
    checks = _checks(registry, tmp_path)
    assert State.FAILED not in {check.state for check in checks.values()}
    assert checks["engine of rocket"].message == "rocket-engine 2.1"
    assert checks["gpus"].message == "1: cuda:GPU-1"
    assert checks["meter cpu"].state is State.WARNING
    assert "meter toy" not in checks
    assert "engines" not in checks
    assert not (tmp_path / "a").exists()  # looked at, not made
    assert render_text(check_table(list(checks.values()))).startswith("ok       python")


def test_a_missing_engine_is_a_warning(registry, tmp_path):
    checks = _checks(registry, tmp_path)
    assert checks["engine of rocket"].state is State.WARNING
    assert checks["engine of rocket"].message == "rocket-engine is not installed"
    assert checks["engines"].state is State.WARNING


def test_a_broken_plugin_fails(environment, tmp_path):
    environment.install("llem-void", {"void": "1 / 0"})
    checks = _checks(environment.registry(), tmp_path)
    assert checks["plugin void"].state is State.FAILED
    assert "ZeroDivisionError" in checks["plugin void"].message


def test_a_plugin_switched_off_on_purpose_does_not_fail(environment, source, tmp_path):
    environment.install("llem-rocket", {"rocket": source("rocket")})
    registry = environment.registry(LLEM_PLUGINS_DISABLE="rocket")
    assert _checks(registry, tmp_path)["plugin rocket"].state is State.OK


@pytest.mark.parametrize("variable", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
def test_being_offline_is_said(registry, tmp_path, variable):
    offline = _checks(registry, tmp_path, **{variable: "1"})["model hub"].message
    online = _checks(registry, tmp_path, **{variable: "0"})["model hub"].message
    assert variable in offline
    assert "may be downloaded" in online


def test_a_file_in_the_way_of_the_results_fails(registry, tmp_path):
    (tmp_path / "a").write_text("")
    check = _checks(registry, tmp_path)["results folder"]
    assert check.state is State.FAILED
    assert str(tmp_path / "a") in check.message
