"""A process that has an engine imported and forks a worker whenever the host asks for one.

Entry point: ``python -m llem.process.fork_server SOCKET_FD HOST_PID``, started by the host only.
The socket carries one JSON object a datagram, each answered by one with its id: ``warm-up``
imports the engine, ``fork`` brings a worker's pipes and log along, ``status`` asks how a worker
ended.
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
"""How the files of accelerators begin; a driver that is in use has some of them open."""

Pipes = tuple[int, int]


def main() -> int:
    """Fork workers until the host goes away; in a worker, serve it."""
    socket_fd, host_pid = map(int, sys.argv[1:])
    exit_with_parent(host_pid)
    with socket.socket(fileno=socket_fd) as host:
        host.set_inheritable(False)
        pipes = attend(host)
    if pipes is not None:
        serve_pipes(*pipes)
    return 0


def attend(host: socket.socket) -> Pipes | None:
    """Do what the host asks; return the pipes in each worker, ``None`` once the host is gone."""
    answer: dict[str, object]
    here = os.getpid()
    while True:
        data, fds, _, _ = socket.recv_fds(host, MAX_BYTES, 3)
        if not data:
            return None
        message = json.loads(data)
        number = message.pop("id")
        match message.pop("do"):
            case "warm-up":
                warm_up(**message)
                answer = {"refusal": why_not_fork()}
            case "fork" if refusal := why_not_fork():
                answer = {"refusal": refusal}
            case "fork":
                if (pid := _fork()) == 0:
                    return _as_worker(here, *fds)
                # Here and not there, so that the host never meets it without a group of its own.
                os.setpgid(pid, pid)
                answer = {"pid": pid}
            case "status":
                answer = {"code": _exit_code(message["pid"])}
        for fd in fds:
            os.close(fd)
        host.send(json.dumps({"id": number, **answer}).encode())


def warm_up(plugin: str, targets: list[str]) -> None:
    """Import an engine; an error ends this process, and a fresh worker will show it again.

    Args:
        plugin: The light module of the backend's plugin.
        targets: Dotted names of what its plan calls.
    """
    importlib.import_module(plugin).llem_measurement()
    for target in targets:
        import_dotted(target)


def why_not_fork(device_files: tuple[str, ...] = DEVICE_FILES) -> str:
    """Return what makes it unsafe to fork this process, or an empty text."""
    if devices := [name for name in _open_files() if name.startswith(device_files)]:
        return f"importing the engine opened {', '.join(sorted(set(devices)))}"
    if names := [one.name for one in threading.enumerate() if one is not threading.main_thread()]:
        return f"importing the engine started the threads {', '.join(sorted(names))}"
    if _threads() > 1:
        # Some libraries end their threads before a fork, and start them again once they need them.
        _fork_in_vain()
    if (left := _threads() - 1) > 0:
        return f"importing the engine started {left} threads that outlast a fork"
    return ""


def _fork_in_vain() -> None:
    if (pid := _fork()) == 0:
        os._exit(0)
    os.waitpid(pid, 0)


def _fork() -> int:
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    return os.fork()


def _as_worker(parent_pid: int, read_fd: int, write_fd: int, log_fd: int) -> Pipes:
    """Become what a worker is that was started afresh."""
    exit_with_parent(parent_pid)
    for stream in (1, 2):
        os.dup2(log_fd, stream)
    os.close(log_fd)
    return read_fd, write_fd


def _exit_code(pid: int) -> int | None:
    """Return how a worker ended, as :class:`subprocess.Popen` does; ``None`` if it has not."""
    try:
        ended, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:  # the host was told, and was interrupted before it could read it
        return -signal.SIGKILL
    return os.waitstatus_to_exitcode(status) if ended else None


def _threads() -> int:
    return len(list(Path("/proc/self/task").iterdir()))


def _open_files() -> Iterable[str]:
    for link in Path("/proc/self/fd").iterdir():
        try:
            yield str(link.readlink())
        except OSError:  # the one that lists the folder is gone already
            continue


if __name__ == "__main__":
    sys.exit(main())
