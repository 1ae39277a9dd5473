"""From the fields of a backend's section to the arguments of engine calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, create_model

from llem.api import (
    BackendConfig,
    Call,
    ConfigError,
    Construct,
    EngineArg,
    Experiment,
    Param,
    Section,
    Symbol,
    build_plan,
    section_arguments,
)


class Graphs(Section, builds="engine.Graphs"):
    sizes: tuple[int, ...] | None = None


class Cache(Section, feeds="load.cache_config", builds="engine.CacheConfig"):
    dtype: Annotated[Literal["bfloat16", "float8"] | None, Param(member_of="torch")] = None
    size_gb: Annotated[float | None, Param(maps_to=EngineArg("load", "cache_config.size"))] = None
    graphs: Graphs | None = None


class Gptq(Section, feeds="load.quant", builds="engine.Gptq"):
    method: Annotated[Literal["gptq"], Param(affects=EngineArg("load", "quant"))]
    bits: int | None = None


class Awq(Section, feeds="load.quant", builds="engine.Awq"):
    method: Annotated[Literal["awq"], Param(affects=EngineArg("load", "quant"))]
    bits: int | None = None


class Draft(Section):
    tokens: int | None = None


class Balance(Section, builds="engine.Balance"):
    window: Annotated[int | None, Param(neutral=(100,))] = None
    steps: Annotated[int | None, Param(requires={"engine.compiled": True}, neutral=(1,))] = None


class Sampling(Section, feeds="sampling"):
    logprobs: int | None = None


class Parallel(BackendConfig, feeds="load.parallel", builds="engine.Parallel"):
    tensor: int | None = None
    pipeline: int | None = None


class Settings(BackendConfig, feeds="settings"):
    batch_size: int | None = None


class EngineConfig(
    Settings,
    Parallel,
    feeds="load",
    builds={"load.kernels": "engine.Kernels", "load.kernels.jit": "engine.Jit", "load.memory": "f"},
):
    threads: Annotated[
        int | None, Param(maps_to=(EngineArg("load", "threads"), EngineArg("settings", "threads")))
    ] = None
    seed: int | None = None
    files: tuple[Path, ...] | None = None
    cache: Cache | None = None
    quantization: Annotated[Gptq | Awq | None, Field(discriminator="method")] = None
    draft: Draft | None = None
    sampling: Sampling | None = None
    fused: Annotated[bool | None, Param(maps_to=EngineArg("load", "kernels.fused"))] = None
    level: Annotated[int | None, Param(maps_to=EngineArg("load", "kernels.jit.level"))] = None
    memory: dict[str, str] | None = None
    options: dict[str, int] | None = None
    compiled: Annotated[bool | None, Param(affects=EngineArg("compile", "backend"))] = None
    limit: Annotated[int | None, Param(requires={"engine.compiled": True}, neutral=(0,))] = None
    balance: Annotated[Balance | None, Param(requires={"engine.seed": 1})] = None
    steady: Balance | None = None


MODEL = create_model("EngineExperiment", __base__=Experiment, engine=(EngineConfig, EngineConfig()))


def experiment(passthrough_kwargs=None, **section):
    return MODEL.model_validate(
        {"backend": "engine", "engine": section, "passthrough_kwargs": passthrough_kwargs or {}}
    )


def arguments(**section):
    return section_arguments(experiment(**section))


def test_an_unset_field_sets_nothing():
    assert arguments() == {}
    assert arguments()["load"] == {}


def test_a_field_sets_the_argument_of_its_name_in_the_call_that_its_class_feeds():
    assert arguments(seed=1, batch_size=8) == {"load": {"seed": 1}, "settings": {"batch_size": 8}}


def test_a_field_sets_every_argument_it_maps_to():
    assert arguments(threads=2) == {"load": {"threads": 2}, "settings": {"threads": 2}}


def test_values_are_data():
    assert arguments(files=["a", "b"]) == {"load": {"files": ["a", "b"]}}
    assert arguments(options={"x": 1}) == {"load": {"options": {"x": 1}}}


def test_a_section_is_the_object_that_it_builds_where_it_feeds():
    found = arguments(cache={"dtype": "float8", "size_gb": 1.5})
    kwargs = {"dtype": Symbol("torch.float8"), "size": 1.5}
    assert found == {"load": {"cache_config": Construct("engine.CacheConfig", kwargs)}}


def test_a_section_in_which_nothing_is_set_is_an_object_with_defaults():
    assert arguments(cache={}) == {"load": {"cache_config": Construct("engine.CacheConfig", {})}}


def test_a_section_inside_another_one_is_the_argument_of_its_name():
    found = arguments(cache={"graphs": {"sizes": [1, 2]}})
    graphs = Construct("engine.Graphs", {"sizes": [1, 2]})
    cache = Construct("engine.CacheConfig", {"graphs": graphs})
    assert found == {"load": {"cache_config": cache}}


def test_a_section_that_builds_nothing_is_a_dictionary():
    assert arguments(draft={"tokens": 4}) == {"load": {"draft": {"tokens": 4}}}


def test_a_section_may_feed_a_call():
    assert arguments(sampling={"logprobs": 5}) == {"sampling": {"logprobs": 5}}


@pytest.mark.parametrize(("method", "target"), [("gptq", "engine.Gptq"), ("awq", "engine.Awq")])
def test_the_member_of_a_union_chooses_the_class(method, target):
    found = arguments(quantization={"method": method, "bits": 4})
    assert found == {"load": {"quant": Construct(target, {"bits": 4})}}


def test_flat_fields_share_the_object_that_their_class_builds():
    found = arguments(tensor=2, pipeline=3)
    assert found == {
        "load": {"parallel": Construct("engine.Parallel", {"tensor": 2, "pipeline": 3})}
    }


def test_dotted_places_reach_into_objects_whose_classes_are_declared():
    found = arguments(fused=True, level=2)
    kernels = {"fused": True, "jit": Construct("engine.Jit", {"level": 2})}
    assert found == {"load": {"kernels": Construct("engine.Kernels", kernels)}}


def test_a_dictionary_can_be_what_a_function_is_called_with():
    assert arguments(memory={"0": "1GiB"}) == {"load": {"memory": Construct("f", {"0": "1GiB"})}}


def test_a_backend_may_choose_a_class_by_other_fields():
    found = section_arguments(experiment(draft={"tokens": 4}), {"load.draft": "engine.Draft"})
    assert found == {"load": {"draft": Construct("engine.Draft", {"tokens": 4})}}


def test_an_argument_that_a_field_only_affects_is_left_to_the_backend():
    assert arguments(compiled=True) == {}


def test_a_neutral_value_is_passed_on_only_where_its_field_acts():
    assert arguments(limit=0, compiled=True) == {"load": {"limit": 0}}
    assert arguments(limit=0) == {}
    assert arguments(limit=3) == {"load": {"limit": 3}}


@pytest.mark.parametrize(
    ("section", "kwargs"),
    [
        ({"balance": {"window": 100}}, {}),
        ({"balance": {"window": 100, "steps": 1}, "compiled": True}, {}),
        ({"balance": {"window": 5, "steps": 1}, "compiled": True}, {"balance": {"window": 5}}),
        ({"balance": {}}, {"balance": {}}),
        ({"balance": {"window": 100}, "seed": 1}, {"seed": 1, "balance": {"window": 100}}),
        ({"steady": {"steps": 1}}, {}),
        ({"steady": {"window": 100, "steps": 1}}, {"steady": {"window": 100}}),
        ({"steady": {"steps": 2}}, {"steady": {"steps": 2}}),
    ],
)
def test_a_section_of_neutral_values_is_passed_on_only_where_it_acts(section, kwargs):
    for name in {"balance", "steady"} & kwargs.keys():
        kwargs = {**kwargs, name: Construct("engine.Balance", kwargs[name])}
    assert arguments(**section).get("load", {}) == kwargs


def test_a_plan_joins_what_fields_set_to_the_calls():
    calls = [
        Call("load", "engine.load", {"model": "m", "seed": 0}),
        Call("generate", "engine.generate"),
    ]
    plan = build_plan(experiment(seed=7, batch_size=2), calls, settings={"batch_size": 1, "x": 0})
    assert plan.call("load").kwargs == {"model": "m", "seed": 7}
    assert plan.call("generate").kwargs == {}
    assert plan.settings == {"batch_size": 2, "x": 0}


def test_parts_of_an_object_join_those_that_the_call_gives_it():
    given = {"cache_config": Construct("engine.CacheConfig", {"seed": 0, "size": 9})}
    plan = build_plan(experiment(cache={"size_gb": 1}), [Call("load", "engine.load", given)])
    cache = Construct("engine.CacheConfig", {"seed": 0, "size": 1})
    assert plan.call("load").kwargs == {"cache_config": cache}


def test_passthrough_reaches_its_call_and_may_not_set_what_a_field_does():
    calls = [Call("load", "engine.load")]
    plan = build_plan(experiment({"load": {"other": 1}}, seed=7), calls)
    assert plan.call("load").kwargs == {"seed": 7, "other": 1}
    for name in ("seed", "cache_config", "kernels", "threads"):
        with pytest.raises(ConfigError, match=f"may not set {name} .set by engine"):
            build_plan(experiment({"load": {name: 1}}), calls)
    with pytest.raises(ConfigError, match="no call of this name"):
        build_plan(experiment({"nothing": {"x": 1}}), calls)
