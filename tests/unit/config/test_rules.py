"""Combinations that are refused, each with its reason and the way out."""

import re
from dataclasses import replace
from functools import reduce

import pytest

from llem.api.capability import Gpu, HostInfo
from llem.config.core_rules import RULES
from llem.config.rule_checks import rule_errors, rule_warnings, unmet_conditions

from .fakes import FAKE, Section, experiment


def broken(**sections):
    """Return the findings of rules, without those about decoder fields that no backend honors."""
    findings = rule_errors(experiment(**sections), FAKE.info)
    return [finding for finding in findings if finding.code != "decoder-unsupported"]


TEXTS = {"source": "builtin"}
UNIFORM = {"distribution": "uniform", "low": 4, "high": 64}

BROKEN = [
    ("sampling-needs-temperature", {"decoder": {"do_sample": True}}),
    ("greedy-ignores-temperature", {"decoder": {"do_sample": False, "temperature": 0.7}}),
    ("greedy-ignores-top-p", {"decoder": {"top_p": 0.9}}),
    ("greedy-ignores-top-p", {"decoder": {"top_p": 0.9, "do_sample": False, "temperature": None}}),
    ("greedy-ignores-top-k", {"decoder": {"top_k": 5}}),
    ("greedy-ignores-min-p", {"decoder": {"min_p": 0.1}}),
    ("greedy-ignores-typical-p", {"decoder": {"typical_p": 0.9}}),
    ("ignored-eos-needs-no-minimum", {"decoder": {"min_new_tokens": 4}}),
    (
        "ignored-eos-needs-no-minimum",
        {"workload": TEXTS, "decoder": {"min_new_tokens": 4, "ignore_eos": True}},
    ),
    ("ignored-eos-needs-full-length", {"decoder": {"stop": ["END"]}}),
    ("least-output-fits-limit", {"workload": TEXTS, "decoder": {"min_new_tokens": 65}}),
    (
        "least-output-fits-limit",
        {"workload": TEXTS, "decoder": {"min_new_tokens": 4, "max_new_tokens": 3}},
    ),
    (
        "least-output-fits-limit",
        {"workload": TEXTS | {"output_tokens": UNIFORM}, "decoder": {"min_new_tokens": 5}},
    ),
    ("shape-has-no-revision", {"model": {"revision": "v1"}}),
    ("shape-has-no-weights", {"model": {"weights": "pretrained"}}),
    ("shape-has-no-gguf-file", {"model": {"gguf_file": "a.gguf"}}),
    (
        "gguf-file-has-weights",
        {"model": {"id": "org/model", "gguf_file": "a.gguf", "weights": "random"}},
    ),
    ("measurement-max-duration-s-bounds", {"measurement": {"max_duration_s": 5}}),
    ("measurement-max-repetitions-bounds", {"measurement": {"max_repetitions": 2}}),
    ("warmup-max-repetitions-bounds", {"measurement": {"warmup": {"max_repetitions": 1}}}),
    ("measurement-cpu-tdp-w-bounds", {"measurement": {"cpu_idle_w": 9, "cpu_tdp_w": 8}}),
    ("subtracted-idle-is-metered", {"measurement": {"baseline": {"bare_s": 0}}}),
    ("eager-needs-batches", {"fake": {"attention": "eager"}}),
]

ALLOWED = [
    {},
    {"decoder": {"do_sample": True, "temperature": 0.7, "top_p": 0.9}},
    {"decoder": {"do_sample": True, "temperature": None, "top_k": 5}},
    {"decoder": {"min_new_tokens": 4, "ignore_eos": False}},
    {"decoder": {"stop": ["END"], "ignore_eos": False}},
    {"decoder": {"stop": []}},
    {"workload": TEXTS, "decoder": {"min_new_tokens": 64, "stop": ["END"]}},
    {"workload": TEXTS | {"output_tokens": UNIFORM}, "decoder": {"min_new_tokens": 4}},
    {"model": {"tokenizer": "org/other"}},
    {"model": {"weights": "random"}},
    {"model": {"id": "org/model", "revision": "main", "weights": "random"}},
    {"model": {"id": "org/model", "gguf_file": "a.gguf"}},
    {"workload": TEXTS | {"chat_template": True}},
    {"measurement": {"min_duration_s": 120, "max_duration_s": 120}},
    {"measurement": {"cpu_idle_w": 9}},
    {"measurement": {"baseline": {"bare_s": 0, "subtract": "loaded"}}},
    {"measurement": {"baseline": {"bare_s": 0, "loaded_s": 0}}},
    {"fake": {"attention": "eager", "batch_size": 4}},
]


