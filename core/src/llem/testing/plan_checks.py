"""Checks of the plan: the engine calls that an experiment leads to."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from llem.errors import ConfigError
from llem.schema.call_plan import CallPlan
from llem.schema.fields import ConfigField
from llem.testing.check_definition import Fault, check
from llem.testing.config_checks import settable
from llem.testing.field_effects import Effect, accounts_for, effects, leaves
from llem.testing.plugin_under_test import PluginUnderTest
from llem.testing.prerequisites import Requires

NOT_IN_THE_PLAN = {"model.id", "decoder.preset", "decoder.max_new_tokens"}
"""A positional argument, a preset of other fields, and a number that core puts into requests."""

_MERGE = "Let llem.api.build_plan make the plan of the calls."


@check(Requires.MARKERS)
def check_kwargs_plan(subject: PluginUnderTest) -> Iterator[Fault]:
    """llem_build_kwargs returns a plan whose calls have unique names."""
    plan = subject.base_plan
    counts = Counter(call.name for call in plan.calls)
    yield from (Fault(f"several calls are named {name}") for name, n in counts.items() if n > 1)


@check(Requires.PLAN)
def check_kwargs_builds(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every experiment that validates has a plan, or is refused with a reason."""
    for field, effect in _tried(subject):
        if effect.broken:
            yield Fault(f"{field.path}: {effect.value!r}: {effect.broken}")


@check(Requires.PLAN)
def check_kwargs_data(subject: PluginUnderTest) -> Iterator[Fault]:
    """A plan is data: written as JSON it reads back as the same plan."""
    plans = [("the plan", subject.base_plan)]
    plans += [
        (f"{field.path}: {effect.value!r}", effect.plan)
        for field, effect in _tried(subject)
        if effect.plan is not None
    ]
    for what, plan in plans:
        try:
            written = json.dumps(plan.to_json(), allow_nan=False)
        except (TypeError, ValueError) as error:
            hint = "Name objects with Symbol, and let the worker build them with Construct."
            yield Fault(f"{what}: {error}", hint)
            continue
        if json.dumps(CallPlan.from_json(json.loads(written)).to_json()) != written:
            yield Fault(f"{what} reads back as another plan")


@check(Requires.PLAN)
def check_kwargs_repeatable(subject: PluginUnderTest) -> Iterator[Fault]:
    """The same experiment yields the same plan in every process."""
    hint = "Use no clock, no random number, and no order of a set."
    ours = subject.base_plan.to_json()
    if subject.plan({}).to_json() != ours:
        yield Fault("a second plan of the same experiment differs", hint)
    elif json.loads(json.dumps(ours)) != subject.isolated.plan:
        yield Fault("another process makes another plan of the same experiment", hint)


@check(Requires.PLAN)
def check_kwargs_pure(subject: PluginUnderTest) -> Iterator[Fault]:
    """Building a plan loads no engine, and touches no file, network, environment or device."""
    stage = subject.isolated.planning
    hint = "Name objects of the engine with Symbol and Construct; the worker imports them."
    yield from (Fault(f"it imports {name}", hint) for name in stage.imports)
    yield from (Fault(f"it touches {effect}") for effect in stage.effects)


@check(Requires.PLAN)
def check_kwargs_unset(subject: PluginUnderTest) -> Iterator[Fault]:
    """An unset field adds no argument to a call."""
    present = leaves(subject.base_plan)
    audit = subject.required_backend.parameter_audit()
    shared = {f"{call}.{name}" for call, name in audit.shared} if audit else set()
    for field in subject.fields:
        if field.path in subject.settings:
            continue  # the suite sets it, because sessions need it
        for engine in field.maps_to:
            name = str(engine)
            if engine.call == "settings" or not engine.name or name in shared:
                continue
            if name in present:
                yield Fault(
                    f"{field.path} is unset, and the plan has {name}: {present[name]!r}",
                    hint="Leave out None values; the engine has its own defaults.",
                )


