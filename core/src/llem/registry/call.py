"""Call code of one plugin, guarded, so that every answer and every fault has an author."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

import pluggy

from llem.api.errors import LlemError, PluginBroken

Answer = TypeVar("Answer")


def hook_of(manager: pluggy.PluginManager, module: ModuleType, hook: str) -> Callable[..., Any]:
    """Return what calls ``hook`` of the plugin ``module`` and of no other one loaded so far.

    It takes the hook's arguments by name, and returns the plugin's answer, or ``None`` if the
    plugin has no such hook. It raises :class:`~llem.api.errors.LlemError` where the plugin
    refuses on purpose, and :class:`~llem.api.errors.PluginBroken` where it raises anything else.
    """
    others = [plugin for plugin in manager.get_plugins() if plugin is not module]
    caller = manager.subset_hook_caller(hook, others)
    what = f"hook {hook} of plugin {manager.get_name(module)!r}"

    def call(**arguments: Any) -> Any:
        answers = guarded(lambda: caller(**arguments), what)
        return answers[0] if answers else None

    return call


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
