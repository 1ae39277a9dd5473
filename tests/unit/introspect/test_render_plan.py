"""A plan printed as Python is valid Python with the content of the plan."""

from __future__ import annotations

import ast
from types import SimpleNamespace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from llem.introspect.plan_source import render_plan
from llem.schema.call_plan import Call, CallPlan, Construct, Symbol

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.text(min_size=1) | st.sampled_from(["class", "lambda", "dtype", "a-b", "None", "é"])

PLAN = CallPlan(
    calls=(
        Call(
            name="load",
            target="engine.AutoModel.from_pretrained",
            args=("shape\n'tiny'",),
            kwargs={
                "dtype": Symbol("torch.bfloat16"),
                "quantization_config": Construct(
                    "engine.quantize.Config",
                    {"bits": 4, "compute": Symbol("torch.nn.Kind.FAST"), "skip": ["head"] * 3},
                ),
            },
            assign="model",
        ),
        Call(
            name="generate",
            target="model.generate",
            kwargs={"max_new_tokens": 8},
            runtime=("input_ids",),
        ),
    ),
    settings={"batch_size": 8, "stop": ["a\nb"]},
)


def test_it_reads_like_code_by_hand():
    assert (
        render_plan(PLAN)
        == """\
# settings of the session
#   batch_size = 8
#   stop = ["a\\\\nb"]

import engine
import engine.quantize
import torch
import torch.nn

# load
model = engine.AutoModel.from_pretrained(
    "shape\\n'tiny'",
    dtype=torch.bfloat16,
    quantization_config=engine.quantize.Config(
        bits=4,
        compute=torch.nn.Kind.FAST,
        skip=['head', 'head', 'head'],
    ),
)

# generate
model.generate(max_new_tokens=8, input_ids=input_ids)
""".replace("\\\\", "\\")
    )


def test_a_plan_without_calls_is_python_too():
    source = render_plan(CallPlan(calls=(), settings={"seed": 0}))
    assert source == "# settings of the session\n#   seed = 0\n"
    assert ast.parse(source).body == []


def test_an_argument_that_is_filled_in_later_appears_once():
    call = Call("go", "engine.go", kwargs={"x": 1, "y": 2}, runtime=("x",))
    assert "engine.go(y=2, x=x)" in render_plan(CallPlan((call,)))


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinity_is_spelled_so_that_python_reads_it(value):
    source = render_plan(CallPlan((Call("go", "engine.go", args=(value,)),)))
    assert f'float("{value}")' in source


def test_secrets_are_not_shown():
    call = Call("load", "engine.load", kwargs={"token": "hf_" + "x" * 30, "pad_token": "<pad>"})
    source = render_plan(CallPlan((call,)))
    assert "xxx" not in source
    assert "<pad>" in source


@given(
    args=st.lists(JSON, max_size=3),
    kwargs=st.dictionaries(NAMES, JSON, max_size=4),
    settings=st.dictionaries(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), JSON, max_size=2),
)
@example(args=[], kwargs={"\u00b5": None}, settings={})  # an identifier Python would rewrite
def test_any_plan_is_python_that_makes_the_same_call(args, kwargs, settings):
    plan = CallPlan((Call("go", "engine.go", args=tuple(args), kwargs=kwargs),), settings)
    source = render_plan(plan)
    made = []
    engine = SimpleNamespace(go=lambda *a, **k: made.append((list(a), k)))
    calls = [node for node in ast.parse(source).body if not isinstance(node, ast.Import)]
    exec(compile(ast.Module(calls, []), "plan", "exec"), {"engine": engine})
    assert made == [(args, kwargs)]
    assert render_plan(plan) == source
