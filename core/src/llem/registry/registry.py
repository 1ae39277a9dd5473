"""The plugins of this environment. Each is imported when something first asks for it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from llem.api import hookspecs
from llem.api.capability import BackendInfo
from llem.api.meters import MeterSpec, Probe
from llem.errors import LlemError, PluginBroken, UnknownBackend
from llem.registry.backend import Backend, unknown_backend, unusable_backend
from llem.registry.plugin_calls import hook_caller, load_module, plugin_errors
from llem.registry.scan import PluginRecord, Status, scan
from llem.schema.call_plan import import_dotted

if TYPE_CHECKING:
    import pluggy

    from llem.api.importers import ImportedResult, ImportHints, ResultImporter
    from llem.schema.experiment import Experiment
    from llem.schema.outcome import Outcome, RunPosition


class Observers:
    """Forward the events of a study to every plugin that observes.

    Each method is the hook of its name in ``llem.api.hookspecs``. A plugin that fails is named on
    stderr; the other plugins still get the event.

    Args:
        notify: Calls a hook of every plugin, and returns the messages of those that failed.
    """

    def __init__(self, notify: Callable[..., Sequence[str]]) -> None:
        self._notify = notify

    def study_started(self, study: str, folder: Path, *, runs: int, left: int) -> None:
        """Report that a study starts or resumes."""
        self._notify("llem_study_started", study=study, folder=folder, runs=runs, left=left)

    def study_finished(
        self, study: str, folder: Path, *, states: Mapping[str, int], left: int
    ) -> None:
        """Report the end of an attempt at a study."""
        self._notify("llem_study_finished", study=study, folder=folder, states=states, left=left)

    def experiment_started(
        self, experiment: Experiment, id: str, place: RunPosition | None
    ) -> Sequence[str]:
        """Report the start of an experiment; return the message of each plugin that failed."""
        return self._notify("llem_experiment_started", experiment=experiment, id=id, place=place)

    def experiment_finished(self, outcome: Outcome, folder: Path) -> None:
        """Report the outcome of an experiment."""
        self._notify("llem_experiment_finished", outcome=outcome, folder=folder)


Answer = TypeVar("Answer")

STRICT_VARIABLE = "LLEM_PLUGINS_STRICT"
"""Set to 1 to let any broken plugin raise at once."""

TRACE_VARIABLE = "LLEM_TRACE_HOOKS"
"""Set to 1 to print every hook call to stderr."""

SLOW_S = 0.5
"""A plugin that takes longer to import and describe itself is called slow: listings wait for it."""


class Registry:
    """The installed plugins.

    Args:
        records: The plugins that :func:`~llem.registry.scan.scan` found.
        environ: Environment variables; decides about strictness and tracing.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        records: Sequence[PluginRecord],
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._records = tuple(records)
        self._clock = clock
        self._strict = environ.get(STRICT_VARIABLE) == "1"
        self._trace = environ.get(TRACE_VARIABLE) == "1"
        self._manager: pluggy.PluginManager | None = None
        self._modules: dict[str, ModuleType] = {}
        self._callers: dict[tuple[str, str], Callable[..., Any]] = {}
        self._backends: dict[str, Backend | None] = {}

    @classmethod
    def discover(cls) -> Self:
        """Scan this environment; nothing is imported yet."""
        return cls(scan())

    @property
    def plugins(self) -> tuple[PluginRecord, ...]:
        """Every installed plugin, in the state known so far."""
        return self._records

    def backend(self, name: str) -> Backend:
        """Return the backend called ``name``; no other plugin is loaded.

        Raises:
            UnknownBackend: No installed plugin offers it.
            PluginBroken: It cannot be imported or described.
            PluginDuplicate: Two distributions offer it.
            PluginIncompatible: It was made for another version of the contract.
            PluginDisabled: It is switched off.
        """
        records = [record for record in self._records if record.name == name]
        if not records:
            raise self._unknown(name)
        usable = [record for record in records if record.status is Status.OK]
        if not usable:
            raise unusable_backend(records[0])
        backend = self._load(usable[0])
        if backend is None:
            raise UnknownBackend(f"Plugin {name!r} offers no backend.")
        return backend

    def backends(self) -> tuple[Backend, ...]:
        """Return every backend that works; a broken plugin is named on stderr."""
        return self.ask_all(lambda backend: backend)

    def ask_all(self, question: Callable[[Backend], Answer]) -> tuple[Answer, ...]:
        """Return every backend's answer; a backend that fails is named on stderr and left out."""
        answers = []
        for record in self._usable():
            try:
                backend = self._load(record)
                if backend is not None:
                    answers.append(question(backend))
            except LlemError as error:
                self._record_broken(record, error)
        return tuple(answers)

    def meter_specs(self) -> tuple[tuple[str, MeterSpec], ...]:
        """Return every meter, each with the name of the plugin that offers it."""
        return self._collect("llem_meters")

    def import_formats(self) -> tuple[tuple[str, ResultImporter], ...]:
        """Return every importer of results, each with the name of its plugin."""
        return self._collect("llem_result_importers")

    def read_foreign(
        self, plugin: str, format: ResultImporter, document: Any, hints: ImportHints
    ) -> tuple[ImportedResult, ...] | None:
        """Let ``plugin`` read the JSON data or the text of a file; ``None`` for another format.

        Raises:
            ConfigError: The file is of this format and holds no usable figures.
            PluginBroken: Its reader failed.
        """
        with plugin_errors(f"reader of {format.name!r} of plugin {plugin!r}"):
            found = import_dotted(format.reader)(document, hints)
            if found is None:
                return None
            return tuple(found) if isinstance(found, Sequence) else (found,)

    def probe_meter(self, plugin: str, spec: MeterSpec, options: Mapping[str, Any]) -> Probe:
        """Ask a meter of ``plugin`` whether it works here; a meter that raises does not.

        Args:
            plugin: Name of the plugin that offers it.
            spec: The meter.
            options: The ``measurement`` section as JSON data.
        """
        try:
            with plugin_errors(f"meter {spec.name!r} of plugin {plugin!r}"):
                probe: Probe = import_dotted(spec.factory)(options).probe()
        except PluginBroken as error:
            return Probe(available=False, reason=error.message)
        return probe

    def _collect(self, hook: str) -> tuple[tuple[str, Any], ...]:
        """Return all that plugins list in answer to ``hook``; a broken plugin is named."""
        found: list[tuple[str, Any]] = []
        for record in self._usable():
            try:
                self._load(record)
                offered = self.call(record, hook) or ()
            except LlemError as error:
                self._record_broken(record, error)
            else:
                found += [(record.name, offer) for offer in offered]
        return tuple(found)

    @property
    def observers(self) -> Observers:
        """The plugins that observe experiments and studies."""
        return Observers(self._notify)

    def _notify(self, hook: str, **facts: Any) -> tuple[str, ...]:
        """Call a hook of every plugin; return the message of each that fails.

        Raises:
            LlemError: A plugin failed, and ``LLEM_PLUGINS_STRICT`` is set.
        """
        faults = []
        for record in self._usable():
            try:
                self._load(record)
            except LlemError as error:
                self._record_broken(record, error)
                continue
            try:
                self.call(record, hook, **facts)
            except LlemError as error:
                # Not recorded as broken: this measurement may need its backend or its meters.
                self._warn(error)
                faults.append(error.message)
        return tuple(faults)

    def call(self, record: PluginRecord, hook: str, **arguments: Any) -> Any:
        """Call ``hook`` of a loaded plugin; ``None`` if the plugin does not implement it.

        Raises:
            LlemError: The plugin refuses on purpose.
            PluginBroken: It raises anything else.
        """
        caller = self._callers.get((record.name, hook))
        if caller is None:
            caller = hook_caller(self._hooks(), self._modules[record.name], hook)
            self._callers[record.name, hook] = caller
        with plugin_errors(f"hook {hook} of plugin {record.name!r}"):
            answers = caller(**arguments)
        return answers[0] if answers else None

    def _usable(self) -> list[PluginRecord]:
        return [record for record in self._records if record.status is Status.OK]

    def _load(self, record: PluginRecord) -> Backend | None:
        """Load a plugin; ``None`` if it offers no backend.

        Raises:
            LlemError: It cannot be used; from now on its record says so.
        """
        if record.name not in self._backends:
            started_s = self._clock()
            try:
                self._modules[record.name] = load_module(self._hooks(), record)
                # Callers made earlier would also call this plugin.
                self._callers.clear()
                self._backends[record.name] = self._describe(record)
            except LlemError as error:
                self._set_status(record, Status.BROKEN, error.message)
                raise
            duration_s = self._clock() - started_s
            if duration_s > SLOW_S:
                message = f"slow: took {duration_s:.1f} s to import, which every listing waits for"
                self._set_status(record, record.status, message)
        return self._backends[record.name]

    def _describe(self, record: PluginRecord) -> Backend | None:
        info = self.call(record, "llem_capabilities")
        if info is None:
            return None
        if not isinstance(info, BackendInfo):
            kind = type(info).__name__
            raise PluginBroken(
                f"llem_capabilities of plugin {record.name!r} returned {kind}, not BackendInfo"
            )
        if info.name != record.name:
            raise PluginBroken(
                f"plugin {record.name!r} calls its backend {info.name!r}; the names must be equal"
            )
        hooks = self._hooks().get_hookcallers(self._modules[record.name]) or ()
        names = frozenset(hook.name for hook in hooks)
        return Backend(record, info, partial(self.call, record), names)

    def _record_broken(self, record: PluginRecord, error: LlemError) -> None:
        """Mark a plugin that the user did not ask for as broken, and warn in one line.

        Raises:
            LlemError: ``LLEM_PLUGINS_STRICT`` is set.
        """
        self._set_status(record, Status.BROKEN, error.message)
        self._warn(error)

    def _warn(self, error: LlemError) -> None:
        if self._strict:
            raise error
        sys.stderr.write(f"llem: {' '.join(error.message.split())}\n")

    def _set_status(self, changed: PluginRecord, status: Status, message: str) -> None:
        place = (changed.name, changed.distribution)
        self._records = tuple(
            replace(record, status=status, message=message)
            if (record.name, record.distribution) == place
            else record
            for record in self._records
        )

    def _hooks(self) -> pluggy.PluginManager:
        if self._manager is None:
            import pluggy

            self._manager = pluggy.PluginManager("llem")
            self._manager.add_hookspecs(hookspecs)
            if self._trace:
                self._manager.trace.root.setwriter(sys.stderr.write)
                self._manager.enable_tracing()
        return self._manager

    def _unknown(self, name: str) -> UnknownBackend:
        offered = [backend.name for backend in self.backends()]
        broken = [record.name for record in self._records if record.status is not Status.OK]
        return unknown_backend(name, offered, broken)
