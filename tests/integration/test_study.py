"""Studies on the real command line, with real workers, and everything that can end them."""

import json
import os
import random
import signal
import subprocess
import sys
from collections import Counter

import psutil
import pytest

from llem.results import read_requests
from llem.study.journal import read_journal

from .conftest import wait_until, worker_of

BASE = """
backend: simulated
workload: {requests: 2, output_tokens: 4}
measurement:
  min_duration_s: 0.02
  max_duration_s: 1
  sample_period_s: 0.01
  target_ci_ratio: 0.9
  warmup: {stable_within_ratio: 1}
  baseline: {bare_s: 0, loaded_s: 0, after_s: 0}
"""
FOUR = "sweep: {simulated.batch_size: [1, 2, 4, 8]}\n"
SLOW = "simulated: {decode_steps_per_s: 2}\n"
SEED = 20


class Study:
    """A study's file, its folder, and the processes that run it."""

    def __init__(self, folder, text):
        self.cwd = folder
        self.folder = folder / "results" / "study"
        (folder / "study.yaml").write_text(BASE + text)

    def start(self, *options):
        return psutil.Popen(
            [sys.executable, "-m", "llem", "run", "study.yaml", "--resume", *options],
            cwd=self.cwd,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *options, code=0):
        process = self.start(*options)
        stdout, stderr = process.communicate(timeout=240)
        assert process.returncode == code, (process.returncode, stdout, stderr)
        return stdout, stderr

    def journal(self):
        return list(read_journal(self.folder))

    def outcomes(self):
        """Return the outcomes in the order in which they were to be run."""
        documents = [json.loads(p.read_text()) for p in self.folder.glob("[!.]*/outcome.json")]
        return sorted(documents, key=lambda document: document["study"]["position"])


@pytest.fixture
def make_study(tmp_path):
    return lambda text: Study(tmp_path, text)


def test_a_study_runs_and_is_listed(make_study, llem):
    study = make_study(FOUR)
    _, stderr = study.run()
    assert "run 1 of 4: simulated.batch_size=1" in stderr
    assert [outcome["status"] for outcome in study.outcomes()] == ["done"] * 4
    assert [outcome["id"] for outcome in study.outcomes()] == [
        outcome["study"]["run_id"] for outcome in study.outcomes()
    ]
    assert all(list(read_requests(study.folder / outcome["id"])) for outcome in study.outcomes())
    listed = json.loads(llem("studies", "--json", check=0).stdout)
    assert [(row["name"], row["state"], row["states"]) for row in listed] == [
        ("study", "finished", {"done": 4})
    ]


def test_events_are_one_json_line_each(make_study):
    study = make_study(FOUR)
    stdout, stderr = study.run("--json-events")
    events = [json.loads(line) for line in stdout.splitlines()]
    assert stderr == ""
    assert Counter(event["event"] for event in events)["run-begins"] == 4
    assert [event for event in events if "seq" in event] == study.journal()
    assert {"open", "measure"} <= {event.get("phase") for event in events}


def test_a_host_killed_at_random_moments_loses_nothing_and_repeats_nothing(make_study):
    study = make_study("sweep: {workload.seed: {from: 1, to: 30, num: 30}}\n")
    moments = random.Random(SEED)
    kills = 0
    finished = {}
    while kills < 20:
        process = study.start("--quiet")
        try:
            process.communicate(timeout=moments.uniform(0.1, 4.0))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.communicate()
        kills += 1
        for path in study.folder.glob("[!.]*/outcome.json"):
            # What was finished stays as it was, byte for byte.
            assert finished.setdefault(path, path.read_bytes()) == path.read_bytes()
    study.run("--quiet")
    outcomes, entries = study.outcomes(), study.journal()
    assert [outcome["study"]["position"] for outcome in outcomes] == list(range(30))
    assert {outcome["status"] for outcome in outcomes} == {"done"}
    assert len({outcome["id"] for outcome in outcomes}) == 30
    assert [entry["seq"] for entry in entries] == list(range(len(entries)))
    ended = Counter(entry["run"] for entry in entries if entry["event"] == "run-finished")
    assert ended == Counter({outcome["id"]: 1 for outcome in outcomes})
    assert all(path.read_bytes() == content for path, content in finished.items())
    assert not list(study.folder.glob(".*.partial"))


def test_a_killed_worker_is_one_failed_run(make_study):
    study = make_study(FOUR + SLOW)
    process = study.start("--quiet")
    worker = wait_until(lambda: worker_of(process))
    worker.send_signal(signal.SIGKILL)
    wait_until(study.outcomes)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert study.outcomes()[0]["failure"]["code"] == "worker-died"
    assert process.returncode in {4, 130}


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_study_says_how_to_go_on_and_does(make_study, llem, send, signum):
    study = make_study(FOUR + SLOW)
    process = study.start()
    wait_until(lambda: list(study.folder.glob(".*.partial/worker.log")))
    code, stdout, _ = send(process, signum)
    assert code == 130
    assert "4 left (interrupted): continue with --resume" in stdout
    assert json.loads(llem("studies", "--json").stdout)[0]["state"] == "interrupted"
    (study.cwd / "study.yaml").write_text(BASE + FOUR)
    _, stderr = study.run("--quiet", code=2)
    assert "config simulated.decode_steps_per_s: was 2, now absent" in stderr
    study.run("--quiet", "--accept-drift")
    # What was interrupted is another experiment than those that are run now, so it stays.
    assert Counter(outcome["status"] for outcome in study.outcomes()) == {
        "done": 4,
        "interrupted": 1,
    }


