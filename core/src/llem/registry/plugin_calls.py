"""Run the code of a plugin, so that each error names the plugin it comes from."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import pluggy

from llem.errors import LlemError, PluginBroken
from llem.registry.scan import PluginRecord


@contextmanager
def plugin_errors(what: str) -> Iterator[None]:
    """Turn what a plugin's code raises in the block into an error of llem's.

    Args:
        what: The code, for the message: ``hook llem_meters of plugin 'demo'``.

    Raises:
        LlemError: The plugin refused on purpose.
        PluginBroken: It raised anything else.
    """
    try:
        yield
    except LlemError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginBroken(
            f"{what} failed: {type(error).__name__}: {error}",
            hint="This is a fault of the plugin; LLEM_DEBUG=1 shows where.",
        ) from error


def hook_caller(manager: pluggy.PluginManager, module: ModuleType, hook: str) -> Callable[..., Any]:
    """Return what calls ``hook`` of the plugin ``module``, and of no other plugin loaded so far.

    It takes the hook's arguments by name and returns a list: the plugin's answer, or nothing if
    the plugin does not implement the hook or answers ``None``.
    """
    others = [plugin for plugin in manager.get_plugins() if plugin is not module]
    return manager.subset_hook_caller(hook, others)


def load_module(manager: pluggy.PluginManager, record: PluginRecord) -> ModuleType:
    """Import the plugin's module and register its hooks under the plugin's name.

    Raises:
        PluginBroken: It cannot be imported, or one of its hooks does not exist or has other
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
