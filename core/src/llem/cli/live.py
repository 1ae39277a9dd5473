"""The progress display of ``llem run``: moves between windows only, so it costs nothing inside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

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
        """Show the phase, and print a line for readers of a log."""
        text = " ".join(part for part in (_PHASES.get(name, name), detail) if part)
        if not self._console.is_terminal:
            self._console.print(text, style="dim", highlight=False, soft_wrap=True)
            return
        self._display.reset(self._task, total=None, description=text, rate="")
        self._display.refresh()

    def repetition(
        self, done_s: float, wanted_s: float, output_tokens_per_s: float, power_w: float | None
    ) -> None:
        """Show how far the windows are, how fast the last one was, and the present power."""
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
