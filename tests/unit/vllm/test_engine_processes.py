"""vLLM's processes end with their session, and their death ends the session's waiting."""

import logging
import multiprocessing
import os
import queue
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from llem_vllm.runtime.engine_processes import (
    CACHE_LOGGER,
    SESSION_VARIABLE,
    EngineProcessDied,
    silence_cache_resets,
    watching,
)

needs_linux = pytest.mark.skipif(
    sys.platform != "linux", reason="only the Linux kernel ends a process with its parent"
)

FORKED = """
import os, sys, time
from llem_vllm.runtime.engine_processes import register_session
register_session()
if os.fork() == 0:
    print(os.getpid(), flush=True)
time.sleep(60)
"""

STARTED = """
import subprocess, sys, time
from llem_vllm.runtime.engine_processes import register_session
register_session()
code = "from llem_vllm.runtime.engine_processes import exit_with_session; exit_with_session(); "
code += "print('tied', flush=True); import time; time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
assert child.stdout.readline() == "tied\\n"
print(child.pid, flush=True)
time.sleep(60)
"""

UNRELATED = """
import os, signal
from llem_vllm.runtime.engine_processes import SESSION_VARIABLE, exit_with_session
os.environ.pop(SESSION_VARIABLE, None)
exit_with_session()
print("alive")
"""

ORPHAN = """
import os
from llem_vllm.runtime.engine_processes import SESSION_VARIABLE, exit_with_session
os.environ[SESSION_VARIABLE] = "999999999"
exit_with_session()
print("alive")
"""

# A killed session stays in the process table until its parent reaps it.
NOT_REAPED = """
import os
from llem_vllm.runtime.engine_processes import SESSION_VARIABLE, exit_with_session
session = os.fork()
if session == 0:
    os._exit(0)
os.waitid(os.P_PID, session, os.WEXITED | os.WNOWAIT)
os.environ[SESSION_VARIABLE] = str(session)
exit_with_session()
print("alive")
"""


@needs_linux
@pytest.mark.parametrize("script", [FORKED, STARTED], ids=["forked", "started"])
def test_a_killed_session_takes_its_processes_along(script):
    session = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = psutil.Process(int(session.stdout.readline()))
    assert child.is_running()
    session.kill()
    session.wait(timeout=30)
    _, left = psutil.wait_procs([child], timeout=30)
    # A container may have no init that reaps.
    assert all(process.status() == psutil.STATUS_ZOMBIE for process in left)


def run(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_nothing_happens_outside_a_session():
    assert run(UNRELATED) == (0, "alive\n")


@needs_linux
@pytest.mark.parametrize("script", [ORPHAN, NOT_REAPED], ids=["gone", "not reaped"])
def test_a_process_that_comes_too_late_ends_itself(script):
    assert run(script) == (1, "")


@pytest.fixture
def child():
    """Return a process that waits to be killed."""
    process = multiprocessing.get_context("spawn").Process(
        target=time.sleep, args=(60,), name="EngineCore"
    )
    process.start()
    yield process
    process.kill()
    process.join()


def test_a_caller_that_waits_forever_is_woken(child):
    threading.Timer(0.3, os.kill, (child.pid, signal.SIGKILL)).start()
    with (
        pytest.raises(EngineProcessDied, match="EngineCore ended with exit code -9"),
        watching([child]),
    ):
        queue.SimpleQueue().get()


def test_a_death_between_two_calls_is_noticed_by_the_next(child):
    os.kill(child.pid, signal.SIGKILL)
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    before = signal.getsignal(signal.SIGCHLD)
    with pytest.raises(EngineProcessDied, match="EngineCore"), watching([child]):
        queue.SimpleQueue().get()
    assert signal.getsignal(signal.SIGCHLD) == before


def test_other_children_may_end(child):
    before = signal.getsignal(signal.SIGCHLD)
    other = multiprocessing.get_context("spawn").Process(target=time.sleep, args=(0,))
    with watching([child]):
        other.start()
        other.join()
    assert other.exitcode == 0
    assert signal.getsignal(signal.SIGCHLD) == before


@pytest.fixture
def logger():
    logger = logging.getLogger(CACHE_LOGGER)
    yield logger
    logger.setLevel(logging.NOTSET)


def test_below_a_session_the_cache_logs_warnings_only(logger, monkeypatch):
    monkeypatch.setenv(SESSION_VARIABLE, "1")
    silence_cache_resets()
    assert logger.isEnabledFor(logging.WARNING)
    assert not logger.isEnabledFor(logging.INFO)


def test_elsewhere_the_cache_logs_as_ever(logger, monkeypatch):
    monkeypatch.delenv(SESSION_VARIABLE, raising=False)
    silence_cache_resets()
    assert logger.level == logging.NOTSET
