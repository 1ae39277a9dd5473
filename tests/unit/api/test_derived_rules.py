"""Rules that core derives from the markers of fields."""

from typing import Annotated, Literal

import pytest
from pydantic import create_model

from llem.config.rule_checks import rules_of
from llem.schema.base import IS_SET, EngineArg, FrozenModel, Param
from llem.schema.experiment import BackendConfig, Experiment, Rule
from llem.schema.fields import markers, value_at, walk


class Cache(FrozenModel):
    """A section inside the section."""

    kind: Literal["static", "dynamic"] | None = None
    """Which."""
    length: Annotated[
        int | None,
        Param(
            maps_to=(EngineArg("load", "cache.length"),),
            requires={"x.cache.kind": ("static", "ring")},
        ),
    ] = None
    """How long."""
    share: Annotated[float | None, Param(neutral=(0.5,))] = None
    """How much."""


class Section(BackendConfig):
    """Fields that depend on each other."""

    four: bool | None = None
    """Four bits."""
    eight: Annotated[bool | None, Param(conflicts_with=("x.four",))] = None
    """Eight bits."""
    kind: Annotated[str | None, Param(requires={"x.four": True})] = None
    """Of the four."""
    beams: Annotated[int | None, Param(conflicts_with=("decoder.temperature",))] = None
    """Beams."""
    folder: Annotated[str | None, Param(requires={"model.revision": IS_SET})] = None
    """Where."""
    cache: Cache | None = None
    """Cache."""
    spare: Annotated[Cache | None, Param(requires={"x.four": True})] = None
    """Another cache."""

    rules = (
        Rule(
            name="own-rule",
            fields=("x.four",),
            reason="it is written by hand",
            hint="Leave it.",
            violated=lambda experiment, section: False,
        ),
    )


RULES = {rule.name: rule for rule in rules_of("x", Section)}


def experiment(**sections):
    """Return an experiment on the backend ``x``."""
    model = create_model("Experiment_x", __base__=Experiment, x=(Section, Section()))
    return model.model_validate({"backend": "x", **sections})


def broken(**sections):
    """Return the names of the rules that an experiment breaks."""
    return [name for name, rule in RULES.items() if rule.is_broken_by(experiment(**sections))]


def test_written_and_derived_rules_stand_together():
    assert list(RULES) == [
        "own-rule",
        "kind-needs-four",
        "folder-needs-model-revision",
        "cache-length-needs-cache-kind",
        "spare-needs-four",
        "spare-length-needs-cache-kind",
        "eight-or-four",
        "beams-or-decoder-temperature",
    ]


@pytest.mark.parametrize(
    ("sections", "names"),
    [
        ({}, []),
        ({"x": {"kind": "nf4"}}, ["kind-needs-four"]),
        ({"x": {"kind": "nf4", "four": False}}, ["kind-needs-four"]),
        ({"x": {"kind": "nf4", "four": True}}, []),
        ({"x": {"four": True, "eight": True}}, ["eight-or-four"]),
        ({"x": {"four": True, "eight": False}}, []),
        ({"x": {"eight": True}}, []),
        ({"x": {"beams": 2}}, []),
        ({"x": {"beams": 2}, "decoder": {"temperature": 0.5}}, ["beams-or-decoder-temperature"]),
        ({"x": {"folder": "f"}}, ["folder-needs-model-revision"]),
        ({"x": {"folder": "f"}, "model": {"revision": "main"}}, []),
        ({"x": {"cache": {"length": 4}}}, ["cache-length-needs-cache-kind"]),
        ({"x": {"cache": {"length": 4, "kind": "dynamic"}}}, ["cache-length-needs-cache-kind"]),
        ({"x": {"cache": {"length": 4, "kind": "static"}}}, []),
        ({"x": {"spare": {"share": 0.5}}}, []),
        ({"x": {"spare": {"share": 0.7}}}, ["spare-needs-four"]),
        ({"x": {"spare": {"share": 0.5, "kind": "static"}}}, ["spare-needs-four"]),
        ({"x": {"spare": {}}}, ["spare-needs-four"]),
    ],
)
def test_a_marker_refuses_what_it_says(sections, names):
    assert broken(**sections) == names


def test_a_derived_rule_gives_its_reason_and_the_way_out():
    rule = RULES["cache-length-needs-cache-kind"]
    assert rule.fields == ("x.cache.length", "x.cache.kind")
    assert rule.reason == "it acts only when x.cache.kind is static or ring"
    assert rule.hint == "Set x.cache.kind to static or ring, or remove x.cache.length."
    assert RULES["kind-needs-four"].hint == "Set x.four to true, or remove x.kind."
    assert RULES["folder-needs-model-revision"].hint == "Set model.revision, or remove x.folder."


def test_fields_are_walked_into_their_sections():
    fields = {field.path: field for field in walk(Section, "x.")}
    assert list(fields)[5:8] == ["x.cache", "x.cache.kind", "x.cache.length"]
    assert fields["x.cache"].is_section
    assert not fields["x.cache.length"].is_section
    (engine,) = fields["x.cache.length"].param.maps_to
    assert (engine.place, engine.parameter, str(engine)) == (
        "load.cache",
        "length",
        "load.cache.length",
    )
    assert (EngineArg("load", "dtype").place, EngineArg("load", "dtype").parameter) == (
        "load",
        "dtype",
    )


def test_markers_are_found_wherever_the_annotation_has_them():
    class Model(FrozenModel):
        outside: Annotated[int | None, Param(unit="s")] = None
        inside: Annotated[int, Param(unit="W")] | None = None
        nowhere: int | None = None

    units = [
        [marker.unit for marker in markers(info, Param)] for info in Model.model_fields.values()
    ]
    assert units == [["s"], ["W"], []]


def test_a_value_below_an_unset_section_is_unset():
    assert value_at(experiment(), "x.cache.length") is None
    assert value_at(experiment(x={"cache": {"length": 3}}), "x.cache.length") == 3
