"""A backend's declaration of engine parameters is compared with the engine's parameters."""

from dataclasses import replace
from typing import Annotated

import pytest

from llem.api.parameter_audit import FoundParameter, ParameterAudit, Surface
from llem.introspect.engine_audit import HINTS, Classification, audited
from llem.schema.base import EngineArg, FrozenModel, Param
from llem.schema.experiment import BackendConfig


class Quantization(FrozenModel):
    """An object of the load call."""

    bits: Annotated[int | None, Param(maps_to=(EngineArg("load", "quantization.bits"),))] = None
    """How many."""


class Section(BackendConfig):
    """Fields for a few of the parameters."""

    size: Annotated[
        int | None, Param(maps_to=(EngineArg("load", "size"), EngineArg("settings", "size")))
    ] = None
    """Size."""
    quantization: Quantization | None = None
    """How weights are packed."""
    mode: Annotated[str | None, Param(maps_to=(EngineArg("generate", ""),))] = None
    """Which function is called."""


def surfaces(load=("size", "dtype", "quantization"), quantization=("bits",), **more):
    found = {"engine.load": load, "engine.Quantization": quantization, **more}
    return {
        name: tuple(FoundParameter(name, "None", "int") for name in names)
        for name, names in found.items()
    }


def declared(owned=(), excluded=(), shared=(("dtype", "model.dtype"),)):
    return ParameterAudit(
        surfaces=(
            Surface(
                "engine.load",
                at=("load",),
                owned={"quantization": "built from the fields inside it", **dict(owned)},
                excluded=dict(excluded),
            ),
            Surface("engine.Quantization", at=("load.quantization",)),
        ),
        introspect="engine.read",
        shared={("load", name): setter for name, setter in shared},
    )


def classified(audit, found):
    """Return the classification and the reason of every parameter."""
    rows = audited("x", Section, audit, found)
    return {(row.surface, row.name): (row.classification, row.reason) for row in rows}


def faults(audit, found):
    return {
        name: classification
        for (_, name), (classification, _) in classified(audit, found).items()
        if classification in HINTS
    }


def test_a_parameter_is_exposed_by_its_field_or_owned_for_a_reason():
    assert classified(declared(), surfaces()) == {
        ("engine.load", "size"): (Classification.EXPOSED, "x.size"),
        ("engine.load", "dtype"): (Classification.EXPOSED, "model.dtype"),
        ("engine.load", "quantization"): (Classification.OWNED, "built from the fields inside it"),
        ("engine.Quantization", "bits"): (Classification.EXPOSED, "x.quantization.bits"),
    }


def test_what_is_known_of_a_parameter_is_kept():
    (row, *_) = audited("x", Section, declared(), surfaces())
    assert (row.default_repr, row.annotation_text) == ("None", "int")


def test_a_reason_in_the_shared_table_owns_the_argument():
    audit = declared(shared=(("dtype", "model.dtype"), ("seed", "llem: one for everything")))
    found = surfaces(load=("size", "dtype", "quantization", "seed"))
    assert classified(audit, found)["engine.load", "seed"] == (
        Classification.OWNED,
        "llem: one for everything",
    )


@pytest.mark.parametrize(
    ("audit", "found", "expected"),
    [
        # The engine gained a parameter.
        (declared(), {"load": ("size", "dtype", "quantization", "turbo")}, "unclassified"),
        (
            declared(excluded={"turbo": "does nothing"}.items()),
            {"load": ("size", "dtype", "quantization", "turbo")},
            None,
        ),
        # It lost one that is classified.
        (declared(excluded={"turbo": "does nothing"}.items()), {}, "gone"),
        (declared(owned={"turbo": "llem decides"}.items()), {}, "gone"),
        (declared(shared=(("dtype", "model.dtype"), ("turbo", "decoder.seed"))), {}, "gone"),
        (declared(shared=(("dtype", "model.dtype"), ("turbo", "llem"))), {}, "gone"),
        # The engine has a surface that the plugin does not declare.
        (declared(), {"engine.New": ("turbo",)}, "unclassified"),
    ],
)
def test_a_parameter_without_classification_is_a_fault(audit, found, expected):
    assert faults(audit, surfaces(**found)) == ({} if expected is None else {"turbo": expected})


