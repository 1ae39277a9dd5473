"""How a backend accounts for every parameter of its engine, so that no knob stays hidden.

The engine's public parameters come in *surfaces*: the arguments of a function or a class. Each
parameter of each surface is exposed by a config field, owned by llem, or excluded for a reason;
``llem audit`` compares that with the engine that is really installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from llem.schema.call_plan import Setters, import_dotted


@dataclass(frozen=True, slots=True)
class FoundParameter:
    """A parameter that the engine has.

    Attributes:
        name: Its name.
        default_repr: Its default as Python source, or empty if it has none.
        annotation_text: Its type as the engine states it, or empty.
    """

    name: str
    default_repr: str = ""
    annotation_text: str = ""


@dataclass(frozen=True, slots=True)
class Surface:
    """A function or class of the engine, and what became of its parameters.

    A parameter is *exposed* when a field's ``maps_to``, or the backend's table of shared setters,
    reaches it at one of the places ``at``; that is read off there and not repeated here.

    Attributes:
        name: What the engine calls it, such as ``transformers.GenerationConfig``.
        at: Where its arguments stand in a plan: a call (``generate``), or an object inside one
            (``load.quantization_config``).
        owned: Parameters that llem itself decides about, each with the reason.
        excluded: Parameters left out on purpose, each with the reason.
        not_in_all_versions: Those that some supported versions of the engine lack, so that none
            of them is missed.
        optional: Whether some supported versions have no such function or class at all.
    """

    name: str
    at: tuple[str, ...]
    owned: Mapping[str, str] = field(default_factory=dict)
    excluded: Mapping[str, str] = field(default_factory=dict)
    not_in_all_versions: frozenset[str] = frozenset()
    optional: bool = False


Found = Mapping[str, Sequence[FoundParameter]]
"""The parameters of each surface, by its name."""


@dataclass(frozen=True, slots=True)
class ParameterAudit:
    """What ``llem_parameter_audit()`` returns.

    Attributes:
        surfaces: The engine's public surface.
        introspect: Dotted name of a function without arguments that returns :data:`Found`, read
            from the installed engine; called in the worker (L3).
        shared: The table that the plan is merged with: what sets an argument that no field of
            the backend's own section does. A value that is the path of a shared field
            (``decoder.temperature``) exposes the argument; any other text is the reason why llem
            owns it. Settings of the session may stand in it too, as ``("settings", "seed")``.
        reference: Dotted name of a function that returns :data:`Found` from data that ships with
            the plugin, for where the engine is not installed (L2, but it may read that data), or
            empty. What it says is labelled as such.
    """

    surfaces: tuple[Surface, ...]
    introspect: str
    shared: Setters = field(default_factory=dict)
    reference: str = ""


def parameters_of(target: str) -> list[FoundParameter]:
    """Return the public parameters that a function, method or class of the engine names.

    What it takes through ``**kwargs`` is not among them, because no signature tells.

    When: in the worker only; this is what brings the engine in.

    Args:
        target: Dotted name of the function, method or class.

    Raises:
        ImportError: No such module.
        AttributeError: The module has no such name.
        ValueError: It is native code without a signature.
    """
    import inspect

    found = []
    for parameter in inspect.signature(import_dotted(target)).parameters.values():
        if parameter.name == "self" or parameter.kind in (
            parameter.VAR_POSITIONAL,
            parameter.VAR_KEYWORD,
        ):
            continue
        default = "" if parameter.default is parameter.empty else repr(parameter.default)
        kind = (
            ""
            if parameter.annotation is parameter.empty
            else inspect.formatannotation(parameter.annotation)
        )
        found.append(FoundParameter(parameter.name, default, kind))
    return found
