"""The Python API in the process that calls it: Ctrl-C, state, threads and progress."""

import json
import os
import pty
import signal
import threading
import time
from pathlib import Path

import pytest

import llem
from llem.errors import (
    OutputRefused,
)
from llem.results import read_outcome

from .conftest import wait_until, worker_of
from .quick_experiments import QUICK, SLOW, SWEEP

INTERRUPTED = """
import os, psutil, llem
try:
    llem.{function}({given}, progress=False)
except KeyboardInterrupt as stop:
    print(stop)
print([child.pid for child in psutil.Process().children(recursive=True)])
print(llem.measure(QUICK, output="later").status)
"""


@pytest.mark.parametrize(
    ("function", "given", "pattern"),
    [
        ("measure", "SLOW", "results/*/outcome.json"),
        ("run_study", "{**SWEEP, **SLOW}", "results/batches/*/outcome.json"),
    ],
)
def test_ctrl_c_stores_the_outcome_ends_the_worker_and_raises(
    interpreter, function, given, pattern
):
    process = interpreter.start(INTERRUPTED.format(function=function, given=given))
    worker = wait_until(lambda: worker_of(process))
    wait_until(lambda: "hrtimer_nanosleep" in Path(f"/proc/{worker.pid}/wchan").read_text())
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stderr) == (0, "")
    stop, children, later = stdout.splitlines()
    assert "results" in stop
    assert (children, later) == ("[]", "done")
    (file,) = interpreter.folder.glob(pattern)
    outcome = read_outcome(file.parent)
    assert outcome.status == "interrupted"
    assert outcome.id in stop or function == "run_study"


IMPATIENT = """
import time, psutil, llem
begun = False
while True:
    try:
        if not begun:
            begun = True
            llem.measure(SLOW)
        time.sleep(0.5)
        break
    except KeyboardInterrupt:
        continue
print([child.pid for child in psutil.Process().children(recursive=True)])
"""


@pytest.mark.parametrize("pause_s", [0.001, 0.01, 0.05])
def test_a_second_ctrl_c_does_not_spare_the_worker(interpreter, pause_s):
    process = interpreter.start(IMPATIENT)
    worker = wait_until(lambda: worker_of(process))
    wait_until(lambda: "hrtimer_nanosleep" in Path(f"/proc/{worker.pid}/wchan").read_text())
    for _ in range(3):
        process.send_signal(signal.SIGINT)
        time.sleep(pause_s)
    stdout, stderr = process.communicate(timeout=60)
    assert (process.returncode, stdout) == (0, "[]\n"), stderr


def test_an_interrupted_study_is_resumed(here, interpreter):
    process = interpreter.start("import llem; llem.run_study({**SWEEP, **SLOW})")
    wait_until(lambda: worker_of(process))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    with pytest.raises(OutputRefused, match="was begun already"):
        llem.run_study({**SWEEP, **SLOW})
    result = llem.run_study({**SWEEP, **SLOW}, resume=True)
    assert result.states == {"done": 2}


GLOBAL_STATE = """
import os, signal, threading, psutil, json, llem
from pathlib import Path
def state():
    here = psutil.Process()
    return {
        "handlers": [str(signal.getsignal(number)) for number in signal.valid_signals()],
        "folder": os.getcwd(),
        "variables": dict(os.environ),
        "threads": [thread.name for thread in threading.enumerate()],
        "children": [child.pid for child in here.children(recursive=True)],
        "files": here.num_fds(),
        "umask": os.umask(0o022),
    }
llem.measure(QUICK)  # imports what there is to import
before = state()
llem.measure(QUICK)
llem.run_study({**SWEEP, "study": {"name": "batches", "reuse": "model"}})
llem.compare("results/batches", by="simulated.batch_size", allow=["invalid"])
after = state()
print(json.dumps([key for key in before if before[key] != after[key]]))
"""


def test_no_state_of_the_process_is_changed(interpreter):
    assert json.loads(interpreter(GLOBAL_STATE)) == []


def test_another_thread_may_measure(here):
    outcomes = []
    thread = threading.Thread(target=lambda: outcomes.append(llem.measure(QUICK)))
    thread.start()
    thread.join(60)
    assert [outcome.status for outcome in outcomes] == ["done"]


def test_a_script_needs_three_lines_and_prints_nothing_else(interpreter):
    script = "import llem\noutcome = llem.measure(QUICK)\nprint(outcome.tokens.output_tokens > 0)"
    assert interpreter(script) == "True\n"


@pytest.mark.parametrize(("wanted", "shown"), [("True", True), ("False", False)])
def test_a_bar_is_shown_on_a_terminal_unless_it_is_not_wanted(interpreter, wanted, shown):
    script = f"import llem; llem.measure({{**QUICK}}, progress={wanted})"
    ours, theirs = pty.openpty()
    process = interpreter.start(script, stderr=theirs)
    os.close(theirs)
    printed = b""
    while chunk := read(ours):
        printed += chunk
    process.communicate(timeout=60)
    assert (b"loading shape:tiny" in printed) is shown
    assert (printed == b"") is not shown


def read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # its other end is closed
        return b""