def test_a_field_whose_parameter_the_engine_lost_is_a_fault():
    assert faults(declared(), surfaces(quantization=())) == {"bits": Classification.GONE}
    assert faults(declared(), surfaces(load=("dtype", "quantization"))) == {
        "size": Classification.GONE
    }
    without = {name: there for name, there in surfaces().items() if name == "engine.load"}
    assert faults(declared(), without) == {"bits": Classification.GONE}


def test_what_some_supported_versions_lack_is_not_missed():
    (load, inside) = declared(excluded={"turbo": "does nothing"}.items()).surfaces
    audit = ParameterAudit(
        surfaces=(replace(load, not_in_all_versions=frozenset({"turbo", "size"})), inside),
        introspect="engine.read",
        shared={("load", "dtype"): "model.dtype"},
    )
    assert faults(audit, surfaces(load=("dtype", "quantization"))) == {}
    assert faults(audit, surfaces(load=("quantization",))) == {"dtype": Classification.GONE}


def test_a_renamed_parameter_is_recognized():
    found = classified(declared(), surfaces(load=("size_", "dtype", "quantization")))
    assert found["engine.load", "size"] == (Classification.GONE, "set by x.size; now size_?")
    assert found["engine.load", "size_"] == (Classification.UNCLASSIFIED, "")


def test_what_is_excluded_and_set_all_the_same_is_a_fault():
    audit = declared(excluded={"size": "of no use"}.items())
    rows = [
        (row.classification, row.reason)
        for row in audited("x", Section, audit, surfaces())
        if row.name == "size"
    ]
    assert rows == [
        (Classification.EXCLUDED, "of no use"),
        (Classification.CONTRADICTED, "set by x.size"),
    ]


def test_one_of_several_surfaces_at_a_place_may_have_it():
    audit = ParameterAudit(
        surfaces=(
            Surface("engine.load", at=("load",), owned={"quantization": "built"}),
            Surface("engine.Quantization", at=("load.quantization",)),
            Surface("engine.Other", at=("load.quantization",), excluded={"bits": "always 4"}),
        ),
        introspect="engine.read",
        shared={("load", "dtype"): "model.dtype"},
    )
    found = surfaces(**{"engine.Other": ("bits",)})
    assert faults(audit, found) == {}
    assert classified(audit, found)["engine.Other", "bits"] == (Classification.EXCLUDED, "always 4")


METHODS = ("First", "Second")


class Packed(BackendConfig):
    """Two methods that stand at one place, of which only one has a field for `bits`."""

    bits: Annotated[
        int | None, Param(maps_to=(EngineArg("load", "quantization.bits", of="engine.First"),))
    ] = None
    """How many."""


def test_a_field_may_reach_one_of_the_surfaces_at_a_place_alone():
    audit = ParameterAudit(
        surfaces=tuple(
            Surface(f"engine.{method}", at=("load.quantization",)) for method in METHODS
        ),
        introspect="engine.read",
    )
    found = {f"engine.{method}": (FoundParameter("bits"),) for method in METHODS}
    rows = {row.surface: row.classification for row in audited("x", Packed, audit, found)}
    assert rows == {
        "engine.First": Classification.EXPOSED,
        "engine.Second": Classification.UNCLASSIFIED,
    }
    rows = audited("x", Packed, audit, {**found, "engine.First": ()})
    assert [(row.surface, row.classification) for row in rows] == [
        ("engine.First", Classification.GONE),
        ("engine.Second", Classification.UNCLASSIFIED),
    ]
