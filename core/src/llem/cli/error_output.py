"""How a command ends: signals stop it, and errors become messages and exit codes."""

from __future__ import annotations

import errno
import json
import os
import re
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from types import FrameType, MappingProxyType
from typing import Any

import click

from llem.errors import Finding, Interrupted, LlemError, OutcomeNotStored, OutputFailed

UNACCOUNTED = 1
"""The audit succeeded, and found parameters without a classification."""

NOT_VALID = 5
"""The measurement succeeded, and its outcome is not valid."""

GATE_FAILED, GATE_INCONCLUSIVE = 6, 7
"""The comparison succeeded, and a limit is exceeded or undecided."""

CONTRACT_BROKEN = 8
"""The checks ran, and a check failed."""

EXIT_CODES = MappingProxyType(
    {
        0: "done",
        UNACCOUNTED: "`llem audit`: an engine parameter is not classified correctly",
        2: "the experiment or the command line is refused",
        3: "the backend or its engine is not available",
        4: "the experiment failed, or its outcome or the output could not be written",
        NOT_VALID: "`llem run --require-valid`: an outcome is not valid",
        GATE_FAILED: "`llem compare --fail-if`: a limit is exceeded",
        GATE_INCONCLUSIVE: "`llem compare --fail-if`: undecided",
        CONTRACT_BROKEN: "`llem plugins check`: a check failed",
        126: "`llem meter`: the command cannot be executed",
        127: "`llem meter`: the command does not exist",
        130: "interrupted",
    }
)
"""Meaning of each exit code; the errors of `llem.errors` carry the same numbers."""


def exit_code_help() -> str:
    """Return the exit codes as a paragraph of help that is not wrapped."""
    lines = [f"  {code:<3}  {meaning}" for code, meaning in EXIT_CODES.items()]
    return "\n".join(["\b", "Exit codes:", *lines])


DEBUG_VARIABLE = "LLEM_DEBUG"
"""Set to 1 to print the traceback of an error."""


@contextmanager
def failures_reported(*, as_json: bool) -> Iterator[None]:
    """End the process with a message and an exit code where the block raises an error of llem's.

    Args:
        as_json: Whether the user asked for JSON, so that the error goes to stdout as well.
    """
    try:
        yield
    except LlemError as error:
        if os.environ.get(DEBUG_VARIABLE) == "1":
            click.echo("".join(traceback.format_exception(error)), err=True)
        click.echo(describe(error), err=True)
        if as_json or isinstance(error, OutcomeNotStored):
            _echo_to_reader(json.dumps(document(error), indent=2, ensure_ascii=False))
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        click.echo("\nInterrupted.", err=True)
        sys.exit(Interrupted.exit_code)
    except BrokenPipeError:
        _discard_stdout()
    except OSError as error:
        # Without a file name it is no file of llem's, and so standard output.
        if error.filename is not None or error.errno not in _OUTPUT_ERRORS:
            raise
        _discard_stdout()
        refused = OutputFailed(f"standard output cannot be written: {error.strerror}")
        click.echo(describe(refused), err=True)
        sys.exit(refused.exit_code)


_OUTPUT_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}


def describe(error: LlemError) -> str:
    """Return the lines that explain ``error``: every problem with its hint, then its own hint."""
    lines = []
    for finding in _findings(error):
        lines.append(f"Error: {replace(finding, hint='')}")
        if finding.hint:
            lines.append(f"  {finding.hint}")
    lines = lines or [f"Error: {error.message}"]
    text = "\n".join([*lines, f"Hint: {error.hint}"] if error.hint else lines)
    # A name of thousands of characters would hide the message around it.
    return re.sub(r"(\S{100})\S{400,}", r"\1…", text)


def document(error: LlemError) -> dict[str, Any]:
    """Return ``error`` as JSON data, with the outcome that it kept from being stored."""
    what = {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "findings": [asdict(finding) for finding in _findings(error)],
    }
    if isinstance(error, OutcomeNotStored):
        return {"error": what, "outcome": error.outcome}
    return {"error": what}


def _findings(error: LlemError) -> Sequence[Finding]:
    return getattr(error, "findings", ())


def _echo_to_reader(text: str) -> None:
    try:
        click.echo(text)
    except OSError:
        _discard_stdout()


def _discard_stdout() -> None:
    """Discard further output: its reader (such as `head`) is gone, or its disk is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


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
