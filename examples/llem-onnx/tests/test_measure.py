"""The whole way, on a real model: what is measured is what the engine really generates."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from llem.api import CallPlan, Request
from llem_onnx.runtime import OnnxSession

MODEL = os.environ["LLEM_ONNX_MODEL"]
QUICK = {
    "measurement.min_duration_s": 1,
    "measurement.max_duration_s": 10,
    "measurement.target_ci_ratio": 0.5,
    "measurement.baseline.bare_s": 0.3,
    "measurement.baseline.loaded_s": 0.3,
    "measurement.warmup.stable_within_ratio": 1,
    "workload.requests": 2,
    "workload.input_tokens": 8,
    "workload.output_tokens": 8,
}


def llem(*arguments, cwd):
    """Run the command line and return the finished process."""
    command = [sys.executable, "-m", "llem", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )


@pytest.mark.parametrize("build", ["int4", "fp32"])
def test_it_measures(build, tmp_path):
    settings = {**QUICK, "model.id": MODEL, "onnx.build": build, "onnx.intra_op_num_threads": 1}
    pairs = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    done = llem("run", "--backend", "onnx", "--json", *pairs, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    assert outcome["status"] == "done"
    assert outcome["environment"]["engine"] == "onnxruntime-genai"
    assert outcome["tokens"]["output_tokens"] == 16 * len(outcome["timing"]["repetitions"])
    assert outcome["effective"]["generate.do_sample"] is False
    assert outcome["compute"]["flops"] > 0
    codes = {reason["code"] for reason in outcome["verdict"]["reasons"]}
    assert not codes & {"simulated-engine", "effective-differs", "beyond-roofline"}


def test_it_says_what_the_model_says(llem_plan):
    settings = {
        "model.id": MODEL,
        "onnx.build": "fp32",
        "workload": {"source": "prompts", "prompts": ["The capital of France is"]},
    }
    plan: CallPlan = llem_plan("onnx", settings)
    session = OnnxSession()
    opened = session.open(plan)
    assert opened.model.arithmetic.parameters == 134_515_008
    tokenizer = pytest.importorskip("tokenizers").Tokenizer.from_file(f"{MODEL}/tokenizer.json")
    prompt = tokenizer.encode("The capital of France is").ids
    session.prepare([Request(0, prompt, 24)])
    [result] = session.run().requests
    assert "Paris" in tokenizer.decode(result.output_ids)
    session.close()


def test_a_model_that_was_not_built_is_refused_with_the_way_out(tmp_path):
    done = llem("run", "--backend", "onnx", cwd=tmp_path)
    assert done.returncode == 2
    assert "onnxruntime_genai.models.builder" in done.stderr
