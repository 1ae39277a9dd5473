"""Whether two sides did the same work on the same thing, so that a difference means something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from llem.report.load_outcomes import IMPORTED
from llem.schema.outcome import Imported, Outcome


class Mismatch(NamedTuple):
    """One respect in which two sides are not alike.

    Attributes:
        code: Stable name, by which a user allows it.
        message: What each side has.
    """

    code: str
    message: str


def mismatches(base: Sequence[Outcome], new: Sequence[Outcome]) -> Iterator[Mismatch]:
    """Yield every respect in which the outcomes of two sides are not alike."""
    if tools := {_tool(one.imported) for one in (*base, *new) if one.imported}:
        yield Mismatch(
            IMPORTED,
            f"figures of {_listed(tools)}: nothing tells whether inputs, lengths, devices and what "
            "the energy covers are those of the other side",
        )
        return
    for code, what, of in _RESPECTS:
        ours, theirs = ({of(outcome) for outcome in side} for side in (base, new))
        if ours != theirs:
            yield Mismatch(code, f"{what}: {_listed(ours)} against {_listed(theirs)}")


def metered_devices(outcome: Outcome) -> tuple[str, ...]:
    """Return the devices whose energy was counted, named so that no two machines share one.

    A GPU has an id of its own. Anything else is known by the machine it is in, as far as an
    outcome describes it: two machines of one build look alike.
    """
    environment = outcome.environment
    machine = (
        f"{environment.cpu}, {environment.logical_cores} cores, {environment.memory_bytes} bytes"
    )
    rows = outcome.energy.devices if outcome.energy else ()
    names = {row.device for row in rows if row.counted_in_total}
    return tuple(sorted(name if "GPU-" in name else f"{name} of {machine}" for name in names))


def _input(outcome: Outcome) -> str:
    return outcome.workload.input_ids_sha256[:12] if outcome.workload else "unknown"


def _lengths(outcome: Outcome) -> str:
    counts = {one.output_tokens for one in outcome.timing.repetitions}
    return " to ".join(str(one) for one in sorted({min(counts), max(counts)})) if counts else "none"


def _devices(outcome: Outcome) -> str:
    environment = outcome.environment
    used = ", ".join(environment.devices) or "cpu"
    return "; ".join(filter(None, [used, *metered_devices(outcome)])) or environment.cpu


def _engine(outcome: Outcome) -> str:
    return f"{outcome.environment.engine} {outcome.environment.engine_version}"


def _boundary(outcome: Outcome) -> str:
    rows = outcome.energy.devices if outcome.energy else ()
    counted = sorted(
        {f"{row.domain} by {row.meter} ({row.provenance})" for row in rows if row.counted_in_total}
    )
    return ", ".join(counted) or "no energy"


def _tool(imported: Imported) -> str:
    return " ".join(filter(None, (imported.tool, imported.tool_version)))


def _listed(values: set[str]) -> str:
    return " | ".join(sorted(values))


_RESPECTS: tuple[tuple[str, str, Callable[[Outcome], str]], ...] = (
    ("input-differs", "hash of the input tokens", _input),
    ("output-lengths-differ", "output tokens per repetition", _lengths),
    ("device-differs", "devices", _devices),
    ("engine-differs", "engine", _engine),
    ("boundary-differs", "what the energy covers", _boundary),
)

ALLOWED = (*(code for code, _, _ in _RESPECTS), IMPORTED)
"""Codes that a user may allow."""
