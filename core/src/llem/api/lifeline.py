"""Tie a process's life to its parent's, so that no kill of the host leaves an orphan.

The worker does so by itself. A backend whose engine starts processes of its own calls it in those.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
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
