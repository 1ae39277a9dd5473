"""Write a report to a file."""

from __future__ import annotations

from pathlib import Path

from llem.errors import OutputRefused


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path``.

    Raises:
        OutputRefused: It cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise OutputRefused(
            f"cannot write {path}: {error.strerror}", hint="Choose another file with --out."
        ) from error
