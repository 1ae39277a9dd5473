"""Measure any command: `llem meter`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from llem import __version__
from llem.api.command import CommandOutcome, Power, Window
from llem.api.config import LimitsConfig, MeasurementConfig
from llem.api.meter import DeviceState, Series
from llem.api.outcome import SelfCost
from llem.api.verdict import judge
from llem.config.redact import redact
from llem.measure.energy import account
from llem.measure.peak_power import peak_w
from llem.measure.rows import first_choices
from llem.registry import Registry
from llem.run.child import ChildRun, require_command, run_child
from llem.run.devices import foreign_processes
from llem.run.metering import choose_meters, sampling

PEAK_OVER_S = 1.0
"""Time over which peak power is a mean: ten periods of the slowest counters in use."""

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
        registry: Where meters come from.
        measurement: Which meters, how often, and what they need to know.
        idle_s: How long the machine's idle power is metered before; 0 leaves net energy out.
        say: Told what is being waited for.

    Returns:
        What was measured, and the readings behind it.

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
    return _outcome(command, run, started_at, series, states, idle, measurement.limits), series


def _outcome(
    command: Sequence[str],
    run: ChildRun,
    started_at: str,
    series: Sequence[Series],
    states: Sequence[DeviceState],
    idle: Span | None,
    limits: LimitsConfig,
) -> CommandOutcome:
    span = (run.started_s, run.finished_s)
    duration_s = run.finished_s - run.started_s
    # Whatever of the command's computed on a device has ended with it: what still runs is not its.
    foreign = foreign_processes(states, (), run.started_s)
    energy, reasons, _ = account(
        series, [span], bare=idle, states=states, foreign=foreign, limits=limits
    )
    verdict, warnings = judge(reasons, limits.accept)
    counted = {(row.id, row.domain, row.meter) for row in energy.devices if row.counted_in_total}
    of_total = [
        one
        for one in first_choices(series)
        if (one.channel.device, one.channel.domain, one.meter) in counted
    ]
    over_s = min(PEAK_OVER_S, duration_s)
    outcome = CommandOutcome(
        llem_version=__version__,
        started_at=started_at,
        command=tuple(command),
        exit_code=run.exit_code,
        verdict=verdict,
        warnings=warnings,
        window=Window(
            start_monotonic_s=run.started_s, end_monotonic_s=run.finished_s, duration_s=duration_s
        ),
        energy=energy,
        power=Power(
            mean_w=energy.mean_w, peak_w=peak_w(of_total, span, over_s), peak_over_s=over_s
        ),
        self_cost=SelfCost(cpu_s=run.cpu_s, cpu_ratio=run.cpu_s / duration_s),
    )
    return CommandOutcome.model_validate(redact(outcome.model_dump(mode="json")))
