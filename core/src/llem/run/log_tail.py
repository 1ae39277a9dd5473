"""The last lines of a worker's log."""

from __future__ import annotations

import os
from pathlib import Path

MAX_BYTES = 8192
MAX_LINES = 40


def log_tail(path: Path) -> str:
    """Return at most :data:`MAX_LINES` lines from the end of ``path``; empty if there is none."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - MAX_BYTES))
            text = file.read().decode("utf-8", errors="replace")
    except FileNotFoundError:
        return ""
    return "\n".join(text.splitlines()[-MAX_LINES:])
