"""Plans against the published signatures; the reference itself; what the engine lacks."""

import pytest
from hypothesis import assume, event, given, settings
from pydantic import TypeAdapter

from llem.schema.call_plan import Call, CallPlan, Construct
from llem.schema.fields import markers, walk
from llem_trt.config.methods import CLASSES as SPECULATION
from llem_trt.config.sparse_attention import CLASSES as SPARSE_ATTENTION
from llem_trt.plan import plan_of
from llem_trt.reference import classes, read_from
from llem_trt.section import TrtConfig
from llem_trt.versions import SURFACES, Only

from .configs import FIELDS, experiments, values_of
from .signature import faults


@settings(max_examples=1000)
@given(experiment=experiments())
def test_no_plan_has_a_parameter_that_its_surface_lacks(experiment):
    assume(experiment is not None)
    plan = plan_of(experiment)
    event(f"surface {plan.settings['surface']}, {plan.settings['execution']}")
    assert faults(plan) == []
    assert CallPlan.from_json(plan.to_json()) == plan


@pytest.mark.parametrize("path", FIELDS)
def test_random_experiments_reach_every_field(path):
    found = next_valid(path)
    assert found is not None, f"no valid experiment sets {path}"
    assert faults(plan_of(found)) == []


def next_valid(path):
    from .configs import ERRORS, _around, make

    field = FIELDS[path]
    for value in field.param.examples:
        made = make({**_around(field), path: value})
        if not any(rule.is_broken_by(made) for rule in ERRORS):
            return made
    return None


@pytest.mark.parametrize(
    ("target", "arguments", "fault"),
    [
        ("tensorrt_llm.LLM", {"max_batch_sizes": 1}, "tensorrt_llm.LLM has no max_batch_sizes"),
        ("tensorrt_llm.LLM", {"max_batch_size": "8"}, "is int, not '8'"),
        ("tensorrt_llm.LLM", {"enable_chunked_prefill": 1}, "is bool, not 1"),
        ("tensorrt_llm.LLM", {"attn_backend": "EAGER"}, "is str, not 'EAGER'"),
        ("tensorrt_llm.LLM", {"sampler_type": "auto"}, "has no sampler_type"),
        (
            "tensorrt_llm.LLM",
            {"kv_cache_config": Construct("tensorrt_llm.llmapi.KvCacheConfig", {"dtyp": "fp8"})},
            "KvCacheConfig has no dtyp",
        ),
        (
            "tensorrt_llm.LLM",
            {"kv_cache_config": Construct("tensorrt_llm.llmapi.MoeConfig", {})},
            "is KvCacheConfig, not",
        ),
        ("tensorrt_llm.LLMs", {}, "there is no tensorrt_llm.LLMs"),
    ],
)
def test_the_check_finds_what_is_wrong(target, arguments, fault):
    plan = CallPlan((Call("load", target, arguments),), {"surface": "1.3"})
    (found,) = faults(plan)
    assert fault in found


@pytest.mark.parametrize("surface", SURFACES)
def test_every_class_that_a_plan_may_build_is_known(surface):
    known = classes(surface)
    fields = walk(TrtConfig, "trt.")
    sections = {argument.of for field in fields for argument in field.places} - {""}
    assert len(sections) == 12
    built = {*sections, *SPECULATION.values(), *SPARSE_ATTENTION.values()}
    other = {name for surface in SURFACES for name in classes(surface)}
    assert built <= known.keys() | other
    enumerations = {field.param.member_of for field in fields} - {""}
    assert enumerations == {"tensorrt_llm.llmapi.QuantAlgo"}


def test_a_field_for_one_surface_says_so():
    for field in walk(TrtConfig, "trt."):
        only = [only for only in markers(field.info, Only) if not only.values]
        assert len(only) <= 1, field.path


def test_the_reference_says_where_it_was_read():
    assert read_from().keys() == set(SURFACES)
    assert all(read_from().values())


def test_what_changed_later_is_told_apart():
    moe = "tensorrt_llm.llmapi.MoeConfig"
    assert "WIDEEP" in classes("1.2")[moe]["backend"].choices
    assert "WIDEEP" not in classes("1.3")[moe]["backend"].choices
    assert "tensorrt_llm._tensorrt_engine.LLM" not in classes("1.3")
    streams = "tensorrt_llm.llmapi.TorchCompileConfig"
    assert classes("1.2")[streams]["max_num_streams"].default == "1"
    assert classes("1.3")[streams]["max_num_streams"].default == "3"


def test_every_value_of_a_choice_is_drawn():
    choices = {path: choice for path, field in FIELDS.items() if (choice := choice_of(field))}
    assert "trt.attn_backend" in choices
    for path, choice in choices.items():
        assert sorted(values_of(FIELDS[path]).elements, key=str) == sorted(choice, key=str), path


def choice_of(field):
    """Return what the field's JSON schema lists, if it lists values and null alone."""
    schema = TypeAdapter(field.info.annotation).json_schema()
    found = []
    for part in schema.get("anyOf", [schema]):
        if part.get("type") != "null":
            found.append(part.get("enum") or ([part["const"]] if "const" in part else None))
    return None if None in found else [value for values in found for value in values]
