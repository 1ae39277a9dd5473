"""The objects that a plan's calls make."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from llem.schema.call_plan import Call, import_dotted, resolve, resolve_kwargs


class Objects:
    """Makes the calls of one plan and keeps their results by name."""

    def __init__(self) -> None:
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        return self._made[name]

    def __contains__(self, name: str) -> bool:
        return name in self._made

    def make(self, call: Call) -> Any:
        """Make ``call`` unless it was made before, and return its result."""
        if not call.assign:
            return self.call(call)
        if call.assign not in self._made:
            self._made[call.assign] = self.call(call)
        return self._made[call.assign]

    def call(self, call: Call) -> Any:
        """Make ``call``, with the results that it names as run-time arguments."""
        arguments = {**resolve_kwargs(call), **{name: self._made[name] for name in call.runtime}}
        return self.find(call.target)(*map(resolve, call.args), **arguments)

    def find(self, target: str) -> Callable[..., Any]:
        """Return what ``target`` names: part of an earlier call's result, or a library function."""
        name, _, attribute = target.partition(".")
        if name in self._made:
            found: Callable[..., Any] = attrgetter(attribute)(self._made[name])
            return found
        return import_dotted(target)  # type: ignore[no-any-return]

    def drop(self, name: str) -> None:
        """Drop one result, if it was made, so that it is made anew."""
        self._made.pop(name, None)

    def clear(self) -> None:
        """Drop every result."""
        self._made.clear()
