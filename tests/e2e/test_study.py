"""A study on the real engine: one worker, one model, many ways to decode."""

import json
import os
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.engine, pytest.mark.model]

STUDY = """
backend: pytorch
workload: {requests: 1, input_tokens: 4, output_tokens: 2}
study: {reuse: model}
sweep: {decoder.temperature: [0.5, 0.9, 1.2]}
measurement:
  min_duration_s: 0
  min_repetitions: 1
  max_repetitions: 1
  warmup: {min_repetitions: 1, max_repetitions: 1}
  baseline: {bare_s: 0, loaded_s: 0, after_s: 0}
"""


def carried_out(folder, model, *arguments):
    """Run the study and return its outcomes in their order."""
    (folder / "study.yaml").write_text(STUDY)
    command = [sys.executable, "-m", "llem", "run", "study.yaml", "--model", model, *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    documents = [json.loads(p.read_text()) for p in folder.glob("results/study/*/outcome.json")]
    return sorted(documents, key=lambda document: document["study"]["position"])


def test_a_decoder_sweep_loads_the_model_once(smollm2, tmp_path):
    documents = carried_out(tmp_path, smollm2)
    assert [d["study"]["worker"] for d in documents] == ["fresh", "reused", "reused"]
    assert [d["effective"]["generate.temperature"] for d in documents] == [0.5, 0.9, 1.2]
    assert [d["timing"]["load_s"] is None for d in documents] == [False, True, True]
