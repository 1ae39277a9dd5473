"""All plugins of this environment. Each is imported only when something asks for it."""

from __future__ import annotations

import difflib
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self

from llem.api import hookspecs
from llem.api.capability import BackendInfo
from llem.api.errors import (
    BackendUnavailable,
    PluginBroken,
    PluginDisabled,
    PluginDuplicate,
    PluginIncompatible,
    UnknownBackend,
)
from llem.registry.backend import Backend
from llem.registry.call import call_hook
from llem.registry.load import load_module
from llem.registry.records import PluginRecord, Status
from llem.registry.scan import scan

if TYPE_CHECKING:
    import pluggy

    from llem.api.meter import MeterSpec

STRICT_VARIABLE = "LLEM_PLUGINS_STRICT"
"""Set to 1 to let any broken plugin raise at once."""

TRACE_VARIABLE = "LLEM_TRACE_HOOKS"
"""Set to 1 to print every hook call to stderr."""

_ERRORS: dict[Status, type[BackendUnavailable]] = {
    Status.BROKEN: PluginBroken,
    Status.DUPLICATE: PluginDuplicate,
    Status.INCOMPATIBLE: PluginIncompatible,
    Status.DISABLED: PluginDisabled,
}


class Registry:
    """The installed plugins.

    Args:
        records: What scanning found.
        environ: Environment variables; decides about strictness and tracing.
    """

    def __init__(
        self, records: list[PluginRecord], environ: Mapping[str, str] = os.environ
    ) -> None:
        self._records = records
        self._strict = environ.get(STRICT_VARIABLE) == "1"
        self._trace = environ.get(TRACE_VARIABLE) == "1"
        self._manager: pluggy.PluginManager | None = None
        self._modules: dict[str, ModuleType] = {}
        self._backends: dict[str, Backend | None] = {}

    @classmethod
    def discover(cls) -> Self:
        """Scan this environment; nothing is imported yet."""
        return cls(scan())

    @property
    def plugins(self) -> tuple[PluginRecord, ...]:
        """Every installed plugin, in the state known so far."""
        return tuple(self._records)

    def backend(self, name: str) -> Backend:
        """Return the backend called ``name``.

        Raises:
            UnknownBackend: No installed plugin offers it.
            PluginBroken, PluginDuplicate, PluginIncompatible, PluginDisabled: It is installed
                and cannot be used.
        """
        records = [record for record in self._records if record.name == name]
        if not records:
            raise self._unknown(name)
        usable = [record for record in records if record.status is Status.OK]
        if not usable:
            raise _unusable(records[0])
        backend = self._load(usable[0])
        if backend is None:
            raise UnknownBackend(f"plugin {name!r} offers no backend", hint=self._known())
        return backend

    def backends(self) -> tuple[Backend, ...]:
        """Return every backend that can be described; a broken plugin is named on stderr."""
        loaded = map(self._load_bystander, self._usable())
        return tuple(backend for backend in loaded if backend is not None)

    def meter_specs(self) -> tuple[tuple[str, MeterSpec], ...]:
        """Return every meter offered, with the name of the plugin that offers it."""
        found = []
        for record in self._usable():
            self._load_bystander(record)
            if record.name in self._modules:
                specs = self._ask_bystander(record, "llem_meters") or ()
                found += [(record.name, spec) for spec in specs]
        return tuple(found)

    def load_all(self) -> None:
        """Load every plugin, so that :attr:`plugins` shows which are broken."""
        self.backends()

    def _usable(self) -> list[PluginRecord]:
        return [record for record in self._records if record.status is Status.OK]

    def _load(self, record: PluginRecord) -> Backend | None:
        """Load a plugin; ``None`` if it offers no backend.

        Raises:
            PluginBroken: It cannot be used; from now on its record says so.
        """
        if record.name not in self._backends:
            try:
                self._modules[record.name] = load_module(self._hooks(), record)
                self._backends[record.name] = self._describe(record)
            except PluginBroken as error:
                self._modules.pop(record.name, None)
                self._mark_broken(record, error)
                raise
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
        module = self._modules[record.name]
        hooks = frozenset(
            name for name, member in vars(module).items() if getattr(member, "llem_impl", None)
        )

        def ask(hook: str, **arguments: Any) -> Any:
            return self._ask(record, hook, **arguments)

        return Backend(record, info, ask, hooks)

    def _ask(self, record: PluginRecord, hook: str, **arguments: Any) -> Any:
        return call_hook(self._hooks(), self._modules[record.name], hook, **arguments)

    def _load_bystander(self, record: PluginRecord) -> Backend | None:
        try:
            return self._load(record)
        except PluginBroken as error:
            self._report(error)
            return None

    def _ask_bystander(self, record: PluginRecord, hook: str) -> Any:
        try:
            return self._ask(record, hook)
        except PluginBroken as error:
            self._mark_broken(record, error)
            self._report(error)
            return None

    def _report(self, error: PluginBroken) -> None:
        """Say in one line that somebody else's plugin is broken.

        Raises:
            PluginBroken: ``LLEM_PLUGINS_STRICT`` is set.
        """
        if self._strict:
            raise error
        sys.stderr.write(f"llem: {error.message}\n")

    def _mark_broken(self, record: PluginRecord, error: PluginBroken) -> None:
        broken = replace(record, status=Status.BROKEN, message=error.message)
        self._records = [broken if one == record else one for one in self._records]

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
        message = f"Unknown backend {name!r}."
        names = [record.name for record in self._records]
        if near := difflib.get_close_matches(name, names, n=1):
            return UnknownBackend(f"{message} Did you mean {near[0]!r}?", hint=self._known())
        hint = self._known()
        if re.fullmatch(r"[a-z][a-z0-9_-]*", name):
            hint = f"If a plugin of that name exists: pip install llem-{name}. {hint}"
        return UnknownBackend(message, hint=hint)

    def _known(self) -> str:
        names = sorted(backend.name for backend in self.backends())
        return f"Installed backends: {', '.join(names) or 'none'}."


def _unusable(record: PluginRecord) -> BackendUnavailable:
    error = _ERRORS[record.status]
    return error(f"backend {record.name!r} cannot be used: {record.message}")
