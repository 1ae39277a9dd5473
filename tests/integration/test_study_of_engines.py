"""A study of three engines is validated, explained and planned without touching any of them."""

import json
import re

import pytest
import yaml

STUDY = """\
model: {id: shape:tiny, dtype: bfloat16}
workload: {requests: 8, input_tokens: 64, output_tokens: 32}
backends:
  pytorch: {pytorch: {batch_size: 8}}
  vllm: {vllm: {max_num_seqs: 8}}
  trt: {trt: {max_batch_size: 8, kv_cache: {free_gpu_memory_fraction: 0.5}}}
sweep:
  workload.requests: [8, 16]
  trt.cuda_graphs.enabled: [true, false]
"""
ENGINES = ("torch", "transformers", "vllm", "tensorrt_llm")


@pytest.fixture
def study(llem):
    (llem.folder / "engines.yaml").write_text(STUDY)
    return "engines.yaml"


def imported(text):
    """Return the top-level packages in what ``PYTHONPROFILEIMPORTTIME`` prints."""
    return set(re.findall(r"\|\s+([a-z_]+)(?:\.\S+)?\n", text))


@pytest.mark.parametrize("command", ["check", "explain", "plan"])
def test_no_engine_is_imported(llem, study, command):
    done = llem(command, study, check=0, PYTHONPROFILEIMPORTTIME="1")
    assert "pydantic" in imported(done.stderr)
    assert not imported(done.stderr) & set(ENGINES)


def test_it_is_checked_for_every_engine(llem, study):
    done = llem("check", study, check=0)
    for backend in yaml.safe_load(STUDY)["backends"]:
        assert f"ok: shape:tiny on {backend}" in done.stdout
    documents = json.loads(llem("check", study, "--json", check=0).stdout)
    assert len(documents) == 8


def test_every_experiments_calls_are_explained(llem, study):
    text = llem("explain", study, check=0).stdout
    assert text.count("tensorrt_llm.LLM(") == 4
    assert text.count("transformers.AutoModelForCausalLM") == 2
    assert text.count("vllm.LLM(") == 2
    plans = json.loads(llem("explain", study, "--json", check=0).stdout)
    planned = json.loads(llem("plan", study, "--json", check=0).stdout)
    assert list(plans) == [experiment["id"] for experiment in planned["experiments"]]


def test_points_that_are_refused_are_counted(llem, study):
    (llem.folder / study).write_text(STUDY + (
        "  trt.sampling.beam_width: [null, 4]\n"
    ))  # fmt: skip
    done = llem("check", study, check=0)
    assert "4 points are refused; llem plan says why" in done.stderr
