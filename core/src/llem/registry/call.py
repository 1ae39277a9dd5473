"""Call code of one plugin, guarded, so that every answer and every fault has an author."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from llem.api.errors import LlemError, PluginBroken

Answer = TypeVar("Answer")


def call_hook(
    manager: pluggy.PluginManager, module: ModuleType, hook: str, **arguments: Any
) -> Any:
    """Return what the plugin ``module`` answers to ``hook``, or ``None`` if it has no such hook.

    Raises:
        LlemError: The plugin refused on purpose.
        PluginBroken: The hook raised anything else.
    """
    # Made anew for each call: a cached one would also call plugins that were loaded since.
    others = [plugin for plugin in manager.get_plugins() if plugin is not module]
    caller = manager.subset_hook_caller(hook, others)
    name = manager.get_name(module)
    answers = guarded(lambda: caller(**arguments), f"hook {hook} of plugin {name!r}")
    return answers[0] if answers else None


def guarded(call: Callable[[], Answer], what: str) -> Answer:
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
