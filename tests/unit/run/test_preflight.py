"""What is refused before anything is started, and what the backend is given."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llem.api.capability import Gpu, HostInfo
from llem.config.load import LoadedExperiment, load_experiment
from llem.errors import ConfigInvalid, EngineMissing, PluginBroken
from llem.registry import Registry
from llem.run.preflight import plan_for, prepare, require_engine

HOST = HostInfo("Linux", "a processor", 2, 1 << 30)
SESSION = """
@hookimpl
def llem_measurement():
    raise AssertionError("preflight imports no session")
"""
PLAN = """
@hookimpl
def llem_build_kwargs(experiment):
    from llem.schema.call_plan import Call, CallPlan
    model = experiment.model
    call = Call("load", "engine.load", {"random": model.random_weights}, args=(model.id,))
    return CallPlan((call,))
"""
REVIEW = """
@hookimpl
def llem_preflight(experiment, facts):
    from llem.errors import Finding
    yield Finding("few", f"{facts.logical_cores} processors are few", severity="warning")
    if experiment.workload.requests > 5:
        yield Finding("many", "many requests", path="workload.requests")
        yield Finding("more", "and more")
"""
ENGINE = 'engine=EngineRequirement("engine-nowhere", ">=1", install="pip install engine-nowhere")'


@pytest.fixture
def load(environment: Any, source: Any) -> Callable[..., LoadedExperiment]:
    """Install a backend with these hooks and load an experiment on it."""

    def load(hooks: str = PLAN, *overrides: str, info: str = "") -> LoadedExperiment:
        environment.install("llem-toy", {"toy": source("toy", info, hooks)})
        registry = environment.registry()
        return load_experiment(registry, file=None, overrides=overrides, backend="toy")

    return load


def warnings_of(loaded: LoadedExperiment, host: HostInfo = HOST) -> list[Any]:
    """Return the warnings of an experiment that nothing refuses."""
    return prepare(loaded, Registry.discover(), host).warnings


def cache() -> set[Path]:
    """Return what the cache of shapes holds."""
    from llem.workload.shape_folder import cache_folder

    return set(cache_folder().rglob("*"))


def test_a_shape_is_a_folder_with_random_weights_for_the_backend(load: Any) -> None:
    before = cache()
    loaded = load(PLAN, "model.id=shape:tiny")
    [call] = plan_for(loaded).calls
    [folder] = call.args
    assert Path(folder).is_absolute()
    assert Path(folder).name.startswith("tiny-")
    assert call.kwargs == {"random": True}
    assert loaded.experiment.model.id == "shape:tiny"
    assert cache() == before  # a plan writes nothing


@pytest.mark.parametrize("weights", ["random", "pretrained"])
def test_another_model_is_what_it_is_called(weights: str, load: Any, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    honored = "model_parameters=frozenset({'weights'})"
    loaded = load(PLAN, f"model.id={tmp_path}", f"model.weights={weights}", info=honored)
    [call] = plan_for(loaded).calls
    assert call.args == (str(tmp_path),)
    assert call.kwargs == {"random": weights == "random"}


def test_a_backend_without_a_session_cannot_measure(load: Any) -> None:
    with pytest.raises(PluginBroken, match=r"'toy' cannot measure: llem-toy 1\.0 offers no"):
        require_engine(load().backend, elsewhere=False)


def test_a_missing_engine_is_refused(load: Any) -> None:
    with pytest.raises(EngineMissing, match="engine-nowhere") as refused:
        require_engine(load(SESSION, info=ENGINE).backend, elsewhere=False)
    assert "pip install engine-nowhere" in refused.value.hint


def test_an_engine_elsewhere_is_not_looked_for_here(load: Any) -> None:
    loaded = load(PLAN + SESSION, f"runner.python={sys.executable}", info=ENGINE)
    assert warnings_of(loaded) == []
    require_engine(loaded.backend, elsewhere=True)


@pytest.mark.parametrize("name", ["/elsewhere/bin/python", "/tmp", "no-such-python"])
def test_an_interpreter_that_is_not_there_is_refused(name: str, load: Any) -> None:
    with pytest.raises(ConfigInvalid, match=f"there is no program {name} that can be started"):
        warnings_of(load(PLAN, f"runner.python={name}"))


def test_warnings_are_handed_on(load: Any) -> None:
    warnings = warnings_of(load(PLAN + REVIEW, "workload.requests=5"))
    assert [(warning.code, warning.message) for warning in warnings] == [
        ("few", "2 processors are few")
    ]


def test_warnings_of_the_config_come_first(load: Any) -> None:
    honored = "model_parameters=frozenset({'trust_remote_code'})"
    overrides = ("model.trust_remote_code=true", "workload.requests=5")
    loaded = load(PLAN + REVIEW, *overrides, info=honored)
    assert [warning.code for warning in warnings_of(loaded)] == ["remote-code", "few"]


def test_all_errors_of_a_review_are_named_and_no_warning(load: Any) -> None:
    with pytest.raises(ConfigInvalid) as refused:
        warnings_of(load(PLAN + REVIEW, "workload.requests=6"))
    assert [finding.code for finding in refused.value.findings] == ["many", "more"]


NEEDY = """
@hookimpl
def llem_config_model():
    from typing import Annotated
    from llem.schema.base import Param
    from llem.schema.experiment import BackendConfig

    class Needy(BackendConfig):
        "A section with a field for newer devices."

        eight_bits: Annotated[bool, Param(min_compute_capability=(8, 9))] = False
        "Whether it computes in eight bits."

    return Needy
