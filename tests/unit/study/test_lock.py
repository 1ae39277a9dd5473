"""One process for each study, one study for each device."""

import json
import subprocess
import sys

import pytest

from llem.errors import DeviceBusy, StudyBusy
from llem.study.lock import device_locks, is_locked, study_lock

HOLD = """
import sys, time
from pathlib import Path
from llem.study.lock import {function}
with {call}:
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def holder():
    """Start a process that holds a lock; kill it as nothing else can."""
    processes = []

    def holder(function, call):
        code = HOLD.format(function=function, call=call)
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield holder
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_study_is_run_by_one_process_and_says_by_which(tmp_path, holder):
    process = holder("study_lock", f"study_lock(Path({str(tmp_path)!r}))")
    assert is_locked(tmp_path)
    with pytest.raises(StudyBusy, match=f"is being run by process {process.pid} on "):
        study_lock(tmp_path).__enter__()


def test_a_killed_owner_leaves_a_lock_that_is_known_to_be_stale(tmp_path, holder):
    process = holder("study_lock", f"study_lock(Path({str(tmp_path)!r}))")
    process.kill()
    process.wait()
    assert not is_locked(tmp_path)
    with study_lock(tmp_path) as died:
        assert died["pid"] == process.pid
    with study_lock(tmp_path) as died:
        assert died is None


def test_a_study_of_another_machine_is_refused_until_it_is_taken_over(tmp_path):
    (tmp_path / ".owner.json").write_text(json.dumps({"host": "elsewhere", "pid": 7}))
    with pytest.raises(StudyBusy, match="last run by process 7 on elsewhere, and this is here"):
        study_lock(tmp_path, host="here").__enter__()
    with study_lock(tmp_path, host="here", take_over=True) as died:
        assert died["host"] == "elsewhere"


def test_two_machines_cannot_have_a_study_at_once(tmp_path):
    with (
        study_lock(tmp_path, host="one"),
        pytest.raises(StudyBusy, match="is being run by process"),
    ):
        study_lock(tmp_path, host="other").__enter__()


def test_a_device_belongs_to_one_study(tmp_path, holder):
    call = f"device_locks(['GPU-b', 'GPU-a'], Path({str(tmp_path)!r}))"
    process = holder("device_locks", call)
    with pytest.raises(DeviceBusy, match=f"device GPU-a is in use by process {process.pid}"):
        device_locks(["GPU-a"], tmp_path).__enter__()
    with device_locks(["GPU-c"], tmp_path):
        assert (tmp_path / "GPU-c.json").exists()
    process.kill()
    process.wait()
    with device_locks(["GPU-a", "GPU-b"], tmp_path):
        assert json.loads((tmp_path / "GPU-a.json").read_text())["device"] == "GPU-a"


def test_a_machine_without_devices_needs_no_lock(tmp_path):
    with device_locks([], tmp_path / "never-made"):
        assert not (tmp_path / "never-made").exists()
