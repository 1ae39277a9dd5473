"""A backend as the rest of core sees it: typed methods instead of hooks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from llem.api.capability import BackendInfo
from llem.errors import (
    BackendUnavailable,
    EngineMissing,
    PluginBroken,
    PluginDisabled,
    PluginDuplicate,
    PluginIncompatible,
    UnknownBackend,
)
from llem.registry.engine_status import EngineStatus, engine_status
from llem.registry.scan import PluginRecord, Status

if TYPE_CHECKING:
    from llem.api.capability import HostInfo
    from llem.api.parameter_audit import ParameterAudit
    from llem.errors import Finding
    from llem.schema.call_plan import CallPlan
    from llem.schema.experiment import BackendConfig, Experiment

_ERRORS: dict[Status, type[BackendUnavailable]] = {
    Status.BROKEN: PluginBroken,
    Status.DUPLICATE: PluginDuplicate,
    Status.INCOMPATIBLE: PluginIncompatible,
    Status.DISABLED: PluginDisabled,
}


_MOST_SHOWN = 60
"""Characters of an unknown name that a message repeats."""


def unusable_backend(record: PluginRecord) -> BackendUnavailable:
    """Return the error for a plugin that is installed and cannot be used."""
    hints = {
        Status.BROKEN: f"pip install --upgrade {record.distribution}",
        Status.DUPLICATE: "Uninstall all but one.",
        Status.INCOMPATIBLE: f"pip install --upgrade llem-core {record.distribution}",
        Status.DISABLED: "Take its name out of that variable.",
    }
    message = f"backend {record.name!r} cannot be used: {record.message}"
    return _ERRORS[record.status](message, hint=hints[record.status])


def unknown_backend(name: str, offered: Sequence[str], broken: Sequence[str]) -> UnknownBackend:
    """Return the error for a backend that no installed plugin offers.

    Args:
        name: The name that was asked for.
        offered: Backends that work.
        broken: Installed plugins that cannot be used.
    """
    import difflib
    import re

    name = name if len(name) <= _MOST_SHOWN else f"{name[:_MOST_SHOWN]}…"
    message = f"Unknown backend {name!r}."
    hint = f"Installed backends: {', '.join(sorted(offered)) or 'none'}."
    if near := difflib.get_close_matches(name, [*offered, *broken], n=1):
        return UnknownBackend(f"{message} Did you mean {near[0]!r}?", hint=hint)
    # Core does not know which plugins exist elsewhere, but it knows how they are named.
    if re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        hint += f" If there is a plugin for it: pip install llem-{name}"
    return UnknownBackend(message, hint=hint)


class Backend:
    """A healthy plugin that offers a backend.

    Args:
        record: Where it comes from.
        info: What it declares.
        call: Calls one of its hooks by name; returns ``None`` for a hook it does not implement.
        hooks: Names of the hooks it implements.
    """

    def __init__(
        self,
        record: PluginRecord,
        info: BackendInfo,
        call: Callable[..., Any],
        hooks: frozenset[str],
    ) -> None:
        self.record = record
        self.info = info
        self.hooks = hooks
        self._call = call

    @property
    def name(self) -> str:
        """Its name in a config."""
        return self.record.name

    @property
    def module(self) -> str:
        """Dotted name of the plugin's module; the worker imports it."""
        return self.record.module

    @property
    def distribution(self) -> str:
        """Distribution that brings it."""
        return self.record.distribution

    @property
    def version(self) -> str:
        """Version of that distribution."""
        return self.record.version

    def offers(self, hook: str) -> bool:
        """Whether the plugin implements ``hook``."""
        return hook in self.hooks

    def config_model(self) -> type[BackendConfig]:
        """Return the model of its config section.

        Raises:
            PluginBroken: It has no such model.
        """
        model: type[BackendConfig] = self._require("llem_config_model")
        return model

    def build_plan(self, experiment: Experiment) -> CallPlan:
        """Return the engine calls for ``experiment``.

        Raises:
            PluginBroken: It builds no plan.
            LlemError: It refuses the experiment.
        """
        plan: CallPlan = self._require("llem_build_kwargs", experiment=experiment)
        return plan

    def review(self, experiment: Experiment, facts: HostInfo) -> Sequence[Finding]:
        """Return its findings about ``experiment`` on this machine."""
        return self._call("llem_preflight", experiment=experiment, facts=facts) or ()

    def parameter_audit(self) -> ParameterAudit | None:
        """Return its declaration of the engine's parameters; ``None`` without a declaration."""
        audit: ParameterAudit | None = self._call("llem_parameter_audit")
        return audit

    def explain_error(self, error_type: str, message: str) -> str | None:
        """Return its hint for an engine's error; ``None`` without a hint."""
        hint: str | None = self._call("llem_explain_error", error_type=error_type, message=message)
        return hint

    def engine_status(self) -> EngineStatus | None:
        """Return the state of its engine here; ``None`` for a backend without an engine."""
        return None if self.info.engine is None else engine_status(self.info.engine)

    def require_engine(self) -> None:
        """Check that its engine can be used in this environment.

        Raises:
            EngineMissing: It is not installed, or in a version that is not supported.
        """
        status = self.engine_status()
        if status is None or status.supported:
            return
        assert self.info.engine is not None
        install = self.info.engine.install
        elsewhere = "name an interpreter that has the engine: --set runner.python=PATH"
        raise EngineMissing(
            f"the engine of backend {self.name!r} cannot be used: {status.message}",
            hint=f"{install}, or {elsewhere}" if install else elsewhere,
        )

    def _require(self, hook: str, **arguments: Any) -> Any:
        answer = self._call(hook, **arguments)
        if answer is None:
            raise PluginBroken(
                f"plugin {self.name!r} does not answer {hook}",
                hint=f"Upgrade it: pip install --upgrade {self.distribution}",
            )
        return answer
