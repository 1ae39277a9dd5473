"""Every parameter is a record of its field and the field's markers."""

from __future__ import annotations

import json

import pytest

from llem import introspect
from llem.errors import UnknownBackend
from llem.introspect.config_parameters import Parameter, parameter_table
from llem.introspect.constraints import rule_table, rules_json
from llem.tables import render_json, render_markdown, render_text

BACKEND = """
from typing import Annotated, Literal

from pydantic import Field

from llem.api.parameter_audit import ParameterAudit, Surface
from llem.schema.base import EngineArg, FrozenModel, Param
from llem.schema.experiment import BackendConfig, Rule

class Cache(FrozenModel):
    '''Where keys and values are kept.'''
    kind: Annotated[
        Literal["static", "paged"] | None,
        Param(maps_to=(EngineArg("load", "cache.kind"),), min_compute_capability={"paged": (9, 0)}),
    ] = None
    '''Which kind.'''
    length: Annotated[
        Annotated[int, Field(ge=1, le=4096)] | None,
        Param(
            unit="tokens",
            maps_to=(EngineArg("load", "cache.length"),),
            requires={"fast.cache.kind": "static"},
            min_compute_capability=(8, 0),
            packages={4: ("lib-four",)},
            examples=(128,),
        ),
    ] = None
    '''How long
    it is.'''

class Section(BackendConfig):
    '''What fast takes.'''
    four: bool | None = None
    '''Four bits.'''
    eight: Annotated[
        bool | None, Param(conflicts_with=("fast.four",), ignored_when="the moon is full")
    ] = None
    '''Eight bits.'''
    cache: Cache | None = None
    '''The cache.'''
    wait_s: Annotated[float | None, Field(gt=0)] = None
    '''How long it waits.'''
    rules = (
        Rule("fast-and-idle", ("fast.wait_s",), "it idles", "Remove it.", bool, "warning"),
    )

@hookimpl
def llem_config_model(): return Section

@hookimpl
def llem_parameter_audit():
    return ParameterAudit(
        (), "x.y", {("load", "dtype"): "model.dtype", ("run", "t"): "decoder.temperature"}
    )
"""


@pytest.fixture
def registry(environment, source):
    """A registry of a backend with a section, one without, and a broken one."""
    environment.install("llem-fast", {"fast": source("fast", more=BACKEND)})
    environment.install("llem-slow", {"slow": source("slow")})
    environment.install("llem-void", {"void": "1 / 0"})
    return environment.registry()


@pytest.fixture
def found(registry) -> dict[str, Parameter]:
    return {parameter.path: parameter for parameter in introspect.parameters(registry, "fast")}


def test_nested_fields_are_walked_and_sections_are_no_parameters(found):
    own = [parameter.path for parameter in found.values() if parameter.backend]
    assert own == [
        "fast.four",
        "fast.eight",
        "fast.cache.kind",
        "fast.cache.length",
        "fast.wait_s",
    ]
    assert found["fast.cache.length"] == Parameter(
        path="fast.cache.length",
        backend="fast",
        models=("Cache",),
        kind="integer ≥ 1, ≤ 4,096",
        default=None,
        required=False,
        bounds={"minimum": 1, "maximum": 4096},
        choices=(),
        unit="tokens",
        maps_to={"fast": ("load.cache.length",)},
        requires={"fast.cache.kind": "static"},
        conflicts_with=(),
        ignored_when="",
        min_compute_capability={"*": (8, 0)},
        native_compute_capability={},
        gpus={},
        packages={"4": ("lib-four",)},
        needs=("compute capability 8.0", "the package lib-four for 4"),
        examples=(128,),
        description="How long it is.",
    )


def test_exclusion_holds_both_ways_and_a_unit_may_be_in_the_name(found):
    assert found["fast.four"].conflicts_with == ("fast.eight",)
    assert found["fast.eight"].conflicts_with == ("fast.four",)
    assert (found["fast.wait_s"].unit, found["fast.wait_s"].bounds) == (
        "s",
        {"exclusiveMinimum": 0},
    )
    assert found["fast.cache.kind"].choices == ("static", "paged")


def test_a_shared_parameter_says_where_each_backend_puts_it(registry):
    shared = {
        parameter.path: parameter
        for parameter in introspect.parameters(registry)
        if parameter.backend is None
    }
    assert shared["model.dtype"].maps_to == {"fast": ("load.dtype",)}
    assert shared["decoder.temperature"].maps_to == {"fast": ("run.t",)}
    assert shared["model.id"].maps_to == {}
    assert "model" not in shared


