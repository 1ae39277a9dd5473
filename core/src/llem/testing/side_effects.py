"""Notice what code does besides computing: files, network, processes, devices, environment.

Interpreter-wide and for good, as audit hooks are; so it belongs into an interpreter of its own.
C code that opens a device by itself cannot be seen, but code that imports none cannot do that.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import all_suffixes
from types import FrameType
from typing import Any

_FILES = ("open", "os.", "shutil.", "tempfile.", "glob.")
_PROCESSES = (
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "pty.",
)
_NETWORK = ("socket.", "urllib.", "http.client.", "ssl.")
_ENVIRONMENT = ("os.putenv", "os.unsetenv")
_CODE = tuple(all_suffixes())
_IMPORT_SYSTEM = ("importlib._bootstrap", "_frozen_importlib")
_MODEL_LIBRARY = ("pydantic", "pydantic_core")


class SideEffectGuard:
    """Records the effects of one package's code.

    Args:
        package: Its dotted name; what it calls counts as well, importing code does not, and
            neither does reading the metadata of distributions.
    """

    def __init__(self, package: str) -> None:
        self._package = package
        self._found: list[str] | None = None
        sys.addaudithook(self._on_event)
        _watch_environment(self._note)

    @contextmanager
    def watching(self) -> Iterator[list[str]]:
        """Record what happens in the block."""
        found: list[str] = []
        self._found = found
        try:
            yield found
        finally:
            self._found = None

    def _on_event(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._found is None:
            return
        first = arguments[0] if arguments else None
        if event in _ENVIRONMENT:
            self._note(f"the environment: {event} {first}")
        elif event.startswith(_PROCESSES):
            self._note(f"a process: {event} {first}")
        elif event.startswith(_FILES):
            if not str(first).endswith(_CODE) and not isinstance(first, int):
                self._note(f"a file: {event} {first}")
        elif event.startswith(_NETWORK):
            self._note(f"the network: {event}")
        elif event == "ctypes.dlopen" and first is not None:
            self._note(f"a device or library: {event} {first}")

    def _note(self, effect: str) -> None:
        if self._found is None:
            return
        found, self._found = self._found, None  # looking at frames must not record itself
        if (where := _author(sys._getframe(2), self._package)) and effect not in found:
            found.append(f"{effect}, by {where}")
        self._found = found


def _author(frame: FrameType | None, package: str) -> str:
    """Return the line of ``package`` that caused what happens in ``frame``, or nothing."""
    innermost = True
    while frame is not None:
        name = str(frame.f_globals.get("__name__"))
        top = name.partition(".")[0]
        if name.startswith("importlib.metadata"):
            return ""
        if innermost and (top in _MODEL_LIBRARY or name.startswith(_IMPORT_SYSTEM)):
            return ""
        if f"{name}.".startswith(f"{package}."):
            return f"{name}:{frame.f_lineno}"
        innermost = innermost and top in sys.stdlib_module_names
        frame = frame.f_back
    return ""


def _watch_environment(note: Any) -> None:
    """Let every look into ``os.environ`` be noted, through whichever name it goes."""

    class Watched(type(os.environ)):  # type: ignore[misc]
        def __getitem__(self, key: str) -> str:
            note(f"the environment: {key}")
            return str(super().__getitem__(key))

        def __iter__(self) -> Iterator[str]:
            note("the environment: all of it")
            return iter(super().__iter__())

    os.environ.__class__ = Watched