@check(Requires.PLAN)
def check_kwargs_no_dead_field(subject: PluginUnderTest) -> Iterator[Fault]:
    """Every field changes each argument that it maps to."""
    for field in settable(subject):
        mapped = {str(engine) for engine in field.maps_to}
        if not mapped:
            yield Fault(f"{field.path} maps to no engine parameter", "Give it Param(maps_to=…).")
        tried = effects(subject, field)
        if not tried or any(effect.refused or effect.broken for effect in tried):
            continue  # other checks report it
        changed = {name for effect in tried for name in effect.changed}
        for target in sorted(mapped):
            if not any(accounts_for(target, name) for name in changed):
                yield Fault(f"{field.path} does not set {target}, with any of its examples")


@check(Requires.PLAN)
def check_kwargs_no_stray_effect(subject: PluginUnderTest) -> Iterator[Fault]:
    """A field changes only the arguments that it maps to."""
    for field, effect in _tried(subject):
        mapped = {str(engine) for engine in field.maps_to}
        strays = _strays(effect, mapped) if mapped else []
        yield from (
            Fault(f"{field.path}: {effect.value!r} sets {name} as well", "Add it to maps_to.")
            for name in strays
        )


@check(Requires.ENGINE)
def check_kwargs_shared_field(subject: PluginUnderTest) -> Iterator[Fault]:
    """A shared field changes the plan or is refused; it is never dropped."""
    for field in _shared(subject):
        tried = effects(subject, field)
        if not any(effect.changed or effect.refused or effect.broken for effect in tried):
            yield Fault(
                f"{field.path} changes nothing, with any of its examples",
                hint="Put it into the plan, or refuse it with a Rule or a ConfigError.",
            )


@check(Requires.AUDIT)
def check_kwargs_shared_stray(subject: PluginUnderTest) -> Iterator[Fault]:
    """A shared field changes only the arguments that the audit's table assigns to it."""
    for field in _shared(subject):
        section = field.path.partition(".")[0]
        # Fields of a section depend on each other: greedy decoding has no temperature.
        arguments = {
            f"{call}.{name}"
            for (call, name), setter in subject.audit.shared.items()
            if setter.startswith(f"{section}.")
        }
        for effect in effects(subject, field):
            strays = [] if effect.refused else _strays(effect, arguments)
            yield from (Fault(f"{field.path}: {effect.value!r} sets {name}") for name in strays)


@check(Requires.PLAN)
def check_kwargs_passthrough(subject: PluginUnderTest) -> Iterator[Fault]:
    """passthrough_kwargs reach the call they name; an unknown call is refused."""
    for call in subject.base_plan.calls:
        plan = subject.plan({"passthrough_kwargs": {call.name: {"llem_check": 1}}})
        if plan.call(call.name).kwargs.get("llem_check") != 1:
            yield Fault(f"an argument passed on to {call.name} is dropped", _MERGE)
    if not _refuses(subject, "no_such_call", "llem_check"):
        yield Fault("an argument passed on to a call that does not exist is accepted", _MERGE)


@check(Requires.PLAN)
def check_kwargs_passthrough_guarded(subject: PluginUnderTest) -> Iterator[Fault]:
    """passthrough_kwargs cannot set an argument that a field sets."""
    calls = {call.name for call in subject.base_plan.calls}
    engines = (engine for field in subject.fields for engine in field.maps_to)
    for call, argument in sorted(
        {(engine.call, engine.name.partition(".")[0]) for engine in engines}
    ):
        if call in calls and argument and not _refuses(subject, call, argument):
            yield Fault(f"{call} takes {argument} from passthrough_kwargs as well", _MERGE)


def _refuses(subject: PluginUnderTest, call: str, argument: str) -> bool:
    try:
        subject.plan({"passthrough_kwargs": {call: {argument: 1}}})
    except ConfigError:
        return True
    return False


def _tried(subject: PluginUnderTest) -> Iterator[tuple[ConfigField, Effect]]:
    for field in settable(subject):
        for effect in effects(subject, field):
            yield field, effect


def _shared(subject: PluginUnderTest) -> Iterator[ConfigField]:
    """Yield the shared fields that a backend has to map or refuse."""
    honored = subject.required_backend.info.decoder_parameters
    for path, field in subject.all_fields.items():
        section, _, name = path.partition(".")
        acts = section == "model" or (section == "decoder" and name in honored)
        if name and acts and path not in NOT_IN_THE_PLAN:
            yield field


def _strays(effect: Effect, mapped: set[str]) -> list[str]:
    return sorted(
        name for name in effect.changed if not any(accounts_for(target, name) for target in mapped)
    )
