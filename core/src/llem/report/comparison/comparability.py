"""Whether two sides did the same work on the same devices, so that a difference means something."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from llem.report.load_outcomes import IMPORTED
from llem.schema.outcome import Imported, Outcome


class Mismatch(NamedTuple):
    """A respect in which two sides differ although they should not.

    Attributes:
        code: Stable name, by which a user allows it.
        message: The values of each side.
    """

    code: str
    message: str


def mismatches(base: Sequence[Outcome], new: Sequence[Outcome]) -> Iterator[Mismatch]:
    """Yield every mismatch between the outcomes of two sides."""
    tools = {_tool(outcome.imported) for outcome in (*base, *new) if outcome.imported}
    if tools:
        yield Mismatch(
            IMPORTED,
            f"figures of {_listed(tools)}: nothing tells whether inputs, lengths, devices and what "
            "the energy covers are those of the other side",
        )
        return
    for code, name, value_of in _RESPECTS:
        before, after = ({value_of(outcome) for outcome in side} for side in (base, new))
        if before != after:
            yield Mismatch(code, f"{name}: {_listed(before)} against {_listed(after)}")


def metered_devices(outcome: Outcome) -> tuple[str, ...]:
    """Return the devices whose energy was counted, by names that differ between machines.

    A GPU has a unique id. Any other device is named with the description of its machine, so two
    machines of the same build have the same names.
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
    counts = {repetition.output_tokens for repetition in outcome.timing.repetitions}
    ends = sorted({min(counts), max(counts)}) if counts else []
    return " to ".join(map(str, ends)) or "none"


def _devices(outcome: Outcome) -> str:
    environment = outcome.environment
    used = ", ".join(environment.devices) or "cpu"
    return "; ".join([used, *metered_devices(outcome)])


def _engine(outcome: Outcome) -> str:
    return f"{outcome.environment.engine} {outcome.environment.engine_version}"


def _boundary(outcome: Outcome) -> str:
    rows = outcome.energy.devices if outcome.energy else ()
    counted = {
        f"{row.domain} by {row.meter} ({row.provenance})" for row in rows if row.counted_in_total
    }
    return ", ".join(sorted(counted)) or "no energy"


def _tool(imported: Imported) -> str:
    tool = " ".join(filter(None, (imported.tool, imported.tool_version)))
    covered = imported.energy_boundary
    return f"{tool} (energy covers {covered})" if covered else tool


def _listed(values: Iterable[str]) -> str:
    return " | ".join(sorted(values))


_RESPECTS: tuple[tuple[str, str, Callable[[Outcome], str]], ...] = (
    ("input-differs", "hash of the input tokens", _input),
    ("output-lengths-differ", "output tokens per repetition", _lengths),
    ("device-differs", "devices", _devices),
    ("engine-differs", "engine", _engine),
    ("boundary-differs", "what the energy covers", _boundary),
)

MISMATCH_CODES = (*(code for code, _, _ in _RESPECTS), IMPORTED)
"""The codes of all mismatches."""
