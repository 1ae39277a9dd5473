"""Every reason code: what it means, from where on it is given, what to do, and what it costs.

The one place where codes are listed. A code that `invalidates` makes an outcome not valid; any
other one is a warning. `measurement.thresholds.allow` turns a reason into a warning, too. Codes of
errors (see ``llem.errors``) and codes of a backend's own always invalidate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llem.schema.outcome import Reason, Verdict


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """One entry of the catalogue.

    Attributes:
        code: Stable identifier.
        subject: What it is about: ``windows``, ``energy``, ``devices`` or ``work``.
        meaning: When it is given.
        hint: What to do about it.
        limit: Dotted path of the field that sets its threshold, or empty.
        invalidates: Whether an outcome with this reason is not valid.
    """

    code: str
    subject: str
    meaning: str
    hint: str
    limit: str = ""
    invalidates: bool = True


CATALOGUE: tuple[ReasonCode, ...] = (
    ReasonCode(
        "window-too-short",
        "windows",
        "The windows are shorter or fewer than asked for, or hold few updates of a meter.",
        "Raise `measurement.max_duration_s` or `max_repetitions`, or ask for more requests.",
        "measurement.thresholds.min_update_periods",
    ),
    ReasonCode(
        "precision-not-reached",
        "windows",
        "A cap was reached before the 95 % interval of J/token (of the duration where energy is "
        "unavailable) was narrow enough.",
        "Raise `measurement.max_duration_s`, leave the machine alone, or accept a wider interval.",
        "measurement.target_ci_ratio",
    ),
    ReasonCode(
        "warmup-not-converged",
        "windows",
        "A cap of the warm-up was reached before its repetitions were stable.",
        "Raise `measurement.warmup.max_repetitions` or `max_duration_s`, or choose another "
        "`measurement.warmup.strategy`.",
        "measurement.warmup.stable_within_ratio",
    ),
    ReasonCode(
        "device-unmetered",
        "energy",
        "The engine used a device that no meter reads, so the energy does not include it.",
        "`llem meters` says what is missing.",
    ),
    ReasonCode(
        "meter-lost",
        "energy",
        "A meter's readings do not cover the windows, so its energy is unavailable.",
        "Measure again; look at what else the meter's users do.",
    ),
    ReasonCode(
        "device-lost",
        "energy",
        "A device stopped answering during the run, so its energy is unavailable.",
        "Look at the device's health (`nvidia-smi`, `dmesg`) and measure again.",
    ),
    ReasonCode(
        "sampling-gap",
        "energy",
        "Too much of the window time lies in stretches without readings that matter: anywhere for "
        "power, at a window's edge for a counter.",
        "Leave the machine some idle processor time, or set a longer "
        "`measurement.sample_period_s`.",
        "measurement.thresholds.max_gap_ratio",
    ),
    ReasonCode(
        "meter-disagreement",
        "energy",
        "Two meters of one domain differ by more than the limit and than their uncertainties "
        "explain. Only the more trusted one is counted.",
        "Find out which one is wrong, and name the right one in `measurement.meters`.",
        "measurement.thresholds.max_meter_difference_ratio",
    ),
    ReasonCode(
        "throttled",
        "devices",
        "A device's clocks were held down by heat or by a hardware limit in the windows.",
        "Improve cooling, or set a lower power limit or clock that the device can hold.",
        "measurement.thresholds.max_throttled_ratio",
    ),
    ReasonCode(
        "foreign-process",
        "devices",
        "A process that does not belong to the run computed on a device it used.",
        "Keep the device to yourself, or choose another with `CUDA_VISIBLE_DEVICES`.",
    ),
    ReasonCode(
        "effective-differs",
        "work",
        "A value that the plan asks for is not the one that was in force.",
        "Compare `plan` and `effective`; ask for what the engine can do.",
    ),
    ReasonCode(
        "prefix-cache-hits",
        "work",
        "The engine took prompt tokens from a cache instead of computing them.",
        "Switch its prefix cache off, or use prompts that share nothing.",
    ),
    ReasonCode(
        "compile-failed",
        "work",
        "Compilation was asked for and failed, so the model ran without it.",
        "See `log_tail`; switch compilation off or mend what it stumbles over.",
    ),
    ReasonCode(
        "beyond-roofline",
        "work",
        "The work takes more arithmetic per second than the devices used can do in any format, so "
        "that some of it was not done or not timed.",
        "Look for cached prompts, skipped layers or a clock that is wrong; report it as a bug.",
    ),
    ReasonCode(
        "simulated-engine",
        "work",
        "No engine ran: the figures are made up.",
        "Use a backend with an engine.",
    ),
    ReasonCode(
        "imported",
        "work",
        "Another tool measured the figures; llem read its file and can vouch for none of them.",
        "Measure it with llem; `llem compare --allow imported` sets it beside what llem measured.",
    ),
    ReasonCode(
        "interrupted",
        "work",
        "The user stopped the experiment.",
        "Run it again.",
    ),
    ReasonCode(
        "meter-fallback",
        "energy",
        "A better source of a domain's energy did not work, and the next best one was used.",
        "Nothing, if the stated uncertainty is good enough.",
        invalidates=False,
    ),
    ReasonCode(
        "counter-reset",
        "energy",
        "An energy counter went back within a window, so what it says is not used there. Where "
        "power was read beside it, that stands in (`meter-fallback`); else energy is unavailable.",
        "Measure again; a driver that is reloaded resets its counters.",
        invalidates=False,
    ),
    ReasonCode(
        "counter-stuck",
        "energy",
        "An energy counter stood still while the device was on, so what it says is not used.",
        "The driver does not count here (some virtual GPUs do not); use another meter.",
        invalidates=False,
    ),
    ReasonCode(
        "readings-missed",
        "energy",
        "Some readings within the windows failed and were bridged.",
        "Nothing; each row says how many.",
        invalidates=False,
    ),
    ReasonCode(
        "idle-drift",
        "energy",
        "Idle power changed, so net energy depends on when idle was metered.",
        "Let the machine settle, meter idle for longer, or look for background work.",
        "measurement.thresholds.max_idle_drift_ratio",
        invalidates=False,
    ),
    ReasonCode(
        "negative-net",
        "energy",
        "Net energy is below zero by more than twice its uncertainty: the machine used more when "
        "idle than under load.",
        "Look for background work while idle was metered; meter idle for longer.",
        invalidates=False,
    ),
    ReasonCode(
        "baseline-stale",
        "energy",
        "A reused idle power was too old or did not fit this run, and idle was metered again.",
        "Nothing; or set a longer `measurement.baseline.reuse_s`.",
        "measurement.baseline.reuse_s",
        invalidates=False,
    ),
    ReasonCode(
        "clock-unstable",
        "devices",
        "A device's core clock varied within the windows.",
        "Lock the clocks (`nvidia-smi --lock-gpu-clocks`), or warm up for longer.",
        "measurement.thresholds.max_clock_spread_ratio",
        invalidates=False,
    ),
    ReasonCode(
        "temperature-unstable",
        "devices",
        "A device was still warming up within the windows; leakage grows with temperature.",
        "Warm up for longer.",
        "measurement.thresholds.max_temperature_rise_c",
        invalidates=False,
    ),
    ReasonCode(
        "partitioned-device",
        "devices",
        "The device is split into instances (MIG); its energy is that of all of them.",
        "Use a device that is not partitioned, or keep the other instances idle.",
        invalidates=False,
    ),
    ReasonCode(
        "truncated-prompts",
        "work",
        "Prompts were cut to `workload.max_input_tokens`.",
        "Raise that limit if the whole prompts matter.",
        invalidates=False,
    ),
    ReasonCode(
        "observer-failed",
        "work",
        "A plugin that wanted to know of the run failed when it began.",
        "Nothing for the figures; mend or remove that plugin.",
        invalidates=False,
    ),
)
"""Every code, those that invalidate first."""

_WARNINGS = frozenset(entry.code for entry in CATALOGUE if not entry.invalidates)


def decide_verdict(
    reasons: Iterable[Reason], allow: Collection[str] = ()
) -> tuple[Verdict, tuple[Reason, ...]]:
    """Return the verdict that follows from ``reasons``, and those that are only warnings.

    Args:
        reasons: Everything that was found; of several with one message, the first is kept.
        allow: Codes that the user takes as warnings.
    """
    from llem.schema.outcome import Verdict

    once = list(dict.fromkeys(reasons))
    against = [one for one in once if one.code not in _WARNINGS and one.code not in allow]
    warnings = tuple(one for one in once if one not in against)
    return Verdict(valid=not against, reasons=tuple(against)), warnings
