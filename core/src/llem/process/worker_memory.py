"""Memory that this process holds after loading, and whether a later run gives it back."""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path

RETURNED_WITHIN_RATIO = 0.05
RETURNED_WITHIN_BYTES = 64 * 2**20
"""Memory counts as returned when the increase is within both of these together: an allocator keeps
some memory, and a few objects stay for good after their first use."""


class MemoryNotReturned(RuntimeError):
    """Memory of an earlier run is still in use."""


def anon_rss_bytes() -> int | None:
    """Collect garbage, then return the anonymous resident memory; ``None`` if it is unknown.

    Pages of files, weights among them, do not count: the kernel loads them as they are used.
    """
    gc.collect()
    if sys.platform.startswith("linux"):
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc has it
        if trim is not None:
            trim(0)
    return _status_bytes("RssAnon")


def freeze_loaded() -> None:
    """Exclude all present objects from later collections.

    An engine imports so many objects that traversing them takes half a second, which would fall
    into a run's windows or between two runs.
    """
    gc.collect()
    gc.freeze()


def unfreeze_loaded() -> None:
    """Undo :func:`freeze_loaded`."""
    gc.unfreeze()


def check_returned(loaded_bytes: int | None) -> None:
    """Check that memory is back at its level after loading.

    Args:
        loaded_bytes: Result of :func:`anon_rss_bytes` after loading.

    Raises:
        MemoryNotReturned: It is not.
    """
    now_bytes = anon_rss_bytes()
    if now_bytes is None or loaded_bytes is None:
        return
    if now_bytes > loaded_bytes * (1 + RETURNED_WITHIN_RATIO) + RETURNED_WITHIN_BYTES:
        raise MemoryNotReturned(f"{now_bytes} bytes are in use, after loading {loaded_bytes}")


def _status_bytes(name: str) -> int | None:
    """Return a figure from ``/proc/self/status``; ``None`` where there is none."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return None
    for line in status.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return 1024 * int(value.split()[0])
    return None