"""


@pytest.mark.parametrize(
    ("capability", "refused"), [((8, 0), True), ((8, 9), False), ((9, 0), False), (None, False)]
)
def test_a_field_that_needs_a_newer_device(
    capability: tuple[int, int] | None, refused: bool, load: Any
) -> None:
    gpus = () if capability is None else (Gpu("GPU-a", "a device", 1, capability),)
    loaded = load(PLAN + NEEDY, "toy.eight_bits=true")
    host = HostInfo("Linux", "a processor", 2, 1 << 30, gpus)
    if refused:
        with pytest.raises(ConfigInvalid, match=r"needs compute capability 8\.9, .* has 8\.0"):
            warnings_of(loaded, host)
    else:
        assert warnings_of(loaded, host) == []


@pytest.mark.parametrize(
    ("workload", "config", "said"),
    [
        (["input_tokens=100", "output_tokens=29"], {"max_position_embeddings": 128}, "129 tokens"),
        (["input_tokens=100", "output_tokens=28"], {"max_position_embeddings": 128}, ""),
        (["input_tokens=100", "output_tokens=29"], {"n_positions": 128}, "129 tokens"),
        (
            ["input_tokens=100", "output_tokens=29"],
            {"text_config": {"max_position_embeddings": 128}},
            "129 tokens",
        ),
        (["input_tokens=100", "output_tokens=29"], {}, ""),
        (["input_tokens=100", "output_tokens=29", "max_input_tokens=99"], {"n_positions": 128}, ""),
        (["source=file", "path=ids.jsonl"], {"n_positions": 128}, "130 tokens"),
    ],
)
def test_requests_beyond_the_stated_context_are_told_before_loading(
    workload: list[str],
    config: dict[str, Any],
    said: str,
    load: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"model_type": "llama", **config}))
    row = {"prompt_token_ids": [1] * 120, "output_tokens": 10}
    (tmp_path / "ids.jsonl").write_text(json.dumps(row) + "\n")
    settings = [f"workload.{setting}" for setting in workload]
    loaded = load(PLAN + SESSION, f"model.id={folder}", *settings)
    registry = Registry.discover()
    found = {finding.code: finding.message for finding in prepare(loaded, registry, HOST).warnings}
    assert said in found.get("beyond-context", "")
    assert ("beyond-context" in found) == bool(said)
