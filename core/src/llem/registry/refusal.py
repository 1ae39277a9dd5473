"""Why a requested backend cannot be had, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from llem.api.errors import (
    BackendUnavailable,
    PluginBroken,
    PluginDisabled,
    PluginDuplicate,
    PluginIncompatible,
    UnknownBackend,
)
from llem.registry.records import PluginRecord, Status

_ERRORS: dict[Status, type[BackendUnavailable]] = {
    Status.BROKEN: PluginBroken,
    Status.DUPLICATE: PluginDuplicate,
    Status.INCOMPATIBLE: PluginIncompatible,
    Status.DISABLED: PluginDisabled,
}


def unusable(record: PluginRecord) -> BackendUnavailable:
    """Return the error for a plugin that is installed and cannot be used."""
    remedies = {
        Status.BROKEN: f"pip install --upgrade {record.distribution}",
        Status.DUPLICATE: "Uninstall one of them.",
        Status.INCOMPATIBLE: f"pip install --upgrade llem-core {record.distribution}",
        Status.DISABLED: "Take its name out of that variable.",
    }
    message = f"backend {record.name!r} cannot be used: {record.message}"
    return _ERRORS[record.status](message, hint=remedies[record.status])


def unknown(name: str, offered: Sequence[str], spoilt: Sequence[str]) -> UnknownBackend:
    """Return the error for a backend that no installed plugin offers.

    Args:
        name: What was asked for.
        offered: Backends that could be asked for.
        spoilt: Plugins that are installed and cannot be used.
    """
    import difflib
    import re

    message = f"Unknown backend {name!r}."
    hint = f"Installed backends: {', '.join(sorted(offered)) or 'none'}."
    if near := difflib.get_close_matches(name, [*offered, *spoilt], n=1):
        return UnknownBackend(f"{message} Did you mean {near[0]!r}?", hint=hint)
    # Core knows no plugin that is not installed, but it knows how plugins are named.
    if re.fullmatch(r"[a-z][a-z0-9_-]*", name):
        hint += f" If there is a plugin for it: pip install llem-{name}"
    return UnknownBackend(message, hint=hint)
