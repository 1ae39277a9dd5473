"""A process that has imported an engine and forks a worker when the host asks.

Entry point: ``python -m llem.process.fork_server SOCKET_FD HOST_PID``, started by the host only.
Each datagram on the socket is a JSON object, and its answer has the same id: ``preload`` imports
the engine, ``fork`` brings along a worker's pipes and log, ``status`` asks how a worker ended.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable
from pathlib import Path

from llem.api.child_processes import exit_with_parent
from llem.process.worker import serve_pipes
from llem.schema.call_plan import import_dotted

MAX_BYTES = 1 << 16
"""Longest datagram."""

DEVICE_FILES = ("/dev/nvidia", "/dev/kfd", "/dev/dri/", "/dev/accel")
"""Path prefixes of accelerators' device files: a driver in use has some of them open."""

Pipes = tuple[int, int]


def main() -> int:
    """Fork workers until the host goes away; in a worker, answer its calls."""
    socket_fd, host_pid = map(int, sys.argv[1:])
    exit_with_parent(host_pid)
    with socket.socket(fileno=socket_fd) as host:
        host.set_inheritable(False)
        pipes = serve_host(host)
    if pipes is not None:
        serve_pipes(*pipes)
    return 0


def serve_host(host: socket.socket) -> Pipes | None:
    """Answer the host until it is gone and return ``None``; in a worker, return its pipes."""
    answer: dict[str, object]
    here = os.getpid()
    while True:
        data, fds, _, _ = socket.recv_fds(host, MAX_BYTES, 3)
        if not data:
            return None
        message = json.loads(data)
        number = message.pop("id")
        match message.pop("do"):
            case "preload":
                preload(**message)
                answer = {"refusal": fork_hazard()}
            case "fork" if refusal := fork_hazard():
                answer = {"refusal": refusal}
            case "fork":
                if (pid := _fork()) == 0:
                    return _as_worker(here, *fds)
                # Set the group in the parent: the host may signal the child before the child runs.
                os.setpgid(pid, pid)
                answer = {"pid": pid}
            case "status":
                answer = {"code": _exit_code(message["pid"])}
        for fd in fds:
            os.close(fd)
        host.send(json.dumps({"id": number, **answer}).encode())


def preload(plugin: str, targets: list[str]) -> None:
    """Import an engine; an error ends this process, and a fresh worker will show it again.

    Args:
        plugin: The light module of the backend's plugin.
        targets: Dotted names of the functions that its plan calls.
    """
    importlib.import_module(plugin).llem_measurement()
    for target in targets:
        import_dotted(target)


def fork_hazard(device_files: tuple[str, ...] = DEVICE_FILES) -> str:
    """Return why it is unsafe to fork this process; empty if it is safe."""
    if devices := [name for name in _open_files() if name.startswith(device_files)]:
        return f"importing the engine opened {', '.join(sorted(set(devices)))}"
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if others:
        names = ", ".join(sorted(thread.name for thread in others))
        return f"importing the engine started the threads {names}"
    if _threads() > 1:
        # Some libraries end their threads before a fork, and start them again on demand.
        _probe_fork()
    if (left := _threads() - 1) > 0:
        return f"importing the engine started {left} threads that outlast a fork"
    return ""


def _probe_fork() -> None:
    """Fork a child that ends at once, for the handlers that libraries run before a fork."""
    if (pid := _fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _fork() -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return os.fork()


def _as_worker(parent_pid: int, read_fd: int, write_fd: int, log_fd: int) -> Pipes:
    """Take over the log, as a worker with an interpreter of its own has it."""
    exit_with_parent(parent_pid)
    for stream in (1, 2):
        os.dup2(log_fd, stream)
    os.close(log_fd)
    return read_fd, write_fd


def _exit_code(pid: int) -> int | None:
    """Return how a worker ended, as :class:`subprocess.Popen` does; ``None`` if it has not."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:  # an earlier answer that an interrupted host did not read
        return -signal.SIGKILL
    return os.waitstatus_to_exitcode(status) if ended else None


def _threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def _open_files() -> Iterable[str]:
    for link in Path("/proc/self/fd").iterdir():
        try:
            yield str(link.readlink())
        except OSError:  # the file of the listing itself is closed already
            continue


if __name__ == "__main__":
    sys.exit(main())
