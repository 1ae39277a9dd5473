"""What is said about keys and values that are not allowed: file, line, path, value, way out."""

import os
import time

import pytest

from llem.config.defaults import experiment_model
from llem.config.messages import discriminator_of, location_of
from llem.schema.fields import walk

from .fakes import FAKE

SECRET = "hf_" + "a1B2" * 8


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "modle: {id: x}",
            "exp.yaml:1: modle: there is no such key. Did you mean model?",
        ),
        (
            "model:\n  id: x\n  dytpe: auto",
            "exp.yaml:3: model.dytpe: there is no such key. Did you mean dtype?",
        ),
        (
            "fake: {bach_size: 4}",
            "exp.yaml:1: fake.bach_size: there is no such key. Did you mean batch_size?",
        ),
        (
            "fake: {dtype: float16}",
            "exp.yaml:1: fake.dtype: there is no such key. Did you mean model.dtype?",
        ),
        (
            "model.id: x",
            "exp.yaml:1: model.id: there is no such key. Write it in its section: model: {id: …}.",
        ),
        (
            "runner: {xyz: 1}",
            "exp.yaml:1: runner.xyz: there is no such key. "
            "Known here: python, env, timeouts, max_log_bytes.",
        ),
        (
            "\nother: {block_size: 8}",
            "exp.yaml:2: other: there is no such key. "
            "It is the section of another backend: choose backend other, or remove it.",
        ),
        (
            "workload:\n  source: builtin\n  input_tokens: 8",
            "exp.yaml:3: workload.input_tokens: there is no such key. "
            "It goes with workload.source: synthetic.",
        ),
        (
            "workload:\n  source: file",
            "exp.yaml:1: workload.path: this key is required",
        ),
        (
            "workload:\n  requests: 8.5",
            "exp.yaml:2: workload.requests: must be a whole number, not 8.5",
        ),
        (
            "workload: {requests: yes}",
            "exp.yaml:1: workload.requests: must be a whole number, not true",
        ),
        (
            "workload: {requests: '8'}",
            'exp.yaml:1: workload.requests: must be a whole number, not "8"',
        ),
        (
            "workload: {requests: 0}",
            "exp.yaml:1: workload.requests: must be greater than or equal to 1, not 0",
        ),
        (
            "workload: {requests: null}",
            "exp.yaml:1: workload.requests: must be a whole number, not null",
        ),
        (
            "workload: 5",
            "exp.yaml:1: workload: must be a section of keys, not 5",
        ),
        (
            "model: {trust_remote_code: y}",
            'exp.yaml:1: model.trust_remote_code: must be true or false, not "y"',
        ),
        (
            "model: {revision: 1234567}",
            "exp.yaml:1: model.revision: must be a text, not 1234567. "
            "Put quotes around it to make it a text.",
        ),
        (
            "footprint: {country: DE}",
            "exp.yaml:1: footprint: there is no such key. This key was removed: "
            "`llem report --carbon DE --price 0.3 --pue 1.2` derives emissions and cost.",
        ),
        (
            "measurement:\n  limits: {accept: [throttled]}",
            "exp.yaml:2: measurement.limits: there is no such key. "
            "This key was removed: write `thresholds`.",
        ),
        (
            "measurement:\n  thresholds: {accept: [throttled]}",
            "exp.yaml:2: measurement.thresholds.accept: there is no such key. "
            "This key was removed: write `allow`.",
        ),
        (
            "model: {revision: no}",
            "exp.yaml:1: model.revision: must be a text, not false. "
            "Unquoted yes, no, on and off mean true and false: put quotes around a text.",
        ),
        (
            "model: {dtype: off}",
            "exp.yaml:1: model.dtype: must be auto, float32, float16 or bfloat16, not false. "
            "Unquoted yes, no, on and off mean true and false: put quotes around a text.",
        ),
        (
            "model: {dtype: bf16}",
            "exp.yaml:1: model.dtype: must be auto, float32, float16 or bfloat16, "
            'not "bf16". Did you mean bfloat16?',
        ),
        (
            "decoder:\n  top_p: 2",
            "exp.yaml:2: decoder.top_p: must be less than or equal to 1, not 2",
        ),
        (
            "decoder: {repetition_penalty: .inf}",
            'exp.yaml:1: decoder.repetition_penalty: must be a number, not ".inf"',
        ),
        (
            "decoder: {stop: END}",
            'exp.yaml:1: decoder.stop: must be a list, not "END"',
        ),
        (
            "decoder:\n  stop:\n  - END\n  - ''",
            'exp.yaml:4: decoder.stop.1: must have at least 1 character, not ""',
        ),
        (
            "workload:\n  source: fil",
            "exp.yaml:2: workload.source: must be synthetic, prompts, file, builtin or dataset, "
            'not "fil". Did you mean file?',
        ),
        (
            "workload:\n  output_tokens: {low: 1}",
            "exp.yaml:2: workload.output_tokens.distribution: must be uniform, normal or lognormal",
        ),
        (
            "workload:\n  output_tokens:\n    distribution: unifrom",
            "exp.yaml:3: workload.output_tokens.distribution: must be uniform, normal or "
            'lognormal, not "unifrom". Did you mean uniform?',
        ),
        (
            "workload:\n  output_tokens:\n    distribution: uniform\n    low: 3\n    high: 1",
            "exp.yaml:2: workload.output_tokens: low must not exceed high",
        ),
        (
            "workload:\n  output_tokens:\n    distribution: uniform\n    low: 3",
            "exp.yaml:2: workload.output_tokens.high: this key is required",
        ),
        (
            "workload:\n  output_tokens: 0",
            "exp.yaml:2: workload.output_tokens: must be greater than or equal to 1, not 0",
        ),
        (
            "workload: {source: prompts, prompts: [a, 2], chat_template: true}",
            "exp.yaml:1: workload.prompts.1: must be a text or a list, not 2. "
            "Put quotes around it to make it a text.",
        ),
        (
            "measurement: {meters: nvml}",
            'exp.yaml:1: measurement.meters: must be auto or a list, not "nvml"',
        ),
        (
            "measurement:\n  meters:\n  - nvml\n  - 3",
            "exp.yaml:4: measurement.meters.1: must be a text, not 3. "
            "Put quotes around it to make it a text.",
        ),
        (
            "fake: {bits: 5}",
            "exp.yaml:1: fake.bits: must be 4 or 8, not 5",
        ),
        (
            "fake: {even: 3}",
            "exp.yaml:1: fake.even: must be even, not 3",
        ),
        (
            "fake:\n  adapter:\n    rnak: 8\n    rank: 4",
            "exp.yaml:3: fake.adapter.rnak: there is no such key. Did you mean rank?",
        ),
        (
            "fake: {adapter: 5}",
            "exp.yaml:1: fake.adapter: must be a section of keys or a text, not 5. "
            "Put quotes around it to make it a text.",
        ),
        (
            "fake:\n  device_map:\n    lm_head: cpu",
            'exp.yaml:3: fake.device_map.lm_head: must be a whole number, not "cpu"',
        ),
        (
            "fake:\n  branch:\n    branch:\n      branch: {leaf: x}",
            'exp.yaml:4: fake.branch.branch.branch.leaf: must be a whole number, not "x"',
        ),
        (
            "name: a b",
            "exp.yaml:1: name: must match pattern '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$', not \"a b\"",
        ),
        (
            "passthrough_kwargs:\n  load:\n    dtype: {$symbol: os.system}",
            "exp.yaml:1: passthrough_kwargs: keys ['$symbol'] are reserved: "
            "a config may not name objects",
        ),
    ],
)
def test_one_mistake_is_one_line_that_says_it_all(refused, text, message):
    assert refused(text) == [message]