@pytest.mark.parametrize(("name", "sections"), BROKEN)
def test_what_cannot_be_honored_is_refused(name, sections):
    (finding,) = broken(**sections)
    assert finding.code == name
    assert finding.severity == "error"
    assert finding.hint


@pytest.mark.parametrize("sections", ALLOWED)
def test_what_can_be_honored_is_allowed(sections):
    assert broken(**sections) == []


def test_every_rule_is_seen_at_work():
    assert {name for name, _ in BROKEN} == {
        rule.name for rule in (*RULES, *Section.rules) if rule.severity == "error"
    }


def test_rules_name_themselves_and_existing_fields():
    names = [rule.name for rule in RULES]
    assert len(set(names)) == len(names)
    for rule in RULES:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
        for field in rule.fields:
            reduce(getattr, field.split("."), experiment())
        assert rule.reason[0].islower()
        assert not rule.reason.endswith(".")
        assert rule.hint.endswith(".")


def test_a_refusal_names_file_line_values_and_the_way_out(refused):
    assert refused("decoder:\n  do_sample: true\n") == [
        "exp.yaml:2: decoder.do_sample: sampling at temperature 0 is greedy decoding "
        "(decoder.do_sample: true, decoder.temperature: 0.0). "
        "Set decoder.temperature above 0, or to null for 1."
    ]


def test_each_dormant_setting_is_blamed_by_itself(refused):
    lines = refused("decoder:\n  top_p: 0.9\n  min_p: 0.1\n")
    blamed = [line.split(": ")[:2] for line in lines if "acts only when sampling" in line]
    assert blamed == [["exp.yaml:2", "decoder.top_p"], ["exp.yaml:3", "decoder.min_p"]]


@pytest.mark.parametrize(
    ("decoder", "fields"),
    [
        ({}, []),
        ({"temperature": 0.0}, []),
        ({"seed": 7, "ignore_eos": True, "max_new_tokens": 9}, []),
        ({"do_sample": True, "temperature": 0.5, "top_p": 0.9}, []),
        ({"repetition_penalty": 1.1}, ["decoder.repetition_penalty"]),
        ({"temperature": 0.5, "min_p": 1.0, "top_k": 5}, ["decoder.top_k", "decoder.min_p"]),
        ({"stop": ["END"], "ignore_eos": False}, ["decoder.stop"]),
    ],
)  # fmt: skip
def test_a_decoder_field_is_honored_or_refused(decoder, fields):
    findings = list(rule_errors(experiment(decoder=decoder), FAKE.info))
    assert [finding.path for finding in findings] == fields
    assert all(finding.code == "decoder-unsupported" for finding in findings)


NEUTRAL = {
    "top_p": 1.0, "top_k": 0, "min_p": 0.0, "typical_p": 1.0, "repetition_penalty": 1.0,
    "min_new_tokens": 0,
}  # fmt: skip


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize("name", NEUTRAL)
def test_a_value_that_switches_a_field_off_is_refused_nowhere(name, temperature):
    decoder = {name: NEUTRAL[name], "temperature": temperature}
    for workload in ({"source": "synthetic"}, TEXTS):
        made = experiment(decoder=decoder, workload=workload)
        assert list(rule_errors(made, FAKE.info)) == []


def test_a_field_that_is_not_honored_is_told_from_those_that_are(refused):
    assert refused("decoder: {repetition_penalty: 1.1}") == [
        "exp.yaml:1: decoder.repetition_penalty: backend fake does not honor it. "
        "Remove it, or choose another backend. Honored: do_sample, ignore_eos, max_new_tokens, "
        "min_new_tokens, preset, seed, temperature, top_p."
    ]


def test_what_only_a_preset_sets_is_blamed_on_it(refused):
    (line,) = refused("decoder: {preset: standard}")
    assert line.startswith(
        "exp.yaml:1: decoder.preset: it sets top_k, which backend fake does not honor. "
        "Set decoder.top_k: null, or choose another backend."
    )
    decoder = {"preset": "standard", "top_k": None}
    assert list(rule_errors(experiment(decoder=decoder), FAKE.info)) == []