def test_what_several_sections_have_alike_is_one_parameter(registry):
    found = [
        parameter
        for parameter in introspect.parameters(registry)
        if parameter.path == "workload.seed"
    ]
    assert [len(parameter.models) for parameter in found] == [5]
    sources = [
        parameter
        for parameter in introspect.parameters(registry)
        if parameter.path == "workload.source"
    ]
    assert len(sources) == 5


def test_what_is_refused_is_listed(registry):
    found = introspect.validation_rules(registry, "fast")
    assert "greedy-ignores-top-p" in {rule.name for rule in found[None]}
    rules = {rule.name: rule for rule in found["fast"]}
    assert rules["cache-length-needs-cache-kind"].fields == (
        "fast.cache.length",
        "fast.cache.kind",
    )
    assert rules["eight-or-four"].hint == "Remove fast.eight or fast.four."
    assert rules["fast-and-idle"].severity == "warning"
    assert "| fast-and-idle (warning only) |" in render_markdown(rule_table(found))
    assert {**introspect.validation_rules(registry), "slow": ()} == {**found, "slow": ()}


def test_rules_are_json(registry):
    found = introspect.validation_rules(registry, "fast")
    document = json.loads(render_json(rules_json(found)))
    assert [rule["name"] for rule in document] == [
        rule.name for rules in found.values() for rule in rules
    ]
    (rule,) = [rule for rule in document if rule["name"] == "eight-or-four"]
    assert (rule["backend"], rule["severity"]) == ("fast", "error")
    assert set(rule["fields"]) == {"fast.eight", "fast.four"}
    assert {rule["backend"] for rule in document} == {None, "fast"}


def test_conditions_are_listed(registry):
    assert [
        (skip_condition.parameter, skip_condition.condition)
        for skip_condition in introspect.skip_conditions(registry, "fast")
    ] == [
        ("fast.eight", "when the moon is full"),
        ("fast.cache.kind", "without compute capability 9.0 for paged"),
        ("fast.cache.length", "unless fast.cache.kind is static"),
        ("fast.cache.length", "without compute capability 8.0"),
        ("fast.cache.length", "without the package lib-four for 4"),
    ]
    (pair,) = introspect.mutual_exclusions(registry, "fast")
    assert set(pair.parameters) == {"fast.four", "fast.eight"}
    assert [
        (
            compute_capability_need.parameter,
            compute_capability_need.value,
            compute_capability_need.compute_capability,
        )
        for compute_capability_need in introspect.compute_capability_needs(registry)
    ] == [("fast.cache.kind", "paged", (9, 0)), ("fast.cache.length", "*", (8, 0))]


def test_the_table_says_all_of_it(found):
    listing = parameter_table([found["fast.cache.length"], found["fast.eight"]])
    assert render_markdown(listing).splitlines()[2:] == [
        "| fast.cache.length | integer ≥ 1, ≤ 4,096 | tokens | null | load.cache.length "
        "| How long it is. Needs fast.cache.kind: static. Needs compute capability 8.0; "
        "the package lib-four for 4. "
        "Such as 128. |",
        "| fast.eight | boolean |  | null |  | Eight bits. Not with fast.four. "
        "Skipped when the moon is full. |",
    ]


def test_a_value_may_need_a_newer_device_than_others(found):
    text = render_text(parameter_table([found["fast.cache.kind"]]))
    assert "Needs compute capability 9.0 for paged." in text


def test_the_plain_table_has_no_backticks(found):
    text = render_text(parameter_table([found["fast.cache.kind"]], plain=True))
    assert '"static" or "paged"' in text
    assert "`" not in text


def test_everything_is_json(registry):
    document = json.loads(render_json(introspect.parameters(registry)))
    assert {parameter["path"] for parameter in document} >= {"model.id", "fast.cache.kind"}


def test_an_unknown_backend_is_refused(registry):
    with pytest.raises(UnknownBackend, match="Did you mean 'fast'"):
        introspect.parameters(registry, "fsat")


def test_there_are_no_other_questions():
    with pytest.raises(AttributeError, match="has no attribute 'guess'"):
        introspect.guess  # noqa: B018
    assert all(callable(getattr(introspect, name)) for name in introspect.__all__)