def test_all_mistakes_are_named_in_the_order_of_the_file(refused):
    lines = refused(
        "fake: {bits: 5}\nmodel:\n  revision: 1\n  id: 2\nnam: x\nworkload: {source: x}"
    )
    assert [line.split(": ")[:2] for line in lines] == [
        ["exp.yaml:1", "fake.bits"],
        ["exp.yaml:3", "model.revision"],
        ["exp.yaml:4", "model.id"],
        ["exp.yaml:5", "nam"],
        ["exp.yaml:6", "workload.source"],
    ]


def test_thousands_of_mistakes_are_named_without_delay(refused):
    prompts = "\n".join(f"  - {number}" for number in range(5000))
    started_s = time.monotonic()
    lines = refused(f"workload:\n  source: prompts\n  prompts:\n{prompts}\n")
    assert time.monotonic() - started_s < 10
    assert [line.split(": ")[:2] for line in lines] == [
        [f"exp.yaml:{number + 4}", f"workload.prompts.{number}"] for number in range(5000)
    ]


def test_an_option_is_named_as_the_origin(refused):
    assert refused(overrides=["workload.requests=x"], backend="fake") == [
        '--set: workload.requests: must be a whole number, not "x"'
    ]
    assert refused("model: {dtype: auto}", model="") == [
        '--model: model.id: must have at least 1 character, not ""'
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"runner: {{env: {{HF_TOKEN: [{SECRET}]}}}}",
        f"runner: {{env: {SECRET}}}",
        f"passthrough_kwargs: {{load: {SECRET}}}",
        f"passthrough_kwargs: {SECRET}",
        f"hf_token: {SECRET}",
        f"model: {{dtype: {SECRET}}}",
        f"model: {{revision: [{SECRET}]}}",
        f"backend: [{SECRET}]",
        f"workload: {{source: {SECRET}}}",
    ],
)
def test_a_secret_is_never_repeated(refused, text):
    assert SECRET not in "\n".join(refused(text))


def test_short_values_in_free_sections_may_be_secrets_too(refused):
    (line,) = refused("runner: {env: {PIN: 1234}}")
    assert line.startswith("exp.yaml:1: runner.env.PIN: must be a text (its value is not shown")
    assert "1234" not in line


def test_the_value_of_a_secret_variable_is_not_repeated(refused, monkeypatch):
    monkeypatch.setitem(os.environ, "SOME_TOKEN", "correct horse")
    assert "correct horse" not in "\n".join(refused("model: {dtype: correct horse}"))


def test_long_values_are_cut(refused):
    (line,) = refused(f"model: {{dtype: {'x' * 500}}}")
    assert "xxx…" in line
    assert len(line) < 200


def test_a_text_that_is_no_unicode(refused):
    assert refused(model="\udcff", backend="fake") == ["a text in it is not valid Unicode"]


def test_labels_and_keys_of_one_name_are_told_apart():
    model = experiment_model(FAKE)
    place = location_of(model, ("workload", "prompts", "prompts", 0))
    assert place.path == ("workload", "prompts", 0)
    place = location_of(model, ("workload", "file", "path"))
    assert (place.path, place.owner.__name__) == (("workload", "path"), "FileWorkload")
    place = location_of(model, ("fake", "device_map", "layer", "[key]"))
    assert place.path == ("fake", "device_map", "layer")


def test_a_model_that_contains_itself_is_listed_once():
    paths = [field.path for field in walk(experiment_model(FAKE))]
    assert "fake.branch.branch" in paths
    assert "fake.branch.branch.leaf" not in paths


def test_models_without_a_fixed_text_are_not_told_apart():
    assert discriminator_of((type(FAKE.config_model()()), experiment_model(FAKE))) is None
