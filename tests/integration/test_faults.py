"""A worker that fails in any way: a failed outcome, a documented exit code, no orphan."""

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .conftest import wait_until, worker_of

PHASES = ["open", "prepare", "run", "observe", "close"]


def is_hanging(worker):
    """Return whether the worker sleeps and goes on sleeping, where Python shows it asleep."""
    before = worker.num_ctx_switches()
    time.sleep(0.1)
    asleep = "hrtimer_nanosleep" in Path(f"/proc/{worker.pid}/wchan").read_text()
    return asleep and worker.num_ctx_switches() == before


def failed(outcome, code, phase):
    assert outcome["status"] == ("out-of-memory" if code == "out-of-memory" else "failed")
    assert outcome["failure"]["code"] == code
    assert outcome["failure"]["phase"] == phase
    assert outcome["verdict"]["valid"] is False
    assert code in [reason["code"] for reason in outcome["verdict"]["reasons"]]


def shown_phase(phase):
    return "warm up" if phase == "run" else phase


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("error", "engine-error"),
        ("exit", "worker-died"),
        ("kill", "worker-died"),
        ("out-of-memory", "out-of-memory"),
    ],
)
def test_a_failure_in_any_phase_is_stored(llem, phase, how, code):
    outcome = llem.run(check=4, simulated__fail_in=phase, simulated__failure=how)
    failed(outcome, code, shown_phase(phase))
    assert llem.stored() == [outcome]


@pytest.mark.parametrize("phase", PHASES)
def test_a_hang_in_any_phase_ends_at_its_time_limit(llem, phase):
    limit = {f"runner__timeouts__{phase}_s": 0.5}
    outcome = llem.run(check=4, simulated__fail_in=phase, simulated__failure="hang", **limit)
    failed(outcome, "worker-timeout", shown_phase(phase))
    assert f"runner.timeouts.{phase}_s" in outcome["failure"]["hint"]
    assert llem.stored() == [outcome]


def test_an_experiment_that_takes_too_long_as_a_whole_is_ended(llem):
    outcome = llem.run(
        check=4,
        simulated__fail_in="run",
        simulated__failure="hang",
        runner__timeouts__experiment_s=3,
    )
    failed(outcome, "worker-timeout", "warm up")
    assert "not over within 3 s" in outcome["failure"]["message"]
    assert "runner.timeouts.experiment_s" in outcome["failure"]["hint"]


def test_a_silent_worker_is_noticed(llem):
    outcome = llem.run(
        check=4, simulated__fail_in="run", simulated__failure="hang", runner__timeouts__silence_s=1
    )
    failed(outcome, "worker-timeout", "warm up")
    assert "neither answered nor printed anything for 1 s" in outcome["failure"]["message"]


def test_a_flood_on_stdout_is_stopped_and_its_end_is_kept(llem):
    outcome = llem.run(
        check=4,
        simulated__fail_in="run",
        simulated__failure="flood",
        runner__max_log_bytes=1_000_000,
    )
    failed(outcome, "worker-log-flood", "warm up")
    assert "simulated flood" in outcome["log_tail"]
    assert len(outcome["log_tail"]) < 10_000


def test_a_failure_after_some_repetitions_keeps_what_was_measured(llem):
    outcome = llem.run(
        check=4,
        simulated__fail_in="run",
        simulated__failure="kill",
        simulated__fail_after_runs=6,
        measurement__min_repetitions=50,
        measurement__warmup__min_repetitions=3,
        measurement__warmup__max_repetitions=3,
    )
    failed(outcome, "worker-died", "measure")
    assert len(outcome["timing"]["repetitions"]) == 3
    assert outcome["tokens"]["output_tokens"] == 3 * 4 * 8


@pytest.mark.parametrize("phase", PHASES)
def test_kill_9_from_outside_leaves_a_failed_outcome(llem, phase):
    never_asleep = {"simulated__decode_steps_per_s": 1e9, "simulated__prefill_tokens_per_s": 1e9}
    process = llem.start(simulated__fail_in=phase, simulated__failure="hang", **never_asleep)
    worker = wait_until(lambda: worker_of(process))
    wait_until(lambda: is_hanging(worker))
    worker.send_signal(signal.SIGKILL)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == 4
    outcome = json.loads(stdout)
    assert outcome["failure"]["code"] == "worker-died"
    assert outcome["failure"]["phase"] == shown_phase(phase)
    assert "SIGKILL" in outcome["failure"]["message"]
    assert llem.stored() == [outcome]


STOPPING = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT]


