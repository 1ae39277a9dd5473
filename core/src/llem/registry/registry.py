"""All plugins of this environment. Each is imported only when something asks for it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from llem.api import hookspecs
from llem.api.capability import BackendInfo
from llem.api.meters import MeterSpec, Probe
from llem.errors import LlemError, PluginBroken, UnknownBackend
from llem.registry.backend import Backend, unknown_backend, unusable_backend
from llem.registry.safe_call import hook_caller, load_module, safe_call
from llem.registry.scan import PluginRecord, Status, scan
from llem.schema.call_plan import import_dotted

if TYPE_CHECKING:
    import pluggy

    from llem.api.importers import ImportedResult, ImportHints, ResultImporter
    from llem.schema.experiment import Experiment
    from llem.schema.outcome import Outcome, RunPosition


class Observers:
    """The plugins that observe; each method is the hook of its name in ``llem.api.hookspecs``.

    None of them raises for a plugin's fault: it is said on stderr, and returned.

    Args:
        tell: Calls a hook of every plugin, and returns what went wrong.
    """

    def __init__(self, tell: Callable[..., Sequence[str]]) -> None:
        self._tell = tell

    def study_started(self, study: str, folder: Path, *, runs: int, left: int) -> None:
        """Say that a study is begun, or gone on with."""
        self._tell("llem_study_started", study=study, folder=folder, runs=runs, left=left)

    def study_finished(
        self, study: str, folder: Path, *, states: Mapping[str, int], left: int
    ) -> None:
        """Say that an attempt at a study is over."""
        self._tell("llem_study_finished", study=study, folder=folder, states=states, left=left)

    def experiment_started(
        self, experiment: Experiment, id: str, place: RunPosition | None
    ) -> Sequence[str]:
        """Say that an experiment begins; return what went wrong, one sentence each."""
        return self._tell("llem_experiment_started", experiment=experiment, id=id, place=place)

    def experiment_finished(self, outcome: Outcome, folder: Path) -> None:
        """Say what was measured."""
        self._tell("llem_experiment_finished", outcome=outcome, folder=folder)


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
        records: What scanning found.
        environ: Environment variables; decides about strictness and tracing.
        clock: Tells the time in seconds.
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
        """Return every backend that can be described; a broken plugin is named on stderr."""
        return self.ask_all(lambda backend: backend)

    def ask_all(self, question: Callable[[Backend], Answer]) -> tuple[Answer, ...]:
        """Return every backend's answer; one that fails is named on stderr and left out."""
        answers = []
        for record in self._usable():
            try:
                backend = self._load(record)
                if backend is not None:
                    answers.append(question(backend))
            except LlemError as error:
                self._report(record, error)
        return tuple(answers)

    def meter_specs(self) -> tuple[tuple[str, MeterSpec], ...]:
        """Return every meter offered, with the name of the plugin that offers it."""
        return self._offers("llem_meters")

    def import_formats(self) -> tuple[tuple[str, ResultImporter], ...]:
        """Return every file format that can be imported, with the name of its plugin."""
        return self._offers("llem_result_importers")

    def read_foreign(
        self, plugin: str, format: ResultImporter, document: Any, hints: ImportHints
    ) -> ImportedResult | None:
        """Let ``plugin`` read the JSON data of a file; ``None`` for data of another format.

        Raises:
            PluginBroken: Its reader failed.
        """

        def read() -> ImportedResult | None:
            result: ImportedResult | None = import_dotted(format.reader)(document, hints)
            return result

        return safe_call(read, f"reader of {format.name!r} of plugin {plugin!r}")

    def probe_meter(self, plugin: str, spec: MeterSpec, options: Mapping[str, Any]) -> Probe:
        """Ask a meter of ``plugin`` whether it works here; a broken one does not.

        Args:
            plugin: Name of the plugin that offers it.
            spec: The meter.
            options: The ``measurement`` section as JSON data.
        """

        def probe() -> Probe:
            answer: Probe = import_dotted(spec.factory)(options).probe()
            return answer

        try:
            return safe_call(probe, f"meter {spec.name!r} of plugin {plugin!r}")
        except PluginBroken as error:
            from llem.api.meters import Probe

            return Probe(available=False, reason=error.message)

    def _offers(self, hook: str) -> tuple[tuple[str, Any], ...]:
        """Return everything that plugins list when asked by ``hook``; a broken one is named."""
        found: list[tuple[str, Any]] = []
        for record in self._usable():
            try:
                self._load(record)
                offered = self._ask(record, hook) or ()
            except LlemError as error:
                self._report(record, error)
            else:
                found += [(record.name, one) for one in offered]
        return tuple(found)

    @property
    def observers(self) -> Observers:
        """Everybody who wants to know what is measured."""
        return Observers(self._tell)

    def _tell(self, hook: str, **facts: Any) -> tuple[str, ...]:
        """Call a hook of every plugin; return what went wrong.

        Raises:
            LlemError: A plugin failed, and ``LLEM_PLUGINS_STRICT`` is set.
        """
        faults = []
        for record in self._usable():
            try:
                self._load(record)
            except LlemError as error:
                self._report(record, error)
                continue
            try:
                self._ask(record, hook, **facts)
            except LlemError as error:
                # Not marked as broken: what else it offers, this measurement may need.
                self._say(error)
                faults.append(error.message)
        return tuple(faults)

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
                # Those made before would also call this plugin.
                self._callers.clear()
                self._backends[record.name] = self._describe(record)
            except LlemError as error:
                self._mark_broken(record, error)
                raise
            self._judge_duration(record, self._clock() - started_s)
        return self._backends[record.name]

    def _describe(self, record: PluginRecord) -> Backend | None:
        info = self._ask(record, "llem_capabilities")
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

        def ask(hook: str, **arguments: Any) -> Any:
            return self._ask(record, hook, **arguments)

        hooks = self._hooks().get_hookcallers(self._modules[record.name]) or ()
        return Backend(record, info, ask, frozenset(hook.name for hook in hooks))

    def _ask(self, record: PluginRecord, hook: str, **arguments: Any) -> Any:
        caller = self._callers.get((record.name, hook))
        if caller is None:
            caller = hook_caller(self._hooks(), self._modules[record.name], hook)
            self._callers[record.name, hook] = caller
        return caller(**arguments)

    def _report(self, record: PluginRecord, error: LlemError) -> None:
        """Remember that somebody else's plugin is broken, and say so in one line.

        Raises:
            LlemError: ``LLEM_PLUGINS_STRICT`` is set.
        """
        self._mark_broken(record, error)
        self._say(error)

    def _say(self, error: LlemError) -> None:
        if self._strict:
            raise error
        sys.stderr.write(f"llem: {' '.join(error.message.split())}\n")

    def _mark_broken(self, record: PluginRecord, error: LlemError) -> None:
        self._note(record, Status.BROKEN, error.message)

    def _judge_duration(self, record: PluginRecord, duration_s: float) -> None:
        if duration_s > SLOW_S:
            message = f"slow: took {duration_s:.1f} s to import, which every listing waits for"
            self._note(record, record.status, message)

    def _note(self, record: PluginRecord, status: Status, message: str) -> None:
        noted = replace(record, status=status, message=message)
        place = (record.name, record.distribution)
        self._records = tuple(
            noted if (one.name, one.distribution) == place else one for one in self._records
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
        spoilt = [record.name for record in self._records if record.status is not Status.OK]
        return unknown_backend(name, offered, spoilt)
