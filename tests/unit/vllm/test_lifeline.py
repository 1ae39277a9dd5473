"""Processes below a session end with it, forked or started anew."""

import subprocess
import sys

import psutil
import pytest

FORKED = """
import os, sys, time
from llem_vllm.runtime.lifeline import announce
announce()
if os.fork() == 0:
    print(os.getpid(), flush=True)
time.sleep(60)
"""

STARTED = """
import subprocess, sys, time
from llem_vllm.runtime.lifeline import announce
announce()
code = "from llem_vllm.runtime.lifeline import hold; hold(); print('held', flush=True); "
child = subprocess.Popen(
    [sys.executable, "-c", code + "import time; time.sleep(60)"], stdout=subprocess.PIPE, text=True
)
assert child.stdout.readline() == "held\\n"
print(child.pid, flush=True)
time.sleep(60)
"""

UNRELATED = """
import os, signal
from llem_vllm.runtime.lifeline import hold
os.environ.pop("LLEM_VLLM_SESSION", None)
hold()
print("alive")
"""

ORPHAN = """
import os
from llem_vllm.runtime.lifeline import VARIABLE, hold
os.environ[VARIABLE] = "999999999"
hold()
print("alive")
"""

# A killed session stays in the table of processes until whoever started it takes note.
NOT_REAPED = """
import os
from llem_vllm.runtime.lifeline import VARIABLE, hold
session = os.fork()
if session == 0:
    os._exit(0)
os.waitid(os.P_PID, session, os.WEXITED | os.WNOWAIT)
os.environ[VARIABLE] = str(session)
hold()
print("alive")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
@pytest.mark.parametrize("script", [FORKED, STARTED], ids=["forked", "started"])
def test_a_killed_session_takes_its_processes_along(script):
    session = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(session.stdout.readline()))
    assert child.is_running()
    session.kill()
    session.wait(timeout=30)
    _, left = psutil.wait_procs([child], timeout=30)
    # A container may have no init that reaps.
    assert all(one.status() == psutil.STATUS_ZOMBIE for one in left)


def run(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_nothing_happens_outside_a_session():
    assert run(UNRELATED) == (0, "alive\n")


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's help is Linux's")
@pytest.mark.parametrize("script", [ORPHAN, NOT_REAPED], ids=["gone", "not reaped"])
def test_a_process_that_comes_too_late_ends_itself(script):
    assert run(script) == (1, "")