def test_an_outcome_that_is_not_valid_can_be_the_exit_code(make_study):
    study = make_study(FOUR)
    stdout, _ = study.run("--require-valid", code=5)
    assert "4 runs: 4 done, 4 of them not valid" in stdout  # as all that is simulated
    study.run("--require-valid", code=5)
    study.run()


def test_each_repetition_is_an_event_with_speed_and_power(make_study):
    text = FOUR.replace("[1, 2, 4, 8]", "[1]") + "simulated: {decode_steps_per_s: 4}\n"
    stdout, _ = make_study(text).run("--json-events", "--set", "measurement.meters=[simulated]")
    events = [json.loads(line) for line in stdout.splitlines()]
    shown = [event for event in events if event["event"] == "repetition"]
    # Two requests of four tokens, the first one of each after the prompt alone.
    assert {round(event["output_tokens_per_s"]) for event in shown} == {5}
    assert shown[-1]["power_w"] == pytest.approx(100)


def test_a_crashed_study_is_told_from_a_running_one(make_study, llem):
    study = make_study(FOUR + SLOW)
    process = study.start("--quiet")
    wait_until(lambda: list(study.folder.glob(".*.partial/worker.log")))

    def state():
        return json.loads(llem("studies", "--json").stdout)[0]["state"]

    assert state() == "running"
    process.kill()
    process.communicate()
    assert state() == "crashed"


def test_two_processes_cannot_run_one_study(make_study):
    study = make_study(FOUR + SLOW)
    process = study.start("--quiet")
    wait_until(lambda: list(study.folder.glob(".*.partial/worker.log")))
    _, stderr = study.run("--quiet", code=2)
    assert f"is being run by process {process.pid} on" in stderr
    process.kill()
    process.communicate()


def test_running_out_of_memory_is_no_failure_and_prunes_what_is_larger(make_study):
    study = make_study(
        "study: {failures: {prune: [simulated.batch_size]}}\n"
        "simulated: {fail_in: run, failure: out-of-memory}\n" + FOUR
    )
    stdout, _ = study.run()
    assert stdout.startswith("4 runs: 3 pruned, 1 out-of-memory\n")
    assert [outcome["status"] for outcome in study.outcomes()] == ["out-of-memory"]


def test_a_worker_is_kept_while_the_same_model_is_loaded(make_study):
    study = make_study(
        "study: {reuse: model, repeats: 2, order: interleaved}\n"
        "simulated: {load_s: 0.2}\n"
        "sweep: {simulated.batch_size: [1, 2], simulated.decode_steps_per_s: [1000, 2000]}\n"
    )
    study.run(
        "--quiet", "--set", "measurement.baseline.bare_s=0.2", "--set",
        "measurement.meters=[simulated]",
    )  # fmt: skip
    outcomes = study.outcomes()
    speeds = [outcome["experiment"]["simulated"]["decode_steps_per_s"] for outcome in outcomes]
    # Grouped by what is loaded, within each pass.
    assert speeds == [1000, 1000, 2000, 2000] * 2
    workers = [outcome["study"]["worker"] for outcome in outcomes]
    assert workers == ["fresh", "reused"] * 4
    for outcome in outcomes:
        fresh = outcome["study"]["worker"] == "fresh"
        assert (outcome["timing"]["load_s"] is not None) == fresh
        # The machine can only be metered without a worker before there is study.
        assert outcome["energy"]["bare_idle"]["power_w"] == pytest.approx(100.0)
        wanted = outcome["experiment"]["simulated"]["batch_size"]
        assert outcome["effective"]["settings.batch_size"] == wanted
    assert all((study.folder / outcome["id"] / "worker.log").exists() for outcome in outcomes)


def test_after_a_failure_the_next_run_gets_a_fresh_worker(make_study):
    study = make_study(
        "study: {reuse: model}\n"
        "experiments: [{}, {simulated: {batch_size: 2}}, "
        "{runner: {timeouts: {run_s: 0.05}}, simulated: {batch_size: 3}, "
        "workload: {output_tokens: 4000}}, {simulated: {batch_size: 4}}]\n"
    )
    study.run("--quiet", code=4)
    assert [(outcome["status"], outcome["study"]["worker"]) for outcome in study.outcomes()] == [
        ("done", "fresh"), ("done", "reused"), ("failed", "reused"), ("done", "fresh"),
    ]  # fmt: skip


@pytest.mark.parametrize(("text", "command"), [("", "check"), (FOUR, "check"), (FOUR, "plan")])
def test_a_file_is_read_only_once(llem, text, command):
    # A second reader of a pipe would wait for a second writer.
    pipe = llem.folder / "pipe"
    os.mkfifo(pipe)
    process = llem.start_command(command, "pipe")
    pipe.write_text(BASE + text)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, (stdout, stderr)


def test_flags_of_studies_mean_nothing_for_an_experiment(llem):
    (llem.folder / "experiment.yaml").write_text(BASE)
    done = llem("run", "experiment.yaml", "--resume", check=2)
    assert "--resume: only for studies" in done.stderr


def test_runs_that_take_too_long_stop_the_study_after_a_pause(make_study):
    study = make_study(FOUR + "runner: {timeouts: {experiment_s: 1}}\n" + SLOW)
    stdout, _ = study.run("--set", "study.failures.probe_after_s=0", code=4)
    assert "runs kept failing" in stdout or "4 failed" in stdout
    assert {outcome["failure"]["code"] for outcome in study.outcomes()} == {"worker-timeout"}
