"""The worker process as the host sees it, with real processes and the simulated backend."""

import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest

from llem.api.session import OpenReport, Request, RunResult
from llem.errors import (
    EngineError,
    OutOfMemory,
    PluginIncompatible,
    WorkerDied,
    WorkerLogFlood,
    WorkerTimeout,
)
from llem.process.worker_process import WorkerProcess
from llem.schema.call_plan import CallPlan

PLUGIN = "llem.builtin.simulated"
TIMEOUT_S = 30.0


@pytest.fixture
def start(tmp_path):
    workers = []

    def start(python=sys.executable, max_log_bytes=1 << 20, **env):
        worker = WorkerProcess(
            python=python, env=env, log_path=tmp_path / "worker.log", max_log_bytes=max_log_bytes
        )
        workers.append(worker)
        return worker

    yield start
    for worker in workers:
        worker.kill()


def opened(worker, **settings):
    worker.hello(TIMEOUT_S)
    worker.call("start", TIMEOUT_S, plugin=PLUGIN, distributions=["pluggy", "no-such-thing"])
    plan = CallPlan(calls=(), settings=settings)
    return OpenReport.from_json(worker.call("open", TIMEOUT_S, plan=plan.to_json()))


def prepare(worker, *requests):
    data = [Request(i, ids, n).to_json() for i, (ids, n) in enumerate(requests)]
    worker.call("prepare", TIMEOUT_S, requests=data)


def test_a_whole_life(start):
    worker = start()
    hello = worker.hello(TIMEOUT_S)
    assert hello.pid != os.getpid()
    answer = worker.call(
        "start", TIMEOUT_S, plugin=PLUGIN, distributions=["pluggy", "no-such-thing"]
    )
    assert list(answer["versions"]) == ["pluggy"]
    report = OpenReport.from_json(
        worker.call("open", TIMEOUT_S, plan=CallPlan((), {"batch_size": 2}).to_json())
    )
    assert report.simulated
    prepare(worker, ([5, 6, 7], 4), ([8], 2))
    before_s = time.monotonic()
    run = RunResult.from_json(worker.call("run", TIMEOUT_S))
    assert before_s < run.started_s < run.finished_s < time.monotonic()
    assert [len(request.output_ids) for request in run.requests] == [4, 2]
    assert (run.padding_input_tokens, run.padding_output_tokens) == (2, 2)
    observation = worker.call("observe", TIMEOUT_S)
    assert observation["effective"] == {"settings.batch_size": 2}
    assert observation["memory"]["host_peak_rss_bytes"] > 1 << 20
    assert worker.call("close", TIMEOUT_S) is None
    assert worker.call("close", TIMEOUT_S) is None


def test_an_engine_error_keeps_its_type_and_traceback(start):
    worker = start()
    with pytest.raises(EngineError, match="simulated failure") as caught:
        opened(worker, fail_in="open", failure="error")
    assert caught.value.error_type == "RuntimeError"
    assert "in fail" in caught.value.traceback


def test_out_of_memory_is_told_apart(start):
    with pytest.raises(OutOfMemory):
        opened(start(), fail_in="open", failure="out-of-memory")


def test_the_signal_that_ended_the_worker_is_named(start):
    with pytest.raises(WorkerDied, match="SIGKILL during 'open'"):
        opened(start(), fail_in="open", failure="kill")


def test_the_exit_code_of_the_worker_is_named(start):
    with pytest.raises(WorkerDied, match="code 3"):
        opened(start(), fail_in="open", failure="exit")


def test_a_hanging_worker_is_noticed_and_killed(start):
    worker = start()
    opened(worker, fail_in="run", failure="hang")
    prepare(worker, ([1], 1))
    with pytest.raises(WorkerTimeout, match=r"'run' within 0.5 s"):
        worker.call("run", 0.5)
    worker.kill()


