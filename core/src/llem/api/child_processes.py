"""The worker and the processes that its engine starts: their end and their peak memory.

A process's life is tied to its parent's, so that no kill of the host leaves an orphan. The worker
does so by itself. A backend whose engine starts processes of its own calls it in those.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

_PR_SET_PDEATHSIG = 1


def exit_with_parent(parent_pid: int) -> None:
    """Ask the kernel to kill this process when its parent ends, however it ends.

    Elsewhere than on Linux the worker ends when its pipe closes, between two calls.

    Args:
        parent_pid: The parent's process id, to notice that it is gone already.
    """
    if not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def peak_rss_bytes() -> int:
    """Return the peak resident memory of this process and all below it, added up.

    Memory they share is counted in each. Without ``/proc`` it is the peak of this process alone.
    """
    known = [peak for pid in _process_ids() if (peak := _peak(pid)) is not None]
    if known:
        return sum(known)
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def reset_peak_rss() -> bool:
    """Let :func:`peak_rss_bytes` start again from the present memory of each process.

    Returns:
        Whether the kernel allowed it for this process.
    """
    allowed = False
    for pid in _process_ids():
        with suppress(OSError):
            # 5 resets the peak: proc_pid_clear_refs(5).
            Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")
            allowed = allowed or pid == os.getpid()
    return allowed


def _process_ids() -> Iterator[int]:
    """Yield the ids of this process and of all below it."""
    here = psutil.Process()
    yield here.pid
    for child in here.children(recursive=True):
        yield child.pid


def _peak(pid: int) -> int | None:
    """Return the high-water mark of one process's resident memory, as proc(5) has it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None
