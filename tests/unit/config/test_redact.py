"""Secrets never land in an outcome."""

import pytest

from llem.config.redact import REDACTED, redact

KEY = "hf_" + "a1B2" * 8


@pytest.mark.parametrize("name", ["token", "HF_TOKEN", "api_key", "OPENAI_API_KEY", "password"])
def test_a_key_that_names_a_secret_hides_its_value(name):
    assert redact({"load": {name: "something"}}, {}) == {"load": {name: REDACTED}}


@pytest.mark.parametrize("name", ["output_tokens", "eos_token", "pad_token", "tokenizer", "seed"])
def test_words_of_the_field_are_no_secrets(name):
    assert redact({name: "value"}, {}) == {name: "value"}


def test_numbers_under_such_a_key_stay():
    assert redact({"token": 7}, {}) == {"token": 7}


def test_the_value_of_a_secret_variable_is_hidden_wherever_it_stands():
    environ = {"MY_SECRET": "correct horse", "HOME": "correct horse battery"}
    assert redact(["say correct horse twice"], environ) == [f"say {REDACTED} twice"]


def test_a_well_known_form_is_hidden_even_in_a_log():
    assert redact({"log_tail": f"401 for {KEY}!"}, {}) == {"log_tail": f"401 for {REDACTED}!"}


def test_a_short_variable_cannot_blank_the_document():
    assert redact({"text": "1 of 1"}, {"X_TOKEN": "1"}) == {"text": "1 of 1"}
