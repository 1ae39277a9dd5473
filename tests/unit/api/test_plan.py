"""Plans as data: round trip, resolution, and what may not be smuggled in."""

import json
from collections import OrderedDict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llem.schema.call_plan import (
    Call,
    CallPlan,
    Construct,
    Symbol,
    decode,
    differences,
    encode,
    import_dotted,
    resolve,
    resolve_kwargs,
)
from llem.schema.call_plan import drop_none as given_values

names = st.text("abcdefgh_", min_size=1, max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars | names.map(Symbol),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names, inner, max_size=3)
        | st.builds(Construct, names, st.dictionaries(names, inner, max_size=3))
    ),
    max_leaves=10,
)


@given(values)
def test_every_value_survives_json(value):
    assert decode(json.loads(json.dumps(encode(value)))) == value


@given(st.dictionaries(names, values, max_size=3), st.lists(values, max_size=2))
def test_every_plan_survives_json(kwargs, args):
    call = Call("load", "a.b", kwargs=kwargs, args=tuple(args), runtime=("x",), assign="model")
    plan = CallPlan((call,), {"batch_size": 4})
    assert CallPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


def test_markers_become_the_objects_they_name():
    call = Call(
        "load",
        "unused.target",
        kwargs={
            "kind": Symbol("collections.OrderedDict"),
            "half": Construct("fractions.Fraction", {"numerator": 1, "denominator": 2}),
            "nested": [{"deep": Symbol("collections.OrderedDict")}],
        },
    )
    resolved = resolve_kwargs(call)
    assert resolved["kind"] is OrderedDict
    assert resolved["half"] == Fraction(1, 2)
    assert resolved["nested"][0]["deep"] is OrderedDict


def test_a_class_method_can_be_named():
    assert import_dotted("fractions.Fraction.from_float")(0.5) == Fraction(1, 2)


def test_a_missing_module_is_an_import_error():
    with pytest.raises(ModuleNotFoundError, match="no_such_engine"):
        import_dotted("no_such_engine.Model")


def test_a_missing_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="NoSuchThing"):
        import_dotted("collections.NoSuchThing")


def test_the_lookup_can_be_given():
    assert resolve(Symbol("torch.bfloat16"), find=str.upper) == "TORCH.BFLOAT16"


def test_a_call_is_found_by_name():
    plan = CallPlan((Call("load", "a"), Call("generate", "b")))
    assert plan.call("generate").target == "b"
    with pytest.raises(KeyError):
        plan.call("train")


def test_an_unset_value_is_left_out_and_a_false_one_is_not():
    assert given_values(seed=None, use_cache=False, top_k=0) == {"use_cache": False, "top_k": 0}


def test_what_is_requested_is_what_is_set_by_dotted_name():
    inner = Construct("x.Inner", {"mode": "fast", "left": "auto"})
    call = Call(
        "load",
        "x.load",
        {
            "dtype": Symbol("torch.bfloat16"),
            "map": {"0": 1},
            "left": "auto",
            "sizes": [1, Symbol("x.Y")],
            "config": Construct("x.Config", {"bits": 4, "inner": inner}),
        },
        runtime=("ids",),
    )
    assert CallPlan((call,), {"seed": 0, "device": "auto"}).requested() == {
        "settings.seed": 0,
        "load.dtype": "torch.bfloat16",
        "load.map": {"0": 1},
        "load.sizes": [1, {"$symbol": "x.Y"}],
        "load.config.bits": 4,
        "load.config.inner.mode": "fast",
    }


def test_what_differs_was_requested_and_observed():
    assert differences({"a": 1, "b": 2, "c": 3}, {"a": 1.0, "b": 3}) == ("b",)
