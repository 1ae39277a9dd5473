"""Make the calls of a plan in the worker: what ``llem explain`` prints is what runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from llem.schema.call_plan import Call, CallPlan, import_dotted, resolve, resolve_kwargs


class PlanExecutor:
    """Makes the calls of a plan and keeps the results that they assign, by name.

    When: in the worker only; a call's target brings the engine in.

    Args:
        plan: The plan. A session that is reopened gives the attribute of this name another one;
            results stay.
    """

    def __init__(self, plan: CallPlan) -> None:
        self.plan = plan
        self._objects: dict[str, Any] = {}

    @property
    def objects(self) -> Mapping[str, Any]:
        """The results that calls made so far have assigned, by name."""
        return MappingProxyType(self._objects)

    def execute(self, name: str, **runtime: Any) -> Any:
        """Make the call ``name``, keep its result if it is assigned, and return it.

        Args:
            name: The call's name in the plan.
            runtime: The arguments that exist only now, those that the call lists as such. A
                result assigned under such a name is filled in.

        Raises:
            KeyError: The plan has no such call.
            TypeError: ``runtime`` lacks an argument, or has one that the call does not list.
        """
        result = self.bind(name)(**runtime)
        if assign := self.plan.call(name).assign:
            self._objects[assign] = result
        return result

    def bind(self, name: str) -> Callable[..., Any]:
        """Return the call ``name`` as a function of its run-time arguments alone.

        Target and other arguments are looked up and built now, once for all calls of the
        function, so that nothing but the engine's work is left to a window. Results are not kept.

        Raises:
            KeyError: The plan has no such call.
        """
        call = self.plan.call(name)
        target, arguments = self._target(call), self.arguments(name)
        positional = [resolve(value) for value in call.args]
        names = frozenset(call.runtime)
        missing = names - arguments.keys()

        def make(**runtime: Any) -> Any:
            if not missing <= runtime.keys() <= names:
                raise TypeError(
                    f"call {name} takes {', '.join(sorted(missing)) or 'nothing'} at run time, "
                    f"and was given {', '.join(sorted(runtime)) or 'nothing'}"
                )
            return target(*positional, **{**arguments, **runtime})

        return make

    def arguments(self, name: str) -> dict[str, Any]:
        """Return the keyword arguments of the call ``name`` as far as they are known now.

        Raises:
            KeyError: The plan has no such call.
        """
        call = self.plan.call(name)
        assigned = {key: self._objects[key] for key in call.runtime if key in self._objects}
        return {**resolve_kwargs(call), **assigned}

    def forget(self, name: str) -> None:
        """Drop the result assigned to ``name``, if there is one."""
        self._objects.pop(name, None)

    def clear(self) -> None:
        """Drop every result."""
        self._objects.clear()

    def _target(self, call: Call) -> Callable[..., Any]:
        """Return what is called: a part of an earlier call's result, or an importable object."""
        first, _, attribute = call.target.partition(".")
        if first in self._objects:
            found: Callable[..., Any] = attrgetter(attribute)(self._objects[first])
            return found
        for earlier in self.plan.calls:
            if earlier.assign == first:
                raise RuntimeError(f"call {call.name} needs {first}, which {earlier.name} makes")
        return import_dotted(call.target)  # type: ignore[no-any-return]
