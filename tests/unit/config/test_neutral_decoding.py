"""Neutral values of decoding are accepted by every backend, and presets say what they set."""

import pytest

from llem.testing.plugin_under_test import PluginUnderTest

from ...engine_defaults import DECODER, attempt, faults, neutral_values


@pytest.fixture(scope="module")
def simulated():
    return PluginUnderTest("simulated")


@pytest.mark.parametrize(
    "base",
    [
        {},
        {"workload": {"source": "synthetic"}},
        {"simulated.fail_in": "run", "simulated.failure": "error"},
    ],
)
def test_the_backend_without_decoding_takes_every_neutral_value(simulated, base):
    values = [*DECODER, *neutral_values("simulated"), ("decoder.preset", "deterministic")]
    assert ("decoder.do_sample", False) in values
    assert ("simulated.fail_after_runs", 0) in values
    assert faults(simulated, base, values) == []


@pytest.mark.parametrize("backend", ["pytorch", "vllm", "trt"])
@pytest.mark.parametrize(
    "values",
    [
        {"decoder.do_sample": False, "decoder.temperature": 1.0},
        {"decoder.top_k": 50},
        {"decoder.top_k": -1},
        {"decoder.temperature": 0.7, "decoder.top_k": -1},
        {"decoder.do_sample": False, "decoder.temperature": 1.0, "decoder.top_k": 50},
        {"model.revision": "main", "model.id": "shape:tiny"},
    ],
)
def test_defaults_of_engines_may_be_stated_where_nothing_samples(backend, values):
    assert attempt(PluginUnderTest(backend), values).refusals == []


def test_a_limit_of_minus_one_is_none(simulated):
    assert simulated.experiment({"decoder.top_k": -1}).decoder.top_k == 0


def test_a_value_that_a_preset_filled_in_is_blamed_on_the_preset():
    subject = PluginUnderTest("pytorch")
    preset = {"decoder.preset": "standard", "decoder.do_sample": False}
    (finding,) = attempt(subject, preset).findings
    assert (finding.path, finding.code) == ("decoder.preset", "greedy-ignores-top-p")
    assert finding.hint == "Set decoder.top_p: null, or choose another preset."
    assert attempt(subject, {**preset, "decoder.top_p": None}).refusals == []
    (written,) = attempt(subject, {**preset, "decoder.top_p": 0.9}).findings
    assert written.path == "decoder.top_p"
