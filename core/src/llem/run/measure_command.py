"""Measure any command: `llem meter`."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType

from pydantic_core import to_jsonable_python

from llem.api.meters import DeviceState, Series
from llem.config.redact import redact
from llem.energy.compute_energy import compute_energy
from llem.energy.conditions import conditions
from llem.energy.energy_rows import IdlePeriods, energy_rows
from llem.energy.integrate import peak_w
from llem.errors import CommandNotFound, CommandRefused
from llem.registry import Registry
from llem.run.metering import choose_meters, foreign_processes, sampling
from llem.schema.energy import CommandPower
from llem.schema.measurement import MeasurementConfig, ThresholdsConfig
from llem.schema.outcome import CommandOutcome, CommandWindow, Overhead
from llem.schema.reason_codes import decide_verdict
from llem.version import __version__

FORWARDED = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    if hasattr(signal, name)
)
"""Signals that llem passes on to the command."""


@dataclass(frozen=True, slots=True)
class ChildRun:
    """A command that has ended.

    Attributes:
        started_s: Monotonic time just before its start.
        finished_s: Monotonic time just after its end.
        cpu_s: Processor time of this process in between.
        exit_code: Its exit code, or 128 and the number of the signal that ended it.
    """

    started_s: float
    finished_s: float
    cpu_s: float
    exit_code: int


def require_command(name: str) -> None:
    """Refuse a command that does not exist, before any waiting.

    Raises:
        CommandNotFound: There is no such program.
    """
    if shutil.which(name) is None and not os.path.lexists(name):
        raise CommandNotFound(
            f"there is no command {name!r}",
            hint="A shell's own commands and pipes need the shell: llem meter -- sh -c '…'.",
        )


def run_child(command: Sequence[str]) -> ChildRun:
    """Run ``command`` to its end, with this process's streams and environment.

    Signals to this process are passed on, except signals that a terminal sends to both: the
    command has those already.

    Raises:
        CommandNotFound: There is no such program.
        CommandRefused: It cannot be executed.
    """
    with _signals_kept() as kept:
        cpu_s, started_s = time.process_time(), time.monotonic()
        try:
            process = subprocess.Popen(command)
        except OSError as error:
            raise _refusal(command[0], error) from None
        kept.give_to(process)
        returncode = process.wait()
        finished_s, cpu_s = time.monotonic(), time.process_time() - cpu_s
    exit_code = returncode if returncode >= 0 else 128 - returncode
    return ChildRun(started_s, finished_s, cpu_s, exit_code)


def _refusal(name: str, error: OSError) -> CommandRefused:
    if error.errno == errno.ENOENT:
        return CommandNotFound(f"there is no command {name!r}")
    return CommandRefused(f"{name!r} cannot be executed: {error.strerror}")


class _Mailbox:
    """Passes signals on to a process, and keeps them until it is started."""

    def __init__(self) -> None:
        self._waiting: list[int] = []
        self._process: subprocess.Popen[bytes] | None = None

    def put(self, signum: int, frame: FrameType | None) -> None:
        if signum in (signal.SIGINT, signal.SIGQUIT) and _is_in_foreground():
            return
        if self._process is None:
            self._waiting.append(signum)
        else:
            self._process.send_signal(signum)

    def give_to(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        for signum in self._waiting:
            process.send_signal(signum)


@contextmanager
def _signals_kept() -> Iterator[_Mailbox]:
    mailbox = _Mailbox()
    before = {signum: signal.signal(signum, mailbox.put) for signum in FORWARDED}
    try:
        yield mailbox
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _is_in_foreground() -> bool:
    """Return whether a terminal sends its signals to both this process and the command."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


PEAK_OVER_S = 1.0
"""Time over which peak power is averaged: ten periods of the slowest counters in use."""

Span = tuple[float, float]


def measure_command(
    command: Sequence[str],
    registry: Registry,
    measurement: MeasurementConfig,
    *,
    idle_s: float,
    say: Callable[[str], None],
) -> tuple[CommandOutcome, list[Series]]:
    """Run ``command`` with the meters running.

    Args:
        command: Program and arguments; nothing is read by a shell.
        registry: The installed plugins.
        measurement: Which meters are used, how often they are read, and their options.
        idle_s: How long idle power is metered before; 0 leaves net energy out.
        say: Receives a line that says what llem waits for.

    Returns:
        The outcome, and its readings.

    Raises:
        ConfigInvalid: A meter does not exist or does not work here.
        CommandRefused: The command cannot be started.
    """
    require_command(command[0])
    meters = choose_meters(registry, measurement)
    with sampling(meters, measurement.sample_period_s) as sampler:
        idle = None
        time.sleep(sampler.settle_s)
        if idle_s > 0:
            say(f"metering the idle machine for {idle_s:g} s")
            idle = (started_s := time.monotonic(), started_s + idle_s)
            time.sleep(idle_s)
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        run = run_child(command)
        time.sleep(sampler.settle_s)
        sampler.stop()
        series, states = sampler.series(), sampler.states()
    return _outcome(command, run, started_at, series, states, idle, measurement.thresholds), series


def _outcome(
    command: Sequence[str],
    run: ChildRun,
    started_at: str,
    series: Sequence[Series],
    states: Sequence[DeviceState],
    idle: Span | None,
    thresholds: ThresholdsConfig,
) -> CommandOutcome:
    span = (run.started_s, run.finished_s)
    duration_s = run.finished_s - run.started_s
    # Processes of the command have ended with it, so those that still run are foreign.
    foreign = foreign_processes(states, (), run.started_s)
    rows = energy_rows(series, [span], IdlePeriods(bare=idle))
    energy, reasons = compute_energy(
        rows, conditions=conditions(states, [span], foreign), thresholds=thresholds
    )
    verdict, warnings = decide_verdict(reasons, thresholds.allow)
    counted = [row.sources for row in rows.counted]
    over_s = min(PEAK_OVER_S, duration_s)
    parts = {
        "llem_version": __version__,
        "started_at": started_at,
        "command": command,
        "exit_code": run.exit_code,
        "verdict": verdict,
        "warnings": warnings,
        "window": CommandWindow(
            start_monotonic_s=run.started_s, end_monotonic_s=run.finished_s, duration_s=duration_s
        ),
        "energy": energy,
        "power": CommandPower(
            mean_w=energy.mean_w, peak_w=peak_w(counted, span, over_s), peak_window_s=over_s
        ),
        "overhead": Overhead(cpu_s=run.cpu_s, cpu_ratio=run.cpu_s / duration_s),
    }
    return CommandOutcome.model_validate(redact(to_jsonable_python(parts)))
