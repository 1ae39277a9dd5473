"""A plugin that observes real runs of the command line."""

import json

import pytest

from llem.api import ENTRY_POINT_GROUP
from llem.results import read_samples

OBSERVER = """
import json, os, time
from pathlib import Path
from llem.api.hookspecs import hookimpl

def note(event, **facts):
    with open(os.environ["HEARD"], "a") as file:
        file.write(json.dumps({"event": event, "at_s": time.monotonic(), **facts}) + "\\n")

@hookimpl
def llem_study_started(study, folder, runs, left):
    note("study_started", study=study, folder=str(folder), runs=runs, left=left)

@hookimpl
def llem_study_finished(study, folder, states, left):
    note("study_finished", study=study, states=dict(states), left=left)

@hookimpl
def llem_experiment_started(experiment, id, place):
    note("experiment_started", id=id, backend=experiment.backend, block=place and place.block)

@hookimpl
def llem_experiment_finished(outcome, folder):
    files = sorted(path.name for path in Path(folder).iterdir())
    note("experiment_finished", id=outcome.id, status=outcome.status, files=files)
"""
FAULTY = """
import sys
from llem.api.hookspecs import hookimpl

@hookimpl
def llem_experiment_started(id): raise OSError("the server is away")

@hookimpl
def llem_experiment_finished(outcome): sys.exit(9)
"""
STUDY = """
backend: simulated
workload: {requests: 2, output_tokens: 4}
measurement:
  min_duration_s: 0.02
  max_duration_s: 1
  sample_period_s: 0.01
  target_ci_ratio: 0.9
  warmup: {stable_within_ratio: 1}
  baseline: {bare_s: 0, loaded_s: 0, after_s: 0}
sweep: {simulated.batch_size: [1, 2]}
"""


@pytest.fixture
def observed(tmp_path):
    """Install plugins with the given sources; return the environment, and what they heard."""
    site = tmp_path / "site"

    def install(**sources):
        info = site / "llem_witness-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: llem-witness\nVersion: 1.0\n")
        points = [f"{name} = witness_{name}" for name in sources]
        (info / "entry_points.txt").write_text("\n".join([f"[{ENTRY_POINT_GROUP}]", *points, ""]))
        for name, source in sources.items():
            (site / f"witness_{name}.py").write_text(source)
        heard = tmp_path / "heard"
        return (
            {"PYTHONPATH": str(site), "HEARD": str(heard)},
            lambda: [json.loads(line) for line in heard.read_text().splitlines()],
        )

    return install


def test_an_observer_hears_of_a_run_before_its_meters_and_after_its_storing(llem, observed):
    env, heard = observed(a=OBSERVER)
    llem(*llem.run_arguments("--json", measurement__meters='["simulated"]'), **env)
    (outcome,) = llem.stored()
    started, finished = heard()
    assert started["event"] == "experiment_started"
    assert started["id"] == finished["id"] == outcome["id"]
    assert started["block"] is None
    assert finished["status"] == "done"
    assert {"outcome.json", "requests.jsonl.gz", "samples.csv.gz"} <= set(finished["files"])
    times_s = [float(row["time_s"]) for row in read_samples(llem.results / outcome["id"])]
    assert started["at_s"] < min(times_s)
    assert max(times_s) < finished["at_s"]


def test_an_observer_hears_of_a_study_and_of_all_its_runs_in_order(llem, observed):
    env, heard = observed(a=OBSERVER)
    (llem.folder / "study.yaml").write_text(STUDY)
    llem("run", "study.yaml", "--quiet", check=0, **env)
    events = heard()
    run = ["experiment_started", "experiment_finished"]
    assert [event["event"] for event in events] == ["study_started", *run, *run, "study_finished"]
    assert events[0] | {"at_s": 0} == {
        "event": "study_started", "at_s": 0, "study": "study", "runs": 2, "left": 2,
        "folder": "results/study",
    }  # fmt: skip
    assert (events[-1]["states"], events[-1]["left"]) == ({"done": 2}, 0)
    windows = [
        (each["start_monotonic_s"], each["start_monotonic_s"] + each["duration_s"])
        for folder in (llem.results / "study").iterdir()
        if (folder / "outcome.json").is_file()
        for each in json.loads((folder / "outcome.json").read_text())["timing"]["repetitions"]
    ]
    assert len(windows) >= 4
    assert not [
        event for event in events for start, end in windows if start <= event["at_s"] <= end
    ]


def test_a_faulty_observer_is_a_warning_and_breaks_nothing(llem, observed):
    env, heard = observed(a=FAULTY, b=OBSERVER)
    done = llem(*llem.run_arguments("--json"), **env)
    assert done.returncode == 0, done.stderr
    outcome = json.loads(done.stdout)
    (warning,) = [remark for remark in outcome["warnings"] if remark["code"] == "observer-failed"]
    assert "the server is away" in warning["message"]
    assert "SystemExit: 9" in done.stderr
    assert [event["event"] for event in heard()] == ["experiment_started", "experiment_finished"]


def test_a_refused_experiment_has_no_observer(llem, observed):
    env, heard = observed(a=OBSERVER)
    llem("run", "--backend", "simulated", "--set", "workload.requests=0", check=2, **env)
    with pytest.raises(FileNotFoundError):
        heard()
