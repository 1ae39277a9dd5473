"""Signals that stop a measurement; what is known by then is stored."""

from __future__ import annotations

import signal
import time
from types import FrameType

SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT")
"""Ctrl-C, `kill` and batch systems, a closed terminal or connection, and Ctrl-\\."""

STORING_S = 10.0
"""Within this time after a signal, further signals are ignored: the outcome is being stored."""


def stop_on_signals() -> None:
    """Raise ``KeyboardInterrupt`` at each of :data:`SIGNALS` from now on.

    A signal that was ignored when llem started stays ignored, so that `nohup` works.
    """
    interrupt = _Interrupt()
    for name in SIGNALS:
        signum = getattr(signal, name, None)  # Windows has two of them
        if signum is not None and signal.getsignal(signum) is not signal.SIG_IGN:
            signal.signal(signum, interrupt)


class _Interrupt:
    """Raises at a signal, unless a signal has raised just before."""

    def __init__(self) -> None:
        self._last_s = float("-inf")

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        now_s = time.monotonic()
        if now_s - self._last_s >= STORING_S:
            self._last_s = now_s
            raise KeyboardInterrupt
