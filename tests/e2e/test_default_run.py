"""A newcomer's first commands, with no network and no model at hand."""

import json
import signal
import subprocess
import sys
import time

import psutil
import pytest

pytestmark = pytest.mark.engine


def test_run_without_any_argument_measures_something_real(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "llem", "run"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert "output tokens/s" in done.stdout
    assert "verdict:" in done.stdout
    (folder,) = (tmp_path / "results").iterdir()
    outcome = json.loads((folder / "outcome.json").read_text())
    assert outcome["status"] == "done"
    assert outcome["environment"]["engine"] == "transformers"
    assert outcome["model"]["parameters"] > 1_000_000
    assert outcome["tokens"]["output_tokens"] > 0
    assert outcome["compute"]["flops"] > 0
    assert outcome["memory"]["host_peak_rss_bytes"] > 100_000_000
    assert outcome["energy"]["provenance"] in {"measured", "estimated"}


def test_json_is_one_document_on_stdout(run):
    outcome = run(workload__requests=2, workload__output_tokens=4)
    assert outcome["experiment"]["model"]["id"] == "shape:tiny"
    assert outcome["environment"]["versions"]["torch"]
    assert outcome["plan"]["calls"]


def test_greedy_decoding_repeats_itself(run):
    settings = {"workload__requests": 3, "workload__output_tokens": 6, "pytorch__batch_size": 2}
    first, second = run(**settings), run(**settings)
    assert first["workload"]["input_ids_sha256"] == second["workload"]["input_ids_sha256"]
    repetitions = [len(outcome["timing"]["repetitions"]) for outcome in (first, second)]
    outputs = [outcome["tokens"]["output_tokens"] for outcome in (first, second)]
    assert [count / n for count, n in zip(outputs, repetitions, strict=True)] == [18, 18]


def test_a_real_worker_killed_in_mid_run_leaves_a_failed_outcome(tmp_path):
    process = psutil.Popen(
        [
            sys.executable, "-m", "llem", "run", "--json", "--backend", "pytorch",
            "--set", "measurement.min_duration_s=600", "--set", "measurement.max_duration_s=600",
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip
    worker = None
    deadline_s = time.monotonic() + 120
    while time.monotonic() < deadline_s:
        worker = next(
            (child for child in process.children() if "llem.process.worker" in child.cmdline()),
            None,
        )
        if worker and worker.cpu_times().user > 8:
            break
        time.sleep(0.1)
    assert worker is not None
    worker.send_signal(signal.SIGKILL)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    outcome = json.loads(stdout)
    assert outcome["failure"]["code"] == "worker-died"
    assert "SIGKILL" in outcome["failure"]["message"]


def test_a_model_that_is_not_there_is_one_clear_message(llem):
    done = llem("run", "--backend", "pytorch", "--model", "nowhere/no-such-model")
    assert done.returncode in {2, 4}
    assert "nowhere/no-such-model" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
