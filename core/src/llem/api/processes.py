"""Memory of all the processes an engine is made of; for sessions of engines that start some."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import psutil


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
