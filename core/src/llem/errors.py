"""The error tree. Each class has a stable code, the exit code of the command line, and a hint.

::

    LlemError                      4
    ├── ConfigError                2   the experiment was refused
    │   ├── ConfigFileError            the file cannot be read or parsed
    │   ├── ConfigInvalid              a key, value or combination is not allowed
    │   │   └── RuleBroken             keys and values are allowed, their combination is not
    │   ├── WorkloadError              the prompts asked for cannot be had
    │   ├── OutputRefused              the output folder cannot take results
    │   ├── StudyBusy                  another process is running the study
    │   ├── StudyChanged               the study has changed since it was begun
    │   └── NotComparable              the outcomes cannot be compared as asked
    ├── BackendUnavailable         3   the backend or its engine is not usable here
    │   ├── UnknownBackend
    │   ├── PluginBroken
    │   ├── PluginDuplicate
    │   ├── PluginIncompatible
    │   ├── PluginDisabled
    │   ├── EngineMissing
    │   └── DeviceBusy
    ├── ExperimentFailed           4   the experiment began and did not finish
    │   ├── WorkerDied
    │   ├── WorkerTimeout
    │   ├── WorkerLogFlood
    │   ├── WorkerProtocolError
    │   ├── OutOfMemory
    │   ├── EngineError
    │   └── HostError
    ├── StorageError               4   the outcome could not be written
    │   └── OutcomeNotStored           it is with the error
    ├── OutputFailed               4   standard output could not be written
    ├── CommandRefused             126 the command to measure cannot be executed
    │   └── CommandNotFound        127 there is no such command
    └── Interrupted                130 stopped by the user
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from traceback import format_exception
from typing import Any, ClassVar, Literal


class LlemError(Exception):
    """Base of every error llem raises on purpose.

    Args:
        message: What happened, in one sentence.
        hint: What to do about it, or an empty string.
    """

    code: ClassVar[str] = "llem-error"
    exit_code: ClassVar[int] = 4

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if hint:
            self.add_note(hint)  # shown below the message in a traceback


class ConfigError(LlemError):
    """The experiment was refused before anything ran."""

    code = "config-refused"
    exit_code = 2


class ConfigFileError(ConfigError):
    """The configuration file cannot be read or parsed."""

    code = "config-file"


class ConfigInvalid(ConfigError):
    """One or more keys, values or combinations are not allowed.

    Args:
        findings: Every problem found, in file order; at least one.
    """

    code = "config-invalid"

    def __init__(self, findings: Sequence[Finding], *, hint: str = "") -> None:
        super().__init__("\n".join(str(finding) for finding in findings), hint=hint)
        self.findings = tuple(findings)


class RuleBroken(ConfigInvalid):
    """Each key and value is allowed by itself, but a rule refuses their combination."""

    code = "rule-broken"


class WorkloadError(ConfigError):
    """The prompts the workload asks for cannot be had."""

    code = "workload-refused"


class OutputRefused(ConfigError):
    """The output folder cannot take results."""

    code = "output-refused"


class StudyBusy(ConfigError):
    """Another process is running the study, or may be."""

    code = "study-busy"


class StudyChanged(ConfigError):
    """The study, a plugin or an engine is not the one with which the study was begun."""

    code = "study-changed"


class NotComparable(ConfigError):
    """The outcomes cannot be compared as asked: they are not alike, or have no counterpart."""

    code = "not-comparable"


class BackendUnavailable(LlemError):
    """The requested backend or its engine cannot be used here."""

    code = "backend-unavailable"
    exit_code = 3


class UnknownBackend(BackendUnavailable):
    """No installed plugin offers the requested backend."""

    code = "backend-unknown"


class PluginBroken(BackendUnavailable):
    """The plugin could not be imported, or one of its hooks failed."""

    code = "plugin-broken"


class PluginDuplicate(BackendUnavailable):
    """Two distributions offer a plugin of the same name."""

    code = "plugin-duplicate"


class PluginIncompatible(BackendUnavailable):
    """The plugin was built for another version of the contract."""

    code = "plugin-incompatible"


class PluginDisabled(BackendUnavailable):
    """The plugin was switched off by ``LLEM_PLUGINS_DISABLE``."""

    code = "plugin-disabled"


class EngineMissing(BackendUnavailable):
    """The engine is not installed, or in a version the plugin does not support."""

    code = "engine-missing"


class DeviceBusy(BackendUnavailable):
    """Another study has the device."""

    code = "device-busy"


class ExperimentFailed(LlemError):
    """The experiment began and did not finish.

    Args:
        error_type: Qualified name of the exception that caused it, if there was one.
        traceback: The traceback of that exception, as text.
    """

    code = "experiment-failed"
    exit_code = 4

    def __init__(
        self, message: str, *, hint: str = "", error_type: str = "", traceback: str = ""
    ) -> None:
        super().__init__(message, hint=hint)
        self.error_type = error_type
        self.traceback = traceback


class WorkerDied(ExperimentFailed):
    """The worker process ended without answering."""

    code = "worker-died"


class WorkerTimeout(ExperimentFailed):
    """The worker process did not answer within the phase's time limit."""

    code = "worker-timeout"


