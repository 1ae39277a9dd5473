"""Import one plugin, guarded: whatever it does, the others go on."""

from __future__ import annotations

import importlib
from types import ModuleType

import pluggy

from llem.api.errors import PluginBroken
from llem.registry.records import PluginRecord


def load_module(manager: pluggy.PluginManager, record: PluginRecord) -> ModuleType:
    """Import the plugin's module and register its hooks under the plugin's name.

    Raises:
        PluginBroken: It could not be imported, or a hook of it does not exist or has other
            arguments than specified.
    """
    try:
        module = importlib.import_module(record.module)
    except (Exception, SystemExit) as error:
        raise PluginBroken(
            f"plugin {record.name!r} cannot be imported: {type(error).__name__}: {error}",
            hint=f"Reinstall or upgrade it: pip install --upgrade {record.distribution}",
        ) from error
    try:
        _register(manager, module, record.name)
    # ValueError: the module is registered already, under another plugin's name.
    except (pluggy.PluginValidationError, ValueError) as error:
        if manager.get_plugin(record.name) is module:
            manager.unregister(module)
        raise PluginBroken(
            f"plugin {record.name!r} does not fit this llem: {' '.join(str(error).split())}",
            hint=f"Install the {record.distribution} that was made for this version of llem-core.",
        ) from error
    return module


def _register(manager: pluggy.PluginManager, module: ModuleType, name: str) -> None:
    manager.register(module, name=name)
    unknown = [hook.name for hook in manager.get_hookcallers(module) or () if not hook.has_spec()]
    if unknown:
        raise pluggy.PluginValidationError(module, f"unknown hooks {', '.join(sorted(unknown))}")
