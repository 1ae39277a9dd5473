"""A real pretrained model through the whole of llem, held against direct calls of the library."""

import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from llem.results import read_requests

pytestmark = [pytest.mark.engine, pytest.mark.model]

PROMPT = "The capital of France is"


@pytest.fixture(scope="module")
def direct(smollm2):
    model = AutoModelForCausalLM.from_pretrained(smollm2, dtype=torch.bfloat16)
    return model, AutoTokenizer.from_pretrained(smollm2)


def generate(direct, prompt, new_tokens):
    """Return what a direct greedy call generates for one prompt."""
    model, tokenizer = direct
    inputs = tokenizer(prompt, return_tensors="pt")
    output = model.generate(**inputs, max_new_tokens=new_tokens, do_sample=False)
    return output[0, inputs["input_ids"].shape[1] :].tolist()


def first_repetition(folder):
    (outcome,) = (folder / "results").iterdir()
    return [request for request in read_requests(outcome) if request["repetition"] == 0]


def test_greedy_text_and_counts_equal_a_direct_call(run, smollm2, direct, tmp_path):
    outcome = run(
        "--backend", "pytorch", "--model", smollm2,
        workload__source="prompts",
        workload__prompts=json.dumps([PROMPT]),
        workload__output_tokens=12,
        model__dtype="bfloat16",
    )  # fmt: skip
    expected = generate(direct, PROMPT, 12)
    (request,) = first_repetition(tmp_path)
    assert request["output_ids"] == expected
    assert "Paris" in direct[1].decode(request["output_ids"])
    repetitions = len(outcome["timing"]["repetitions"])
    assert outcome["tokens"]["output_tokens"] == len(expected) * repetitions
    assert outcome["tokens"]["input_tokens"] == len(direct[1](PROMPT)["input_ids"]) * repetitions
    assert outcome["tokens"]["padding_tokens"] == 0
    assert outcome["effective"]["load.dtype"] == "torch.bfloat16"


def test_a_gguf_file_is_measured_with_the_tokenizer_it_carries(run, gguf, direct, tmp_path):
    outcome = run(
        "--backend", "pytorch", "--model", gguf.parent,
        model__gguf_file=gguf.name,
        model__dtype="bfloat16",
        workload__source="prompts",
        workload__prompts=json.dumps([PROMPT]),
        workload__output_tokens=12,
    )  # fmt: skip
    (request,) = first_repetition(tmp_path)
    assert "Paris" in direct[1].decode(request["output_ids"])
    assert outcome["model"]["parameters"] == 134_515_008
    assert outcome["compute"]["flops"] > 0


def test_padding_and_early_ends_in_one_batch_are_told_apart(run, smollm2, direct, tmp_path):
    prompts = [
        "<|im_start|>user\nSay only: yes<|im_end|>\n<|im_start|>assistant\n",
        "Once upon a time, in a small village by the sea, there lived",
        "The",
    ]
    limit = 40
    outcome = run(
        "--backend", "pytorch", "--model", smollm2,
        pytorch__batch_size=3,
        model__dtype="float32",
        workload__source="prompts",
        workload__prompts=json.dumps(prompts),
        workload__output_tokens=limit,
    )  # fmt: skip
    model, tokenizer = direct
    lengths = [len(tokenizer(prompt)["input_ids"]) for prompt in prompts]
    requests = first_repetition(tmp_path)
    outputs = [request["output_ids"] for request in requests]
    ended = [request["finish_reason"] for request in requests]
    assert "eos" in ended
    assert "length" in ended
    eos = model.generation_config.eos_token_id
    for output, reason in zip(outputs, ended, strict=True):
        assert output.index(eos) == len(output) - 1 if reason == "eos" else eos not in output
        assert len(output) == limit or reason == "eos"
    tokens, repetitions = outcome["tokens"], len(outcome["timing"]["repetitions"])
    steps = max(map(len, outputs))
    assert tokens["input_tokens"] == sum(lengths) * repetitions
    assert tokens["output_tokens"] == sum(map(len, outputs)) * repetitions
    assert tokens["padding_input_tokens"] == (
        sum(max(lengths) - length for length in lengths) * repetitions
    )
    assert tokens["padding_output_tokens"] == (
        sum(steps - len(output) for output in outputs) * repetitions
    )


def test_a_chat_is_rendered_as_the_library_renders_it(run, smollm2, direct, tmp_path):
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hi <|im_start|> there"},
        {"role": "assistant", "content": "Hello."},
        {"role": "user", "content": "What is the capital of France?"},
    ]
    run(
        "--backend", "pytorch", "--model", smollm2,
        workload__source="prompts",
        workload__prompts=json.dumps([turns]),
        workload__output_tokens=8,
        model__dtype="bfloat16",
    )  # fmt: skip
    model, tokenizer = direct
    inputs = tokenizer.apply_chat_template(turns, add_generation_prompt=True, return_tensors="pt")
    output = model.generate(**inputs, max_new_tokens=8, do_sample=False)
    (request,) = first_repetition(tmp_path)
    length = inputs["input_ids"].shape[1]
    assert request["input_tokens"] == length
    assert request["output_ids"] == output[0, length:].tolist()
