"""Call code of one plugin, guarded, so that every answer and every fault has an author."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from llem.errors import LlemError, PluginBroken
from llem.registry.scan import PluginRecord

Answer = TypeVar("Answer")


def hook_caller(manager: pluggy.PluginManager, module: ModuleType, hook: str) -> Callable[..., Any]:
    """Return what calls ``hook`` of the plugin ``module`` and of no other one loaded so far.

    It takes the hook's arguments by name, and returns the plugin's answer, or ``None`` if the
    plugin has no such hook. It raises :class:`~llem.errors.LlemError` where the plugin
    refuses on purpose, and :class:`~llem.errors.PluginBroken` where it raises anything else.
    """
    others = [plugin for plugin in manager.get_plugins() if plugin is not module]
    caller = manager.subset_hook_caller(hook, others)
    what = f"hook {hook} of plugin {manager.get_name(module)!r}"

    def call(**arguments: Any) -> Any:
        answers = safe_call(lambda: caller(**arguments), what)
        return answers[0] if answers else None

    return call


def safe_call(call: Callable[[], Answer], what: str) -> Answer:
    """Return what ``call``, a plugin's code, returns.

    Args:
        call: The code.
        what: What it is, for the message.

    Raises:
        LlemError: The plugin refused on purpose.
        PluginBroken: It raised anything else.
    """
    try:
        return call()
    except LlemError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginBroken(
            f"{what} failed: {type(error).__name__}: {error}",
            hint="This is a fault of the plugin; LLEM_DEBUG=1 shows where.",
        ) from error


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
