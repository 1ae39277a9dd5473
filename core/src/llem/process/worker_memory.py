"""Memory of this process: what it holds, and what it held at most."""

from __future__ import annotations

import ctypes
import gc
import resource
import sys
from pathlib import Path

RETURNED_WITHIN_RATIO = 0.05
RETURNED_WITHIN_BYTES = 64 * 2**20
"""Memory counts as returned when no more than both of these together are held in addition: an
allocator keeps some, and a few objects stay for good after their first use."""


class MemoryNotReturned(RuntimeError):
    """Something of an earlier run is still held."""


def held_bytes() -> int | None:
    """Return the memory that is this process's own, what can be given back given back.

    Pages of files, weights among them, are left out: they come in as they are used. ``None`` if
    it cannot be told.
    """
    gc.collect()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc alone has it
        if trim is not None:
            trim(0)
    return _status_bytes("RssAnon")


def freeze_loaded() -> None:
    """Keep what exists now out of later collections.

    An engine brings in so many objects that looking through them takes half a second, which would
    fall into a run's windows or between two runs.
    """
    gc.collect()
    gc.freeze()


def unfreeze_loaded() -> None:
    """Let what was frozen be collected again."""
    gc.unfreeze()


def check_returned(loaded_bytes: int | None) -> None:
    """Check that no more is held than after loading.

    Args:
        loaded_bytes: What :func:`held_bytes` said then.

    Raises:
        MemoryNotReturned: There is.
    """
    held = held_bytes()
    if held is None or loaded_bytes is None:
        return
    limit = loaded_bytes * (1 + RETURNED_WITHIN_RATIO) + RETURNED_WITHIN_BYTES
    if held > limit:
        raise MemoryNotReturned(f"{held} bytes are held, and {loaded_bytes} were after loading")


def forget_peak() -> None:
    """Let :func:`peak_bytes` start again from what is held now, where the system allows it."""
    try:
        # 5 resets the peak: proc_pid_clear_refs(5).
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_bytes() -> int:
    """Return the greatest resident memory since the start, or since it was last forgotten."""
    known = _status_bytes("VmHWM")
    if known is not None:
        return known
    # Linux counts in KiB, macOS in bytes.
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _status_bytes(name: str) -> int | None:
    """Return a figure of this process's status; ``None`` where there is no such thing."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return 1024 * int(value.split()[0])
    return None
