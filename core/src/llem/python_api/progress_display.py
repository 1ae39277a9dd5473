"""Progress of runs and studies: a bar on a terminal or in a notebook, lines for a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from importlib import import_module
from typing import IO, Any, TypeVar, cast

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)

from llem.study.journal import Entry, NullStudyProgress
from llem.study.plan_summary import span

_PHASES = {
    "idle check": "checking that the machine idles as before",
    "bare idle": "metering the idle machine",
    "start": "starting the worker",
    "open": "loading",
    "loaded idle": "metering the idle model",
    "prepare": "preparing requests",
    "warm up": "warming up",
    "measure": "measuring",
    "after idle": "metering the idle model again",
    "observe": "reading back settings",
    "close": "closing",
}

BAR_CELLS = 24
"""Width of a progress bar, in characters."""

NOTEBOOK_PERIOD_S = 0.2
"""Least time between two bars in a notebook, which travel to a browser and are stored there."""


class LiveProgress:
    """Shows phases and repetitions on stderr; plain lines where that is not a terminal."""

    def __init__(self, console: Console, display: Progress) -> None:
        self._console = console
        self._display = display
        self._task = display.add_task("", total=None, rate="")

    def phase(self, name: str, detail: str = "") -> None:
        """Show the phase; without a terminal, print it as a line."""
        text = _phase_text(name, detail)
        if not self._console.is_terminal:
            self._console.print(text, style="dim", highlight=False, soft_wrap=True)
            return
        self._display.reset(self._task, total=None, description=text, rate="")
        self._display.refresh()

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Show how far the windows are, the speed of the last window, and the present power."""
        if not self._console.is_terminal:
            return
        # The target precision can ask for more than the least duration: then the bar stays full.
        completed = min(done_s, wanted_s)
        rate = _rate_text(output_tokens_per_s, power_w)
        self._display.update(self._task, completed=completed, total=wanted_s, rate=rate)
        self._display.refresh()


@contextmanager
def live_progress() -> Iterator[LiveProgress]:
    """Show progress on stderr while the block runs."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=BAR_CELLS))
    with _display(*columns, TimeElapsedColumn()) as display:
        yield LiveProgress(display.console, display)


class _Stderr:
    """Standard error, which goes silent when its terminal is closed: a run does not fail for it."""

    def __init__(self) -> None:
        self._stream = sys.stderr

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _display(*columns: ProgressColumn) -> Progress:
    """Return a display of ``columns`` and the rate; it moves only when it is told to."""
    console = Console(file=cast("IO[str]", _Stderr()))
    return Progress(
        *columns,
        TextColumn("{task.fields[rate]}"),
        console=console,
        auto_refresh=False,
        transient=True,
        disable=not console.is_terminal,
    )


_QUIET_EVENTS = frozenset({"study-begun", "study-resumed", "study-finished", "run-started"})
"""Events without a line of their own: the display or the last line says the same."""


class StudyLive(LiveProgress):
    """Shows the study's bar above the bar of the present run; plain lines without a terminal."""

    def __init__(self, console: Console, display: Progress) -> None:
        self._study = display.add_task("", total=None, rate="")
        super().__init__(console, display)

    def run_begins(self, number: int, total: int, label: str, left_s: float) -> None:
        """Show which run begins, and how long the remaining runs will take."""
        left = f"{span(left_s)} left"
        if not self._console.is_terminal:
            self._line(f"run {number} of {total}: {label} ({left})")
            return
        self._display.update(
            self._study, completed=number - 1, total=total, description=label, rate=left
        )

    def journal_event(self, entry: Entry) -> None:
        """Print an event that the display does not show."""
        event, run = entry["event"], entry.get("run", "")
        if event in _QUIET_EVENTS:
            return
        text = entry["status"] if event == "run-finished" else event
        hidden = {"seq", "at", "event", "run", "position", "status", "valid"}
        details = ", ".join(f"{k}: {v}" for k, v in entry.items() if k not in hidden)
        self._line(" ".join(part for part in (run, text, details) if part))

    def _line(self, text: str) -> None:
        self._console.print(text, style="dim", highlight=False, soft_wrap=True)


@contextmanager
def study_live() -> Iterator[StudyLive]:
    """Show a study's progress on stderr while the block runs."""
    columns = (MofNCompleteColumn(), BarColumn(bar_width=BAR_CELLS))
    with _display(*columns, TextColumn("{task.description}")) as display:
        yield StudyLive(display.console, display)


class NotebookProgress:
    """Shows the present step as one line of a notebook, which the next step replaces."""

    def __init__(self) -> None:
        # A notebook's kernel is IPython; llem itself does not need it.
        display = import_module("IPython.display").display
        self._line = display({"text/plain": ""}, raw=True, display_id=True)
        self._run = ""
        self._next_bar_s = 0.0

    def phase(self, name: str, detail: str = "") -> None:
        """Show the phase."""
        self.show(_phase_text(name, detail))

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Show how far the windows are, the speed of the last window, and the present power."""
        if time.monotonic() < self._next_bar_s:
            return
        self._next_bar_s = time.monotonic() + NOTEBOOK_PERIOD_S
        done = BAR_CELLS if done_s >= wanted_s else int(BAR_CELLS * done_s / wanted_s)
        bar = "█" * done + "░" * (BAR_CELLS - done)
        self.show(f"{bar} {_rate_text(output_tokens_per_s, power_w)}")

    def run_begins(self, number: int, total: int, label: str, left_s: float) -> None:
        """Show which run begins, and how long the remaining runs will take."""
        self._run = f"run {number} of {total}: {label} ({span(left_s)} left): "

    def journal_event(self, entry: Entry) -> None:
        """Ignore the journal's entry: the study's folder keeps it."""

    def show(self, text: str) -> None:
        """Replace the line; an empty text clears it."""
        self._line.update({"text/plain": f"{self._run}{text}" if text else ""}, raw=True)


@contextmanager
def notebook_progress() -> Iterator[NotebookProgress]:
    """Show progress in the present cell while the block runs."""
    progress = NotebookProgress()
    try:
        yield progress
    finally:
        progress.show("")


TerminalProgress = TypeVar("TerminalProgress", bound=LiveProgress)


def interactive_progress(
    on_terminal: Callable[[], AbstractContextManager[TerminalProgress]], *, wanted: bool
) -> AbstractContextManager[TerminalProgress | NotebookProgress | NullStudyProgress]:
    """Return a display for a user who watches: on a terminal or in a notebook, if ``wanted``."""
    console = Console(stderr=True)
    if wanted and console.is_jupyter:
        return notebook_progress()
    if wanted and console.is_terminal:
        return on_terminal()
    return nullcontext(NullStudyProgress())


def _phase_text(name: str, detail: str) -> str:
    return " ".join(part for part in (_PHASES.get(name, name), detail) if part)


def _rate_text(output_tokens_per_s: float, power_w: float | None) -> str:
    text = f"{output_tokens_per_s:,.4g} output tokens/s"
    return text if power_w is None else f"{text}, {power_w:,.4g} W"
