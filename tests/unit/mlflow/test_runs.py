"""Real runs of the command line in a real MLflow file store."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mlflow", reason="needs mlflow-skinny")

RUN = [
    "run", "--backend", "simulated", "--json",
    "--set", "workload.requests=2", "--set", "workload.output_tokens=4",
    "--set", "measurement.min_duration_s=0.02", "--set", "measurement.max_duration_s=1",
    "--set", "measurement.sample_period_s=0.01", "--set", "measurement.target_ci_ratio=0.9",
    "--set", "measurement.warmup.stable_within_ratio=1",
    "--set", "measurement.baseline.bare_s=0", "--set", "measurement.baseline.loaded_s=0",
    "--set", "measurement.baseline.after_s=0",
]  # fmt: skip


class Store:
    """A folder in which `llem` runs, and the MLflow store in it."""

    def __init__(self, folder):
        self.folder = folder
        self.uri = f"file:{folder / 'mlruns'}"

    def llem(self, *arguments, uri=None, **env):
        env = {
            **os.environ, "MLFLOW_TRACKING_URI": self.uri if uri is None else uri,
            "MLFLOW_ALLOW_FILE_STORE": "true", **env,
        }  # fmt: skip
        command = [sys.executable, "-m", "llem", *arguments]
        return subprocess.run(command, cwd=self.folder, env=env, capture_output=True, text=True)

    def runs(self, experiment="llem"):
        """Return the client and the runs of an experiment."""
        from mlflow import MlflowClient

        client = MlflowClient(tracking_uri=self.uri)
        found = client.get_experiment_by_name(experiment)
        return client, client.search_runs([found.experiment_id])


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    return Store(tmp_path)


def test_a_run_is_in_the_store_with_everything_it_has(store, tmp_path):
    done = store.llem(*RUN)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    client, (run,) = store.runs()
    assert run.info.run_name == outcome["id"]
    assert run.info.status == "FINISHED"
    assert run.data.params["experiment.workload.output_tokens"] == "4"
    assert run.data.params["experiment.backend"] == "simulated"
    assert run.data.tags["llem.valid"] == "false"
    assert "simulated-engine" in run.data.tags["llem.reasons"].split()
    speed = outcome["throughput"]["output_tokens_per_s"]
    assert run.data.metrics["throughput.output_tokens_per_s"] == speed
    repetitions = outcome["timing"]["repetitions"]
    steps = client.get_metric_history(run.info.run_id, "repetition.duration_s")
    assert {metric.step: metric.value for metric in steps} == {
        at: repetition["duration_s"] for at, repetition in enumerate(repetitions)
    }
    path = client.download_artifacts(run.info.run_id, "outcome.json", str(tmp_path))
    assert json.loads(Path(path).read_text()) == outcome


def test_a_study_is_an_experiment_of_its_own(store):
    (store.folder / "s.yaml").write_text(
        "backend: simulated\nworkload: {requests: 2, output_tokens: 4}\nstudy: {name: mine}\n"
        "measurement: {min_duration_s: 0.02, max_duration_s: 1, target_ci_ratio: 0.9,\n"
        "  warmup: {stable_within_ratio: 1}, baseline: {bare_s: 0, loaded_s: 0, after_s: 0}}\n"
        "sweep: {simulated.batch_size: [1, 2]}\n"
    )
    done = store.llem("run", "s.yaml", "--quiet")
    assert done.returncode == 0, done.stderr
    _, runs = store.runs("mine")
    assert {run.data.params["experiment.simulated.batch_size"] for run in runs} == {"1", "2"}
    assert {run.data.tags["llem.study"] for run in runs} == {"mine"}


def test_the_experiment_can_be_named(store):
    assert store.llem(*RUN, MLFLOW_EXPERIMENT_NAME="other").returncode == 0
    _, runs = store.runs("other")
    assert len(runs) == 1


def test_a_failed_run_is_told_as_failed(store):
    done = store.llem(*RUN, "--set", "simulated.fail_in=run", "--set", "simulated.failure=error")
    assert done.returncode == 4, done.stderr
    _, (run,) = store.runs()
    assert run.info.status == "FAILED"
    assert run.data.tags["llem.status"] == "failed"
    assert not [name for name in run.data.metrics if name.startswith("energy.")]


@pytest.mark.parametrize("uri", ["file:{}/occupied/mlruns", "http://127.0.0.1:9"])
def test_a_store_that_cannot_be_written_breaks_nothing(store, uri):
    (store.folder / "occupied").write_text("not a folder")
    done = store.llem(*RUN, uri=uri.format(store.folder))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "done"
    (line,) = done.stderr.splitlines()[-1:]
    assert line.startswith("llem: hook llem_experiment_finished of plugin 'mlflow' failed: ")


LEFT_RUNNING = """
import threading
from pathlib import Path
from llem.results import read_outcome
from llem_mlflow.plugin import llem_experiment_finished
folder = next(Path("results").iterdir())
llem_experiment_finished(read_outcome(folder), folder)
print([thread.name for thread in threading.enumerate()])
"""


def test_nothing_is_left_running_that_the_next_experiment_would_meter(store):
    assert store.llem(*RUN, uri="").returncode == 0
    # MLflow's telemetry is off under pytest in any case, which it tells by this variable.
    env = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "CI"))}
    done = subprocess.run(
        [sys.executable, "-c", LEFT_RUNNING], cwd=store.folder, text=True, capture_output=True,
        env={**env, "MLFLOW_TRACKING_URI": store.uri}, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "['MainThread']"
    assert len(store.runs()[1]) == 1


def test_without_an_address_nothing_is_written(store):
    done = store.llem(*RUN, uri="")
    assert done.returncode == 0, done.stderr
    assert {path.name for path in store.folder.iterdir()} == {"results"}
