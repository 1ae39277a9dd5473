"""When failing runs stop a study, and which larger points are left out."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, TypeGuard

from llem.study.study_file import FailureConfig


class StreakAction(StrEnum):
    """What to do after a run."""

    CONTINUE = "continue"
    PAUSE = "pause, then probe"
    STOP = "stop"


class FailureStreak:
    """Counts failures in a row.

    After too many failures the machine may be at fault rather than the experiments. A pause may
    help, which the next run shows: the probe.

    Args:
        config: How many failures are too many.
    """

    def __init__(self, config: FailureConfig) -> None:
        self._stop_after = config.stop_after
        self._failures = 0
        self._probing = False

    def after(self, status: str) -> StreakAction:
        """Return what to do after a run that ended with ``status``.

        Running out of memory says something about the experiment, not about the machine.
        """
        if status != "failed":
            self._failures, self._probing = 0, False
            return StreakAction.CONTINUE
        if self._probing:
            return StreakAction.STOP
        self._failures += 1
        if self._stop_after is None or self._failures < self._stop_after:
            return StreakAction.CONTINUE
        self._probing = True
        return StreakAction.PAUSE


class Pruning:
    """Remembers which runs were out of memory, and finds points that would be, too.

    Args:
        fields: Swept fields of which a greater value needs more memory.
    """

    def __init__(self, fields: tuple[str, ...]) -> None:
        self._fields = fields
        self._limits: dict[tuple[str, str], tuple[float, str]] = {}

    def add(self, settings: Mapping[str, Any], run: str) -> None:
        """Remember that the run with these settings ran out of memory."""
        for field in self._fields:
            value = settings.get(field)
            if not _is_number(value):
                continue
            key = (field, _others(settings, field))
            if key not in self._limits or value < self._limits[key][0]:
                self._limits[key] = (value, run)

    def cause(self, settings: Mapping[str, Any]) -> str | None:
        """Return the run that shows that these settings need too much memory, or ``None``."""
        for field in self._fields:
            value = settings.get(field)
            limit = self._limits.get((field, _others(settings, field)))
            if limit is not None and _is_number(value) and value > limit[0]:
                return limit[1]
        return None


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _others(settings: Mapping[str, Any], field: str) -> str:
    return repr(sorted((name, repr(value)) for name, value in settings.items() if name != field))
