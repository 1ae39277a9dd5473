"""Progress of runs and studies: bars for people, lines for logs, JSON for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from llem.study.journal import Entry
from llem.study.plan_summary import span

_PHASES = {
    "bare idle": "metering the idle machine",
    "start": "starting the worker",
    "open": "loading",
    "loaded idle": "metering the idle model",
    "prepare": "preparing requests",
    "warm up": "warming up",
    "measure": "measuring",
    "observe": "reading back settings",
    "close": "closing",
}


class LiveProgress:
    """Shows phases and repetitions on stderr; plain lines where that is not a terminal."""

    def __init__(self, console: Console, display: Progress) -> None:
        self._console = console
        self._display = display
        self._task = display.add_task("", total=None, rate="")

    def phase(self, name: str, detail: str = "") -> None:
        """Show the phase; without a terminal, print it as a line."""
        text = " ".join(part for part in (_PHASES.get(name, name), detail) if part)
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
        rate = f"{output_tokens_per_s:,.4g} output tokens/s"
        if power_w is not None:
            rate += f", {power_w:,.4g} W"
        # The target precision can ask for more than the least duration: then the bar stays full.
        completed = min(done_s, wanted_s)
        self._display.update(self._task, completed=completed, total=wanted_s, rate=rate)
        self._display.refresh()


@contextmanager
def live_progress() -> Iterator[LiveProgress]:
    """Show progress on stderr while the block runs."""
    console = Console(stderr=True)
    display = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        TimeElapsedColumn(),
        TextColumn("{task.fields[rate]}"),
        console=console,
        auto_refresh=False,
        transient=True,
        disable=not console.is_terminal,
    )
    with display:
        yield LiveProgress(console, display)


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


class JsonEvents:
    """Prints one JSON line for each step, phase and repetition."""

    def phase(self, name: str, detail: str = "") -> None:
        """Print the phase."""
        _print({"event": "phase", "phase": name, "detail": detail})

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Print how far the windows are."""
        _print(
            {
                "event": "repetition",
                "done_s": done_s,
                "wanted_s": wanted_s,
                "output_tokens_per_s": output_tokens_per_s,
                "power_w": power_w,
            }
        )

    def run_begins(self, number: int, total: int, label: str, left_s: float) -> None:
        """Print which run begins."""
        _print(
            {
                "event": "run-begins",
                "number": number,
                "total": total,
                "label": label,
                "left_s": left_s,
            }
        )

    def journal_event(self, entry: Entry) -> None:
        """Print the journal's entry as it is."""
        _print(entry)


@contextmanager
def study_live() -> Iterator[StudyLive]:
    """Show a study's progress on stderr while the block runs."""
    console = Console(stderr=True)
    display = Progress(
        MofNCompleteColumn(),
        BarColumn(bar_width=24),
        TextColumn("{task.description}"),
        TextColumn("{task.fields[rate]}"),
        console=console,
        auto_refresh=False,
        transient=True,
        disable=not console.is_terminal,
    )
    with display:
        yield StudyLive(console, display)


def _print(event: dict[str, Any]) -> None:
    click.echo(json.dumps(event, ensure_ascii=False))
