"""Workers forked from a process that has the engine imported, with real processes."""

import json
import os
import signal
import sys
from dataclasses import replace

import psutil
import pytest

from llem.api.session import Request, RunResult
from llem.errors import EngineError, OutOfMemory, WorkerDied, WorkerLogFlood, WorkerTimeout
from llem.process.fork_host import Prefork
from llem.process.fork_server import fork_hazard
from llem.registry import Backend, Registry
from llem.schema.call_plan import CallPlan
from llem.schema.experiment import RunnerConfig

from .conftest import wait_until

TIMEOUT_S = 30.0
SIMULATED = "from llem.builtin.simulated import *\n"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")


@pytest.fixture
def prefork(tmp_path):
    prefork = Prefork(tmp_path / "prefork.log")
    yield prefork
    prefork.close()


@pytest.fixture
def simulated():
    return Registry.discover().backend("simulated")


@pytest.fixture
def start(prefork, simulated, tmp_path):
    """Start a worker, of a plugin with this source if a source is given."""
    workers = []

    def start(source=None, max_log_bytes=1 << 20):
        backend, env = simulated, {}
        if source is not None:
            (tmp_path / "forked_plugin.py").write_text(SIMULATED + source)
            record = replace(simulated.record, module="forked_plugin")
            backend = Backend(record, simulated.info, simulated._call, simulated.hooks)
            env = {"PYTHONPATH": str(tmp_path)}
        runner = RunnerConfig(env=env, max_log_bytes=max_log_bytes)
        workers.append(
            prefork.start(backend, CallPlan((), {}), runner, tmp_path / f"{len(workers)}.log")
        )
        return workers[-1]

    yield start
    for worker in workers:
        worker.process.kill()


def opened(worker, **settings):
    """Bring a worker to where its requests are prepared, and return its process."""
    process = worker.process
    process.hello(TIMEOUT_S)
    plugin = "llem.builtin.simulated"
    process.call("start", TIMEOUT_S, plugin=plugin, distributions=[])
    process.call("open", TIMEOUT_S, plan=CallPlan((), settings).to_json())
    process.call("prepare", TIMEOUT_S, requests=[Request(0, [5, 6], 4).to_json()])
    return process


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_each_worker_is_a_process_and_a_group_of_its_own(start):
    workers = [start(), start()]
    assert all(worker.process.forked and not worker.remarks for worker in workers)
    pids = [worker.process.hello(TIMEOUT_S).pid for worker in workers]
    parents = {psutil.Process(pid).ppid() for pid in pids}
    assert len({*pids, *parents, os.getpid()}) == 4
    assert [os.getpgid(pid) for pid in pids] == pids


def test_it_runs_what_it_is_told(start):
    worker = opened(start())
    run = RunResult.from_json(worker.call("run", TIMEOUT_S))
    assert [len(request.output_ids) for request in run.requests] == [4]
    assert worker.call("close", TIMEOUT_S) is None


def test_what_it_prints_is_in_its_own_log(start, tmp_path):
    with pytest.raises(WorkerLogFlood):
        opened(start(), fail_in="run", failure="flood").call("run", TIMEOUT_S)
    opened(start()).call("run", TIMEOUT_S)
    with (tmp_path / "0.log").open() as log:
        assert log.read(9) == "simulated"  # of perhaps a gigabyte
    assert (tmp_path / "1.log").read_text() == (tmp_path / "prefork.log").read_text() == ""


