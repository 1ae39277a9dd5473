"""Locks: one host for each study, one study for each device."""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from llem.errors import DeviceBusy, OutputRefused, StudyBusy, os_errors_as
from llem.results.folder import write_json
from llem.results.read_outcomes import read_limited

LOCK_FILE = ".lock"
OWNER_FILE = ".owner.json"
_MOST_BYTES = 2**16  # of the note of an owner, which another user may have made
LOCKS_VARIABLE = "LLEM_LOCK_DIR"
"""Folder of the device locks; by default all users of a machine share it."""


@contextmanager
def study_lock(
    folder: Path, *, take_over: bool = False, host: str | None = None
) -> Iterator[dict[str, Any] | None]:
    """Hold the study in ``folder``; yield the owner that died while it held it, or ``None``.

    The kernel releases a lock when its process ends, however it ends, so on a single machine a
    lock that is held is held by a living process. Between machines that share the folder the
    kernel may not know, so there the owner's note decides.

    Args:
        folder: The study's folder.
        take_over: Whether to assume that an owner on another machine is dead.
        host: Name of this machine.

    Raises:
        StudyBusy: Another process holds it, or a process of another machine may hold it.
        OutputRefused: The folder cannot be written.
    """
    host = host or platform.node()
    note = folder / OWNER_FILE
    with os_errors_as(OutputRefused, f"cannot lock {folder}"):
        try:
            held = FileLock(folder / LOCK_FILE).acquire(blocking=False)
        except Timeout:
            raise StudyBusy(
                f"the study in {folder} is being run by {_named(_owner(note))}",
                hint="Wait until it ends, or choose another folder with --out.",
            ) from None
    with held:
        before = _owner(note)
        if before is not None and before.get("host") != host and not take_over:
            raise StudyBusy(
                f"the study in {folder} was last run by {_named(before)}, and this is {host}",
                hint="If it does not run there any more, add --take-over.",
            )
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        with os_errors_as(OutputRefused, f"cannot write to {folder}"):
            write_json(note, {"host": host, "pid": os.getpid(), "started_at": started_at})
        try:
            yield before
        finally:
            note.unlink(missing_ok=True)


def is_locked(folder: Path) -> bool:
    """Whether a living process of this machine holds the study in ``folder``."""
    if not (folder / LOCK_FILE).exists():
        return False
    try:
        with FileLock(folder / LOCK_FILE, blocking=False):
            return False
    except (Timeout, OSError):
        return True


@contextmanager
def device_locks(uuids: Sequence[str], folder: Path | None = None) -> Iterator[None]:
    """Hold the devices, so that no other study of this machine measures on them meanwhile.

    Args:
        uuids: The devices.
        folder: Folder of the locks.

    Raises:
        DeviceBusy: Another study holds a device among them.
    """
    folder = folder or locks_folder()
    with ExitStack() as stack:
        # The same order everywhere, so that two studies never wait for each other.
        for uuid in sorted(set(uuids)):
            stack.enter_context(_device_lock(uuid, folder))
        yield


@contextmanager
def _device_lock(uuid: str, folder: Path) -> Iterator[None]:
    name = "".join(character if character.isalnum() else "-" for character in uuid)
    note = folder / f"{name}.json"
    hint = f"Choose another folder with {LOCKS_VARIABLE}."
    with os_errors_as(OutputRefused, f"cannot lock device {uuid} in {folder}", hint=hint):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            held = FileLock(folder / f"{name}.lock", mode=0o666).acquire(blocking=False)
        except Timeout:
            raise DeviceBusy(
                f"device {uuid} is in use by {_named(_owner(note))}",
                hint="Wait until it ends, or choose other devices with CUDA_VISIBLE_DEVICES.",
            ) from None
    with held:
        try:
            write_json(note, {"host": platform.node(), "pid": os.getpid(), "device": uuid})
            yield
        finally:
            note.unlink(missing_ok=True)


def locks_folder() -> Path:
    """Return the folder of this machine's device locks."""
    chosen = os.environ.get(LOCKS_VARIABLE)
    return Path(chosen) if chosen else Path(tempfile.gettempdir()) / "llem-locks"


def _owner(note: Path) -> dict[str, Any] | None:
    try:
        owner = json.loads(read_limited(note, _MOST_BYTES))
    except (OSError, ValueError):
        return None
    return owner if isinstance(owner, dict) else None


def _named(owner: dict[str, Any] | None) -> str:
    if owner is None:
        return "another process"
    return f"process {owner.get('pid')} on {owner.get('host')}"
