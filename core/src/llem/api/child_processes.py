"""Tie a process's life to its parent's, so that no kill of the host leaves an orphan.

The worker does so by itself. A backend whose engine starts processes of its own calls it in those.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
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


def peak_rss_bytes() -> int | None:
    """Return the peak resident memory of this process and all below it, added up.

    Memory they share is counted in each. ``None`` where there is no ``/proc``.
    """
    here = psutil.Process()
    peaks = [_peak(process.pid) for process in (here, *here.children(recursive=True))]
    known = [peak for peak in peaks if peak is not None]
    return sum(known) if known else None


def _peak(pid: int) -> int | None:
    """Return the high-water mark of one process's resident memory, as proc(5) has it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return None
