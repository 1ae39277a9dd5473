"""Each field of each installed backend: described, bounded, and not without effect."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Annotated

import pytest

from llem.api.capability import BackendInfo
from llem.api.config import BackendConfig, Engine, Experiment, Param
from llem.api.config.derived import rules_of
from llem.api.config.fields import walk
from llem.api.plan import Call, CallPlan, Construct
from llem.config import experiment_model
from llem.config.rules import RULES
from llem.introspect.kinds import bounds, numeric
from llem.introspect.parameter import schema_of
from llem.introspect.units import unit_of
from llem.registry import Registry

from .effects import accounts_for, effects

BACKENDS = {backend.name: backend for backend in Registry.discover().backends()}
ENGINES = {name: one for name, one in BACKENDS.items() if one.info.engine is not None}
OWN_FIELDS = [
    pytest.param(backend, field, id=f"{field.owner.__name__}-{field.path}")
    for backend in BACKENDS.values()
    for field in walk(backend.config_model(), f"{backend.name}.")
    if field.param.maps_to or not field.is_section
]
FIELDS = [
    *(
        pytest.param(BACKENDS["simulated"], field, id=f"{field.owner.__name__}-{field.path}")
        for field in walk(Experiment)
    ),
    *OWN_FIELDS,
]
NOT_IN_THE_PLAN = {"model.id", "decoder.preset", "decoder.max_new_tokens"}
"""An argument without a name, what fills in other fields, and what core turns into requests."""
SHARED_FIELDS = [
    pytest.param(backend, field, id=f"{name}-{field.path}")
    for name, backend in ENGINES.items()
    for field in walk(experiment_model(backend))
    if field.path.startswith(("model.", "decoder.")) and field.path not in NOT_IN_THE_PLAN
    if not field.path.startswith("decoder.")
    or field.path.partition(".")[2] in backend.info.decoder_parameters
]


@pytest.mark.parametrize(("backend", "field"), FIELDS)
def test_a_field_is_described_and_a_number_has_bounds_and_a_unit(backend, field):
    assert field.info.description
    schema, _ = schema_of(field)
    if list(numeric(schema)):
        assert bounds(schema)
        assert field.param.unit or unit_of(field.path.rpartition(".")[2])


@pytest.mark.parametrize(("backend", "field"), OWN_FIELDS)
def test_a_field_that_nobody_sets_emits_nothing(backend, field):
    if field.path.count(".") == 1:
        assert field.info.default is None
    assert field.param.maps_to, f"{field.path} is dead: it maps to no engine parameter"


@pytest.mark.parametrize(("backend", "field"), FIELDS)
def test_markers_name_fields_that_exist(backend, field):
    known = {one.path for one in walk(experiment_model(backend))}
    param = field.param
    assert {*param.needs, *param.excludes, *param.example_with} <= known


@pytest.mark.parametrize(("backend", "field"), OWN_FIELDS)
def test_a_field_changes_exactly_what_it_maps_to(backend, field):
    check_effects(backend, field, {str(engine) for engine in field.param.maps_to})


def check_effects(backend, field, mapped):
    """Check that the field's values change all of ``mapped``, between them, and nothing else."""
    found = effects(backend, field)
    for effect in found:
        assert effect.refused == (), f"{field.path}: {effect.value!r}"
        strays = {
            name for name in effect.changed if not any(accounts_for(one, name) for one in mapped)
        }
        assert strays == set(), f"{field.path}: {effect.value!r} changes what it does not map to"
    changed = set().union(*(effect.changed for effect in found))
    idle = {one for one in mapped if not any(accounts_for(one, name) for name in changed)}
    assert idle == set(), f"{field.path} changes nothing there, with any of its examples"


@pytest.mark.parametrize(("backend", "field"), SHARED_FIELDS)
def test_a_shared_field_acts_or_is_refused(backend, field):
    found = effects(backend, field)
    assert any(effect.changed or effect.refused for effect in found), f"{field.path} is dropped"
    audit = backend.parameter_audit()
    if audit is None:
        return
    section = field.path.partition(".")[0]
    # One decides about another: greedy decoding has no temperature.
    arguments = {
        f"{call}.{name}"
        for (call, name), setter in audit.shared.items()
        if setter.startswith(f"{section}.")
    }
    for effect in found:
        strays = {
            name
            for name in effect.changed
            if not any(accounts_for(argument, name) for argument in arguments)
        }
        assert strays == set() or effect.refused, f"{effect.value!r} changes what it does not set"


@pytest.mark.parametrize("backend", BACKENDS.values(), ids=BACKENDS)
def test_rules_have_names_of_their_own_and_say_the_way_out(backend):
    rules = (*RULES, *rules_of(backend.name, backend.config_model()))
    names = [rule.name for rule in rules]
    assert len(set(names)) == len(names)
    known = {field.path for field in walk(experiment_model(backend))}
    for rule in rules:
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule.name)
        assert set(rule.fields) <= known, rule.name
        assert not rule.reason.endswith("."), rule.name
        assert rule.remedy.endswith("."), rule.name


class Section(BackendConfig):
    """Fields with every fault that the check above must find."""

    sound: Annotated[int | None, Param(maps_to=(Engine("load", "box.a"),), examples=(1,))] = None
    """Goes into an object of the call."""
    dead: Annotated[int | None, Param(maps_to=(Engine("load", "d"),), examples=(1,))] = None
    """Reaches no plan."""
    wide: Annotated[int | None, Param(maps_to=(Engine("load", "w"),), examples=(1,))] = None
    """Sets a second argument."""


def _plan(experiment):
    section = experiment.section
    kwargs = {}
    if section.sound is not None:
        kwargs["box"] = Construct("engine.Box", {"a": section.sound})
    if section.wide is not None:
        kwargs |= {"w": section.wide, "also": True}
    return CallPlan(calls=(Call("load", "engine.load", kwargs),))


FAULTY = SimpleNamespace(
    name="faulty",
    info=BackendInfo("faulty", "A backend with faults"),
    config_model=lambda: Section,
    build_plan=_plan,
)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("dead", "changes nothing there"), ("wide", "changes what it does not map to")],
)
def test_a_dead_or_leaking_field_is_found(name, complaint):
    (field,) = [one for one in walk(Section, "faulty.") if one.path == f"faulty.{name}"]
    with pytest.raises(AssertionError, match=complaint):
        check_effects(FAULTY, field, {str(engine) for engine in field.param.maps_to})


def test_an_argument_inside_an_object_counts():
    (field,) = [one for one in walk(Section, "faulty.") if one.path == "faulty.sound"]
    (effect,) = effects(FAULTY, field)
    assert effect.changed == {"load.box", "load.box.a"}
    check_effects(FAULTY, field, {"load.box.a"})
    with pytest.raises(AssertionError, match="changes what it does not map to"):
        check_effects(FAULTY, field, {"load.box.b"})