@pytest.mark.parametrize(
    ("failure", "error", "text"),
    [
        ("error", EngineError, "simulated failure"),
        ("out-of-memory", OutOfMemory, "out of memory"),
        ("kill", WorkerDied, "SIGKILL during 'run'"),
        ("exit", WorkerDied, "code 3 during 'run'"),
        ("hang", WorkerTimeout, r"'run' within 0.5 s"),
        ("flood", WorkerLogFlood, "more than 1048576 bytes"),
    ],
)
def test_it_fails_as_a_fresh_one_does_and_the_next_one_works(start, failure, error, text):
    worker = opened(start(), fail_in="run", failure=failure)
    with pytest.raises(error, match=text):
        worker.call("run", 0.5 if failure == "hang" else TIMEOUT_S)
    worker.kill()
    following = start()
    assert following.process.forked
    assert opened(following).call("run", TIMEOUT_S)["requests"]


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "import threading, time\n"
            "threading.Thread(target=time.sleep, args=(60,), name='busy', daemon=True).start()\n",
            "started the threads busy",
        ),
        (
            "import _thread, time\n_thread.start_new_thread(time.sleep, (60,))\ntime.sleep(0.2)\n",
            "1 threads that outlast a fork",
        ),
        ("raise ImportError('no such engine')\n", "ImportError: no such engine"),
        ("import os\nos._exit(1)\n", "was not imported: it exited"),
    ],
)
def test_where_forking_is_not_safe_a_fresh_worker_is_started_and_says_why(start, source, reason):
    worker = start(source)
    assert not worker.process.forked
    (remark,) = worker.remarks
    assert remark.code == "worker-not-preforked"
    assert reason in remark.message
    assert worker.process.hello(TIMEOUT_S).pid != os.getpid()


def test_a_process_that_has_a_device_open_is_not_forked(tmp_path):
    with (tmp_path / "nvidiactl").open("w"):
        assert f"opened {tmp_path}/nvidiactl" in fork_hazard((f"{tmp_path}/nvidia",))


def test_workers_end_with_the_process_they_were_forked_from(start):
    worker = opened(start(), fail_in="run", failure="hang")
    (pid,) = worker.processes()
    psutil.Process(pid).parent().kill()
    with pytest.raises(WorkerDied, match="SIGKILL"):
        worker.call("run", TIMEOUT_S)
    assert wait_until(lambda: not is_running(pid))
    following = start()
    assert "has ended" in following.remarks[0].message
    assert opened(following).call("run", TIMEOUT_S)["requests"]


def test_everything_ends_with_the_host(tmp_path):
    host = tmp_path / "host.py"
    host.write_text(
        "import time\n"
        "from pathlib import Path\n"
        "from llem.schema.experiment import RunnerConfig\n"
        "from llem.schema.call_plan import CallPlan\n"
        "from llem.registry import Registry\n"
        "from llem.process.fork_host import Prefork\n"
        f"folder = Path({str(tmp_path)!r})\n"
        "prefork = Prefork(folder / 'prefork.log')\n"
        "backend = Registry.discover().backend('simulated')\n"
        "worker = prefork.start(backend, CallPlan((), {}), RunnerConfig(), folder / 'worker.log')\n"
        "print(worker.process.hello(30).pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    process = psutil.Popen([sys.executable, str(host)], stdout=-1)
    pid = int(process.stdout.readline())
    parent = psutil.Process(pid).ppid()
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    assert wait_until(lambda: not is_running(pid) and not is_running(parent))


def test_a_study_forks_every_worker_but_those_it_keeps(llem):
    (llem.folder / "study.yaml").write_text(
        "sweep: {simulated.batch_size: [1, 2], simulated.decode_steps_per_s: [1000, 2000]}\n"
    )
    for reuse, workers in (("none", ["preforked"] * 4), ("model", ["preforked", "reused"] * 2)):
        settings = {"study__reuse": reuse, "study__prefork": "true", "study__name": reuse}
        llem(*llem.run_arguments("study.yaml", "--quiet", **settings), check=0)
        found = [*(llem.results / reuse).glob("*/outcome.json")]
        documents = sorted(
            (json.loads(path.read_text()) for path in found),
            key=lambda document: document["study"]["position"],
        )
        assert [document["study"]["worker"] for document in documents] == workers
        assert {document["status"] for document in documents} == {"done"}
