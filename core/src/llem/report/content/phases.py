"""When a run read prompts and when it generated, as it was stored."""

from __future__ import annotations

from llem.report.stored import Stored
from llem.store import read_phases
from llem.store.phases import Spans

ORDER = ("prefill", "decode", "mixed")


def phases(stored: Stored) -> Spans:
    """Return the spans of each phase in seconds from the first measured window.

    Empty where none are stored: the engine did not tell, or an earlier version of llem ran it.
    """
    repetitions = stored.outcome.timing.repetitions
    if not repetitions:
        return {}
    try:
        found = read_phases(stored.folder)
    except (OSError, ValueError, KeyError):
        return {}
    origin_s = repetitions[0].started_s
    return {
        phase: [(start - origin_s, end - origin_s) for start, end in found[phase]]
        for phase in ORDER
        if phase in found
    }