class WorkerLogFlood(ExperimentFailed):
    """The worker process wrote more log than the limit allows."""

    code = "worker-log-flood"


class WorkerProtocolError(ExperimentFailed):
    """The worker process answered something that is not the protocol."""

    code = "worker-protocol"


class OutOfMemory(ExperimentFailed):
    """The engine ran out of host or device memory."""

    code = "out-of-memory"


class EngineError(ExperimentFailed):
    """The engine raised an error in the worker."""

    code = "engine-error"


class HostError(ExperimentFailed):
    """A library, a plugin or llem itself raised an error in the host process."""

    code = "host-error"

    @classmethod
    def of(cls, error: Exception) -> HostError:
        """Return the failure that ``error`` means; call it where ``error`` is handled."""
        name = type(error).__qualname__
        return cls(
            f"{name}: {error}" if str(error) else name,
            hint="The outcome holds the traceback.",
            error_type=f"{type(error).__module__}.{name}",
            traceback="".join(format_exception(error)),
        )


class StorageError(LlemError):
    """The outcome could not be written."""

    code = "storage-failed"
    exit_code = 4


class OutcomeNotStored(StorageError):
    """The disk refused the outcome at the end of a run.

    Args:
        outcome: The outcome's document, so that nothing is lost.
    """

    code = "outcome-not-stored"

    def __init__(self, message: str, outcome: dict[str, Any], *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.outcome = outcome


class OutputFailed(LlemError):
    """Standard output could not be written; what was stored before stays."""

    code = "output-failed"
    exit_code = 4


class CommandRefused(LlemError):
    """The command to measure cannot be executed."""

    code = "command-refused"
    exit_code = 126


class CommandNotFound(CommandRefused):
    """There is no such command to measure."""

    code = "command-not-found"
    exit_code = 127


class Interrupted(LlemError):
    """The user stopped the run."""

    code = "interrupted"
    exit_code = 130


@contextmanager
def os_errors_as(kind: type[LlemError], what: str, *, hint: str = "") -> Iterator[None]:
    """Turn an error of the operating system in the block into an error of ``kind``.

    Args:
        kind: Class of the error that is raised.
        what: What could not be done, for the message: ``cannot write to results``.
        hint: What to do about it.
    """
    try:
        yield
    except OSError as error:
        raise kind(f"{what}: {error.strerror}", hint=hint) from error


@dataclass(frozen=True, slots=True)
class Finding:
    """A remark with a stable code, where it belongs, and what to do about it.

    Attributes:
        code: Stable kebab-case identifier, for programs and documentation.
        message: What is the matter, in one sentence.
        severity: ``error`` refuses the experiment; ``warning`` is recorded and shown.
        path: Dotted path of the field concerned (``model.id``), or empty.
        hint: What to do, or empty.
        origin: Where the value came from (``exp.yaml:12`` or ``--set``), or empty.
    """

    code: str
    message: str
    severity: Literal["error", "warning"] = "error"
    path: str = ""
    hint: str = ""
    origin: str = ""

    def __str__(self) -> str:
        where = ": ".join(part for part in (self.origin, self.path) if part)
        text = f"{where}: {self.message}" if where else self.message
        return f"{text.removesuffix('.')}. {self.hint}" if self.hint else text


def findings_of_error(error: ConfigError) -> tuple[Finding, ...]:
    """Return what ``error`` says, as findings: its own, or a single one for the whole of it."""
    if isinstance(error, ConfigInvalid):
        return error.findings
    return (Finding(error.code, error.message, hint=error.hint),)


def hint_for(hints: Iterable[tuple[str, str]], error_type: str, message: str) -> str | None:
    """Return the first hint whose pattern is found in ``<error_type>: <message>``, if any is.

    Args:
        hints: Regular expressions, each with its hint.
        error_type: Qualified name of the exception.
        message: Its text.
    """
    text = f"{error_type}: {message}"
    return next((hint for pattern, hint in hints if re.search(pattern, text)), None)


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, which is in the singular for 1: ``1 copy``, ``2 copies``."""
    if number != 1:
        noun = f"{noun[:-1]}ie" if re.search("[^aeiou]y$", noun) else noun
        noun += "es" if re.search("(s|x|ch|sh)$", noun) else "s"
    return f"{number:,} {noun}"


def are(number: int) -> str:
    """Return the verb that goes with so many."""
    return "is" if number == 1 else "are"


def were(number: int) -> str:
    """Return the verb that goes with so many, in the past."""
    return "was" if number == 1 else "were"


def shown(value: object) -> str:
    """Return a value as a config spells it, on one line and shortened."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


_MOST_SHOWN = 60
"""Characters of a value that a message repeats."""