@pytest.mark.parametrize("signum", STOPPING)
def test_an_interrupt_ends_the_worker_and_stores_what_is_known(llem, send, signum):
    process = llem.start(
        simulated__decode_steps_per_s=100,
        measurement__min_duration_s=600,
        measurement__max_duration_s=600,
    )
    worker = wait_until(lambda: worker_of(process))
    wait_until(lambda: list(llem.results.glob(".*.partial/worker.log")))
    code, stdout, _ = send(process, signum)
    assert code == 130
    outcome = json.loads(stdout)
    assert outcome["status"] == "interrupted"
    assert "interrupted" in [reason["code"] for reason in outcome["verdict"]["reasons"]]
    assert llem.stored() == [outcome]
    # A worker that has ended may still await its reaping.
    wait_until(lambda: not worker.is_running())


def test_signals_in_quick_succession_are_one_interrupt(llem, send):
    process = llem.start(simulated__decode_steps_per_s=100, measurement__max_duration_s=600)
    wait_until(lambda: list(llem.results.glob(".*.partial/worker.log")))
    for signum in STOPPING:
        process.send_signal(signum)
        time.sleep(0.02)
    code, stdout, _ = send(process)
    # Python gives up its handlers before it ends, so a late signal may still end it.
    assert code in {130, *(-signum for signum in STOPPING)}
    (outcome,) = llem.stored()
    assert (outcome["status"], outcome) == ("interrupted", json.loads(stdout))


# The terminal sends SIGHUP to the process that it belongs to.
OWN_TERMINAL = "import fcntl, runpy, signal, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
DISOWNED = f"{OWN_TERMINAL}signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"


@pytest.mark.parametrize(
    ("before", "min_duration_s", "status"),
    [(OWN_TERMINAL, 600, "interrupted"), (DISOWNED, 0.5, "done")],
)
def test_a_closed_terminal_is_an_interrupt_unless_the_run_was_disowned(
    llem, before, min_duration_s, status
):
    ours, theirs = pty.openpty()
    arguments = llem.run_arguments(
        simulated__decode_steps_per_s=100,
        measurement__min_duration_s=min_duration_s,
        measurement__max_duration_s=600,
    )
    program = f"{before}runpy.run_module('llem', run_name='__main__')"
    process = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=llem.folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    wait_until(lambda: list(llem.results.glob(".*.partial/worker.log")))
    os.close(ours)
    process.wait(60)
    assert [outcome["status"] for outcome in llem.stored()] == [status]


def test_a_hangup_is_ignored_under_nohup(llem):
    arguments = llem.run_arguments("--json", measurement__min_duration_s=0.5)
    process = subprocess.Popen(
        ["nohup", sys.executable, "-m", "llem", *arguments],
        cwd=llem.folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    wait_until(lambda: list(llem.results.glob(".*.partial/worker.log")))
    process.send_signal(signal.SIGHUP)
    stdout, _ = process.communicate(timeout=60)
    assert (process.returncode, json.loads(stdout)["status"]) == (0, "done")


@pytest.mark.parametrize("study", [False, True])
def test_an_outcome_that_the_disk_refuses_is_printed(llem, study):
    (llem.folder / "study.yaml").write_text("sweep: {simulated.batch_size: [1]}\n")
    arguments = llem.run_arguments(*(["study.yaml"] if study else []), "--json")
    full = "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))\n"
    program = f"{full}runpy.run_module('llem', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=llem.folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 4
    assert "cannot write the outcome" in done.stderr
    document = json.loads(done.stdout)
    assert document["error"]["code"] == "outcome-not-stored"
    assert document["outcome"]["status"] == "done"
    assert document["outcome"]["tokens"]["output_tokens"] > 0
    assert not [*llem.results.glob("**/outcome.json")]


def test_a_killed_host_takes_its_worker_along_and_leaves_no_outcome(llem, send):
    process = llem.start(simulated__fail_in="run", simulated__failure="hang")
    worker = wait_until(lambda: worker_of(process))
    send(process, signal.SIGKILL)
    wait_until(lambda: not worker.is_running())
    assert not list(llem.results.glob("[!.]*"))


def test_results_that_are_removed_meanwhile_are_a_clear_error(llem):
    process = llem.start(simulated__decode_steps_per_s=10, workload__output_tokens=4)
    log = wait_until(lambda: list(llem.results.glob(".*.partial/worker.log")))[0]
    shutil.rmtree(log.parent)
    _, stderr = process.communicate(timeout=100)
    assert process.returncode == 4
    assert "cannot write the outcome" in stderr
    assert "Traceback" not in stderr
