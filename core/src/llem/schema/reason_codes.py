"""Reason codes: meaning, threshold, suggested fix, and whether they invalidate the outcome.

This catalog lists every code of core. A code that `invalidates` makes an outcome not valid; the
others are warnings. `measurement.thresholds.allow` turns a reason into a warning, too, if it says
that a figure is beyond a threshold: that is a matter of judgment. What failed, what was made up and
what was not measured stays invalid. Codes of errors (see ``llem.errors``) and a backend's own codes
always invalidate.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from llem.schema.outcome import Reason, Verdict


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """An entry of the catalog.

    Attributes:
        code: Stable identifier.
        subject: ``windows``, ``energy``, ``devices`` or ``work``.
        meaning: The finding that the code stands for.
        hint: What to do.
        threshold: Dotted path of the field that sets its threshold, or empty.
        invalidates: Whether the reason makes an outcome not valid.
        by_choice: Whether an experiment may be about it although it has no threshold.
    """

    code: str
    subject: str
    meaning: str
    hint: str
    threshold: str = ""
    invalidates: bool = True
    by_choice: bool = False

    @property
    def is_allowable(self) -> bool:
        """Whether `measurement.thresholds.allow` may name it."""
        return self.invalidates and (bool(self.threshold) or self.by_choice)


CATALOG: tuple[ReasonCode, ...] = (
    ReasonCode(
        "window-too-short",
        "windows",
        "The windows are shorter or fewer than requested, or hold few updates of a meter.",
        "Raise `measurement.max_duration_s`, `max_repetitions` or `workload.requests`.",
        "measurement.thresholds.min_update_periods",
    ),
    ReasonCode(
        "precision-not-reached",
        "windows",
        "Repetition reached a cap before the 95 % interval of J/token (of the duration where "
        "energy is unavailable) was narrow enough; or the readings leave a command's energy too "
        "uncertain.",
        "Raise `measurement.max_duration_s` (measure a longer command), stop other work on the "
        "machine, or raise `measurement.target_ci_ratio`.",
        "measurement.target_ci_ratio",
    ),
    ReasonCode(
        "warmup-not-converged",
        "windows",
        "Warm-up reached a cap before its repetitions were stable.",
        "Raise `measurement.warmup.max_repetitions` or `max_duration_s`, or choose another "
        "`measurement.warmup.strategy`.",
        "measurement.warmup.stable_within_ratio",
    ),
    ReasonCode(
        "device-unmetered",
        "energy",
        "No meter reads a device that the engine used (for a command, a device of this machine): "
        "its energy is missing.",
        "Run `llem meters`: it says what each meter needs. If a command does not use the device, "
        "name the other meters with `--meters`.",
    ),
    ReasonCode(
        "meter-lost",
        "energy",
        "A meter's readings do not cover the windows, so its energy is unavailable.",
        "Measure again; check whether another program uses or resets the meter.",
    ),
    ReasonCode(
        "device-lost",
        "energy",
        "A device stopped answering during the run, so its energy is unavailable.",
        "Check the device's health (`nvidia-smi`, `dmesg`) and measure again.",
    ),
    ReasonCode(
        "sampling-gap",
        "energy",
        "Too much of the window time has no readings: at any place for power, at a window's edge "
        "for a counter.",
        "Leave some processor time idle, or raise `measurement.sample_period_s`.",
        "measurement.thresholds.max_gap_ratio",
    ),
    ReasonCode(
        "meter-disagreement",
        "energy",
        "Two meters of a domain, or two sources of one meter, differ by more than the threshold "
        "and than their uncertainties explain. Only the more trusted source counts.",
        "Find the wrong meter, and name the right one in `measurement.meters`; for two sources of "
        "one meter, update the driver or use another meter.",
        "measurement.thresholds.max_meter_difference_ratio",
    ),
    ReasonCode(
        "beyond-power-limit",
        "energy",
        "The mean power of a domain exceeds what the device may draw: its enforced limit, the "
        "maximum that the processor states, or the greatest power of any such device.",
        "The source is wrong: update the driver, or use another meter. Raise the threshold if the "
        "limit was changed while llem measured.",
        "measurement.thresholds.max_power_limit_ratio",
    ),
    ReasonCode(
        "foreign-load",
        "devices",
        "Other programs kept the processors busy, in the windows or while idle power was metered. "
        "A CPU's energy contains theirs.",
        "Stop the other programs, or measure on a machine without other users.",
        "measurement.thresholds.max_foreign_load_ratio",
    ),
    ReasonCode(
        "throttled",
        "devices",
        "Heat or a hardware limit reduced a device's clocks in the windows.",
        "Improve cooling, or set a power limit or clock that the device can hold.",
        "measurement.thresholds.max_throttled_ratio",
    ),
    ReasonCode(
        "foreign-process",
        "devices",
        "A process of another program computed on a device of the run.",
        "Stop the other process, or choose another device with `CUDA_VISIBLE_DEVICES`.",
        by_choice=True,
    ),
    ReasonCode(
        "effective-differs",
        "work",
        "The engine used another value than the plan requested.",
        "Compare `plan` and `effective`; request a value that the engine supports.",
    ),
    ReasonCode(
        "workload-not-done",
        "work",
        "Requests did not come back, or have another output length than the workload promises: "
        "exact where EOS is ignored, otherwise shorter only by an EOS or a stop text.",
        "Find the limit that ended them in `effective` (time, length of the context), and raise "
        "it.",
    ),
    ReasonCode(
        "prefix-cache-hits",
        "work",
        "The engine took prompt tokens from a cache instead of computing them.",
        "Turn off its prefix cache, or use prompts without a common beginning.",
    ),
    ReasonCode(
        "compile-failed",
        "work",
        "Compilation was requested and failed, so the model ran without it.",
        "Read `log_tail`; fix the cause, or turn compilation off.",
    ),
    ReasonCode(
        "beyond-roofline",
        "work",
        "The work needs more arithmetic per second than the devices can do in any format: part of "
        "it was not done or not timed.",
        "Check for cached prompts, skipped layers or a wrong clock; report a bug.",
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
        "Another tool measured the figures; llem read its file and cannot verify them.",
        "Measure with llem, or compare with `llem compare --allow imported`.",
    ),
    ReasonCode(
        "imported-in-part",
        "work",
        "The file of another tool holds less than it seems: failed requests, numbers that are "
        "none, or figures that the tool itself calls wrong.",
        "Read the message, and repeat the run with that tool where the missing part matters.",
        invalidates=False,
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
        "A better source of a domain's energy failed, and the next source replaced it.",
        "No action needed if the stated uncertainty is small enough.",
        invalidates=False,
    ),
    ReasonCode(
        "counter-reset",
        "energy",
        "An energy counter went back within a window. Power readings replace it there "
        "(`meter-fallback`); without them energy is unavailable.",
        "Measure again; reloading a driver resets its counters.",
        invalidates=False,
    ),
    ReasonCode(
        "counter-stuck",
        "energy",
        "A source stood still while the device was on: a counter did not move, or power read 0 W "
        "throughout. It is not used for that time.",
        "Use another meter; the driver does not count here, as on some virtual GPUs.",
        invalidates=False,
    ),
    ReasonCode(
        "readings-missed",
        "energy",
        "Some readings within the windows failed; interpolation bridged them.",
        "No action needed; each row reports its count.",
        invalidates=False,
    ),
    ReasonCode(
        "readings-rejected",
        "energy",
        "Single readings lie far beyond what the device can draw. They are left out; the readings "
        "beside them bridge the time.",
        "No action needed; report them to the vendor if they recur.",
        invalidates=False,
    ),
    ReasonCode(
        "domain-ignored",
        "energy",
        "A domain has no energy, or less than the domains it contains (a platform counter that the "
        "manufacturer did not connect). It does not count; what it contains counts.",
        "No action needed; the totals name the domains that count.",
        invalidates=False,
    ),
    ReasonCode(
        "meter-unusable",
        "energy",
        "A better meter is on this machine and cannot be used, so a lesser one replaced it.",
        "Do what the message says, then measure again.",
        invalidates=False,
    ),
    ReasonCode(
        "readings-unused",
        "energy",
        "A named meter reads a device that the engine did not use, so its readings do not count.",
        "Name the device as the engine does (`llem meters` lists the ids), or begin its name with "
        "`host` if it is part of this machine.",
        invalidates=False,
    ),
    ReasonCode(
        "children-running",
        "work",
        "Processes that the command started still ran when it had ended; their later energy is not "
        "in the figures.",
        "Let the command wait for them, or end them in it.",
        invalidates=False,
    ),
    ReasonCode(
        "idle-drift",
        "energy",
        "Idle power changed, so net energy depends on when it was metered.",
        "Let the machine settle, meter idle power for longer, or stop background work.",
        "measurement.thresholds.max_idle_drift_ratio",
        invalidates=False,
    ),
    ReasonCode(
        "negative-net",
        "energy",
        "Net energy is below zero by more than twice its uncertainty: the machine used more power "
        "when idle than under load.",
        "Stop background work, and meter idle power for longer.",
        invalidates=False,
    ),
    ReasonCode(
        "baseline-stale",
        "energy",
        "A kept idle power was too old or had changed, so it was metered again.",
        "No action needed; raise `measurement.baseline.reuse_s` to reuse it for longer.",
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
        "A device warmed up within the windows; leakage grows with temperature.",
        "Warm up for longer.",
        "measurement.thresholds.max_temperature_rise_c",
        invalidates=False,
    ),
    ReasonCode(
        "partitioned-device",
        "devices",
        "The device is split into instances (MIG); the energy is that of all instances.",
        "Use a device without instances, or keep the other instances idle.",
        invalidates=False,
    ),
    ReasonCode(
        "truncated-prompts",
        "work",
        "Prompts were cut to `workload.max_input_tokens`.",
        "Raise that limit if the experiment needs whole prompts.",
        invalidates=False,
    ),
    ReasonCode(
        "prompts-remark",
        "work",
        "The source of the prompts holds what the workload does not use, such as arrival times.",
        "No action needed if that was meant; the message names the setting that changes it.",
        invalidates=False,
    ),
    ReasonCode(
        "beyond-context",
        "work",
        "A request takes more tokens than the model's config.json states positions.",
        "Shorten prompts or outputs, or let the engine extend the context; else the run is refused "
        "after loading.",
        invalidates=False,
    ),
    ReasonCode(
        "model-defaults-unused",
        "work",
        "The checkpoint's generation defaults ask for another decoding than the experiment, and "
        "llem decodes without them, on every backend alike.",
        "Set in `decoder` or in the backend's section what the experiment needs of them.",
        invalidates=False,
    ),
    ReasonCode(
        "observer-failed",
        "work",
        "An observer plugin failed at the start of the run.",
        "Fix or remove the plugin; the figures are not affected.",
        invalidates=False,
    ),
)
"""Every code; those that invalidate come first."""

_WARNINGS = frozenset(entry.code for entry in CATALOG if not entry.invalidates)

ALLOWABLE = frozenset(entry.code for entry in CATALOG if entry.is_allowable)
"""Codes that `measurement.thresholds.allow` may name."""


def decide_verdict(
    reasons: Iterable[Reason], allow: Collection[str] = ()
) -> tuple[Verdict, tuple[Reason, ...]]:
    """Return the verdict that follows from ``reasons``, and the reasons that are only warnings.

    Args:
        reasons: All reasons found; duplicates are dropped.
        allow: Codes that count as warnings in this experiment; only those of :data:`ALLOWABLE` do.
    """
    warnings_here = _WARNINGS | (ALLOWABLE & set(allow))
    unique = list(dict.fromkeys(reasons))
    invalidating = [reason for reason in unique if reason.code not in warnings_here]
    warnings = tuple(reason for reason in unique if reason not in invalidating)
    return Verdict(valid=not invalidating, reasons=tuple(invalidating)), warnings
