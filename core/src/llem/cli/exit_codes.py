"""How the command ends: the one place where its exit codes are listed."""

from __future__ import annotations

from types import MappingProxyType

UNACCOUNTED = 1
"""No error has this exit code: the audit did what it was asked to."""

NOT_VALID = 5
"""Nor this one: the experiment was measured, and what it is good for is another matter."""

GATE_BROKEN, GATE_INCONCLUSIVE = 6, 7
"""Nor these two: the comparison was made."""

CONTRACT_BROKEN = 8
"""Nor this one: the plugin was checked."""

EXIT_CODES = MappingProxyType(
    {
        0: "done",
        UNACCOUNTED: "the audit found parameters of the engine that are not accounted for",
        2: "the experiment or the command line was refused",
        3: "the backend or its engine is not available",
        4: "the experiment failed, or its outcome could not be stored",
        NOT_VALID: "an outcome is not valid, and --require-valid was given",
        GATE_BROKEN: "`llem compare --fail-if`: a limit is broken",
        GATE_INCONCLUSIVE: "`llem compare --fail-if`: too uncertain to tell",
        CONTRACT_BROKEN: "`llem plugins check`: the plugin does not keep its contract",
        126: "the command to measure cannot be executed",
        127: "the command to measure does not exist",
        130: "interrupted",
    }
)
"""Meaning of each exit code; the errors of `llem.api.errors` carry the same numbers."""


def exit_code_help() -> str:
    """Return the exit codes as a paragraph of help that is not wrapped."""
    lines = [f"  {code:<3}  {meaning}" for code, meaning in EXIT_CODES.items()]
    return "\n".join(["\b", "Exit codes:", *lines])