@pytest.mark.parametrize(
    ("model", "honored", "fields"),
    [
        ({"dtype": "float32", "revision": "main"}, None, []),
        ({"id": "shape:1b"}, frozenset(), []),
        ({"dtype": "float32"}, frozenset({"dtype"}), []),
        ({"dtype": "float32", "revision": "v1"}, frozenset({"dtype"}), ["model.revision"]),
        ({"weights": "random", "trust_remote_code": True}, frozenset(),
         ["model.weights", "model.trust_remote_code"]),
    ],
)  # fmt: skip
def test_a_model_field_is_honored_or_refused(model, honored, fields):
    info = replace(FAKE.info, model_parameters=honored)
    chosen = {"id": "org/model", **model}
    findings = list(rule_errors(experiment(model=chosen), info))
    assert [finding.path for finding in findings] == fields
    assert all(finding.code == "model-unsupported" for finding in findings)
    assert all("Honored: " in finding.hint for finding in findings)


def test_a_dormant_setting_is_remarked_on():
    (finding,) = rule_warnings(experiment(fake={"bits": 8}))
    assert (finding.code, finding.severity) == ("bits-are-ignored", "warning")
    assert not broken(fake={"bits": 8})


@pytest.mark.parametrize(
    ("measurement", "code"),
    [
        ({"min_repetitions": 1, "max_repetitions": 1}, "precision-needs-two-repetitions"),
        ({"warmup": {"max_repetitions": 2}}, "warmup-strategy-needs-repetitions"),
        ({"warmup": {"max_repetitions": 5, "strategy": "trend"}}, "warmup-strategy-needs-repet"),
    ],
)
def test_a_config_that_cannot_become_valid_is_remarked_on(measurement, code):
    (finding,) = rule_warnings(experiment(measurement=measurement))
    assert finding.code.startswith(code)
    assert "cannot become valid" in finding.message
    assert not broken(measurement=measurement)


@pytest.mark.parametrize(
    "measurement",
    [
        {"min_repetitions": 2, "max_repetitions": 2},
        {"min_repetitions": 1, "max_repetitions": 1,
         "thresholds": {"allow": ["precision-not-reached"]}},
        {"warmup": {"min_repetitions": 0, "max_repetitions": 0}},
        {"warmup": {"max_repetitions": 3}},
        {"warmup": {"max_repetitions": 6, "strategy": "trend"}},
        {"warmup": {"max_repetitions": 2, "strategy": "fixed"}},
        {"warmup": {"max_repetitions": 2}, "thresholds": {"allow": ["warmup-not-converged"]}},
    ],
)  # fmt: skip
def test_a_config_that_can_become_valid_is_not_remarked_on(measurement):
    assert list(rule_warnings(experiment(measurement=measurement))) == []


def test_what_is_passed_through_is_remarked_on_by_call_and_name_only():
    passed = {"load": {"b": "value", "a": 1}, "generate": {}}
    (finding,) = rule_warnings(experiment(passthrough_kwargs=passed))
    assert (finding.severity, finding.path) == ("warning", "passthrough_kwargs.load")
    assert finding.message == "passed on unchecked: a, b"


def test_remote_code_is_remarked_on():
    model = {"id": "org/model", "trust_remote_code": True}
    (finding,) = rule_warnings(experiment(model=model))
    assert (finding.severity, finding.code) == ("warning", "remote-code")


@pytest.mark.parametrize(
    ("section", "capability", "fields"),
    [
        ({}, (7, 5), []),
        ({"attention": "sdpa", "even": 2}, (7, 5), ["fake.attention", "fake.even"]),
        ({"attention": "sdpa", "even": 2}, (8, 0), ["fake.even"]),
        ({"attention": "sdpa", "even": 2}, (9, 0), []),
        ({"attention": "eager", "batch_size": 1}, (7, 5), []),
        ({"attention": "sdpa", "even": 2}, None, []),
    ],
)
def test_a_field_for_newer_devices_is_refused_on_older_ones(section, capability, fields):
    gpus = () if capability is None else (Gpu("GPU-1", "Card", 2**30, capability),)
    findings = list(
        unmet_conditions(experiment(fake=section), HostInfo("Linux", "any", 1, 2**30, gpus))
    )
    assert [finding.path for finding in findings] == fields
    if "fake.attention" in fields:
        assert findings[0].message == '"sdpa" needs compute capability 8.0, and Card has 7.5'
