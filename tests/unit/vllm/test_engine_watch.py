"""The death of an engine's process ends the waiting for it."""

import multiprocessing
import os
import queue
import signal
import threading
import time

import pytest

from llem_vllm.runtime.engine_watch import EngineProcessDied, watching


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


def test_a_caller_who_waits_for_ever_is_woken(child):
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
