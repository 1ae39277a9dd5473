"""Measure any command: `llem meter`."""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType

import psutil
from pydantic_core import to_jsonable_python

from llem.api.meters import Series
from llem.config.redact import redact
from llem.energy.compute_energy import compute_energy
from llem.energy.energy_rows import IdlePeriods, energy_rows
from llem.energy.integrate import peak_w
from llem.energy.precision import too_uncertain
from llem.energy.reasons import conditions
from llem.errors import CommandNotFound, CommandRefused
from llem.registry import Registry
from llem.run.metering import (
    ChosenMeters,
    CpuTime,
    choose_meters,
    foreign_processes,
    load_reasons,
    sampling,
)
from llem.run.sampler import Sampler
from llem.schema.energy import CommandPower, CommandWindow
from llem.schema.measurement import MeasurementConfig
from llem.schema.outcome import CommandOutcome, Overhead, Reason
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
        foreign_ratio: Share of the processors' time that other programs used in between.
        still_running: Processes that it started and that have not ended, by id.
    """

    started_s: float
    finished_s: float
    cpu_s: float
    exit_code: int
    foreign_ratio: float
    still_running: dict[int, str]


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
    with _signals_kept() as kept, _orphans_kept():
        before = CpuTime.now()
        cpu_s, started_s = time.process_time(), time.monotonic()
        try:
            process = subprocess.Popen(command)
        except OSError as error:
            raise _refusal(command[0], error) from None
        kept.give_to(process)
        returncode = process.wait()
        finished_s, cpu_s = time.monotonic(), time.process_time() - cpu_s
        running = _still_running()
        foreign_ratio = before.foreign_ratio(CpuTime.now(running))
    exit_code = returncode if returncode >= 0 else 128 - returncode
    return ChildRun(started_s, finished_s, cpu_s, exit_code, foreign_ratio, running)


_PR_SET_CHILD_SUBREAPER = 36


@contextmanager
def _orphans_kept() -> Iterator[None]:
    """Let the kernel make this process the parent of what the command leaves behind.

    Source: Linux ``prctl(2)``, PR_SET_CHILD_SUBREAPER. Elsewhere nothing is kept.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        with suppress(AttributeError, OSError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _still_running() -> dict[int, str]:
    """Return name by id of the processes below this process, and take leave of ended orphans."""
    running = {}
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error, ChildProcessError):
            if process.status() != psutil.STATUS_ZOMBIE:
                running[process.pid] = process.name()
            elif process.ppid() == os.getpid():
                os.waitpid(process.pid, os.WNOHANG)
    return running


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
    chosen = choose_meters(registry, measurement)
    loads: dict[str, float] = {}
    with sampling(chosen.meters, measurement.sample_period_s) as sampler:
        idle = None
        time.sleep(sampler.settle_s)
        if idle_s > 0:
            say(f"metering the idle machine for {idle_s:g} s")
            before = CpuTime.now()
            idle = (started_s := time.monotonic(), started_s + idle_s)
            time.sleep(idle_s)
            loads["idle time before"] = before.foreign_ratio(CpuTime.now())
        started_at = datetime.now(UTC).isoformat(timespec="seconds")
        run = run_child(command)
        loads["window"] = run.foreign_ratio
        time.sleep(sampler.settle_s)
        sampler.stop()
    remarks = [*_unmetered(chosen, sampler), *_left_behind(run)]
    outcome = _outcome(command, run, started_at, sampler, idle, loads, remarks, measurement)
    return outcome, sampler.series()


def _unmetered(chosen: ChosenMeters, sampler: Sampler) -> Iterator[Reason]:
    """Yield a reason for each device of this machine that is here and is not read."""
    for finding in chosen.warnings:
        yield Reason(code=finding.code, message=finding.message)
    for kind, why in chosen.unmetered.items():
        yield Reason(code="device-unmetered", message=f"a {kind} device is not read: {why}")
    read = {f"{series.channel.device} {series.channel.domain}" for series in sampler.series()}
    for device, why in sampler.unreadable().items():
        code = "meter-unusable" if device in read else "device-unmetered"
        yield Reason(code=code, message=f"{device}: {why}")


def _left_behind(run: ChildRun) -> Iterator[Reason]:
    if run.still_running:
        names = ", ".join(f"{name} ({pid})" for pid, name in run.still_running.items())
        message = f"processes of the command still run, and their later energy is missing: {names}"
        yield Reason(code="children-running", message=message)


def _outcome(
    command: Sequence[str],
    run: ChildRun,
    started_at: str,
    sampler: Sampler,
    idle: Span | None,
    loads: Mapping[str, float],
    remarks: Sequence[Reason],
    measurement: MeasurementConfig,
) -> CommandOutcome:
    span, thresholds = (run.started_s, run.finished_s), measurement.thresholds
    series, states = sampler.series(), sampler.states()
    duration_s = run.finished_s - run.started_s
    # Processes of the command have ended with it, or are known to run still.
    foreign = foreign_processes(states, run.still_running, run.started_s)
    rows = energy_rows(series, [span], IdlePeriods(bare=idle))
    energy, reasons = compute_energy(
        rows, conditions=conditions(states, [span], foreign), thresholds=thresholds
    )
    reasons += [
        *remarks,
        *load_reasons(loads, rows.counted, thresholds),
        *too_uncertain(energy, measurement.target_ci_ratio),
    ]
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