def test_a_flood_on_stdout_ends_the_worker_and_never_reaches_the_protocol(start, tmp_path):
    worker = start()
    opened(worker, fail_in="run", failure="flood")
    prepare(worker, ([1], 1))
    with pytest.raises(WorkerLogFlood, match="more than 1048576 bytes"):
        worker.call("run", TIMEOUT_S)
    assert (tmp_path / "worker.log").stat().st_size > 1 << 20


def test_large_messages_pass_both_ways(start):
    worker = start()
    opened(worker, batch_size=400, decode_steps_per_s=1e9, prefill_tokens_per_s=1e9)
    prepare(worker, *(([i] * 500, 300) for i in range(400)))
    run = RunResult.from_json(worker.call("run", TIMEOUT_S))
    assert sum(len(request.output_ids) for request in run.requests) == 120_000


def test_a_missing_interpreter_is_a_clear_error(start):
    with pytest.raises(WorkerDied, match="cannot start /no/such/python"):
        start(python="/no/such/python")


def test_an_interpreter_that_is_no_worker_is_a_clear_error(start):
    worker = start(python="/bin/true")
    with pytest.raises(WorkerDied, match="code 0 during 'start'"):
        worker.hello(TIMEOUT_S)


def test_another_protocol_version_is_refused(start, tmp_path):
    fake = tmp_path / "python"
    fake.write_text(
        f"#!{sys.executable}\n"
        "import os, sys\n"
        'hello = b\'{"id":0,"result":{"protocol":99,"llem":"9.0","python":"3","pid":1}}\\n\'\n'
        "os.write(int(sys.argv[5]), hello)\n"
        "sys.stdin.read()\n"
    )
    fake.chmod(0o755)
    worker = start(python=str(fake))
    with pytest.raises(PluginIncompatible, match=r"llem-core 9.0.*protocol 99"):
        worker.hello(TIMEOUT_S)


def test_a_file_named_like_an_engine_in_the_current_folder_is_not_imported(
    start, tmp_path, monkeypatch
):
    (tmp_path / "json.py").write_text("raise SystemExit('shadowed')\n")
    monkeypatch.chdir(tmp_path)
    assert start().hello(TIMEOUT_S).protocol == 1


def test_killing_ends_the_workers_children_too(start, tmp_path):
    plugin = tmp_path / "forking_plugin.py"
    plugin.write_text(
        "import subprocess\n"
        "child = subprocess.Popen(['sleep', '600'], start_new_session=True)\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
    )
    worker = start(PYTHONPATH=str(tmp_path))
    worker.hello(TIMEOUT_S)
    worker.call("start", TIMEOUT_S, plugin="forking_plugin", distributions=[])
    pid = int((tmp_path / "pid").read_text())
    worker.kill()
    deadline_s = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not is_running(pid)


def test_the_worker_dies_with_its_host(tmp_path):
    host = tmp_path / "host.py"
    host.write_text(
        "import sys, time\n"
        "from pathlib import Path\n"
        "from llem.process.worker_process import WorkerProcess\n"
        "worker = WorkerProcess(python=sys.executable, env={}, max_log_bytes=1 << 20,\n"
        f"                       log_path=Path({str(tmp_path / 'worker.log')!r}))\n"
        "print(worker.hello(30).pid, flush=True)\n"
        "time.sleep(600)\n"
    )
    process = psutil.Popen([sys.executable, str(host)], stdout=-1)
    pid = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    deadline_s = time.monotonic() + 5
    while is_running(pid) and time.monotonic() < deadline_s:
        time.sleep(0.05)
    assert not is_running(pid)


def is_running(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_log_keeps_what_the_engine_printed(start, tmp_path):
    plugin = tmp_path / "noisy_plugin.py"
    plugin.write_text("import os\nprint('from python')\nos.system('echo from a child')\n")
    worker = start(PYTHONPATH=str(tmp_path))
    worker.hello(TIMEOUT_S)
    worker.call("start", TIMEOUT_S, plugin="noisy_plugin", distributions=[])
    log = Path(worker.log_path).read_text()
    assert "from python" in log
    assert "from a child" in log
