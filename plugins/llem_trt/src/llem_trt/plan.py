"""Build the TensorRT-LLM calls of an experiment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from llem.api import (
    Call,
    CallPlan,
    Construct,
    Experiment,
    build_plan,
    drop_none,
    section_arguments,
)
from llem.schema.fields import markers, placed_fields
from llem_trt.capabilities import INFO
from llem_trt.config import TrtFields
from llem_trt.config.methods import CLASSES as SPECULATION_CLASSES
from llem_trt.config.methods import Method
from llem_trt.config.sparse_attention import CLASSES as SPARSE_ATTENTION_CLASSES
from llem_trt.versions import Only, SurfaceName

SHARED = {
    ("load", "dtype"): "model.dtype",
    ("load", "load_format"): "model.weights",
    ("load", "model"): "model.id",
    ("load", "revision"): "model.revision",
    ("load", "tokenizer"): "model.tokenizer",
    ("load", "tokenizer_revision"): "model.revision",
    ("load", "trust_remote_code"): "model.trust_remote_code",
    ("sampling", "detokenize"): "decoder.stop",
    ("sampling", "ignore_eos"): "decoder.ignore_eos",
    ("sampling", "include_stop_str_in_output"): "decoder.stop",
    ("sampling", "max_tokens"): "workload.output_tokens",
    ("sampling", "min_p"): "decoder.min_p",
    ("sampling", "min_tokens"): "decoder.min_new_tokens",
    ("sampling", "n"): "llem: one output for each request",
    ("sampling", "repetition_penalty"): "decoder.repetition_penalty",
    ("sampling", "return_perf_metrics"): "llem: they hold the time to first token",
    ("sampling", "seed"): "decoder.seed",
    ("sampling", "stop"): "decoder.stop",
    ("sampling", "temperature"): "decoder.temperature",
    ("sampling", "top_k"): "decoder.top_k",
    ("sampling", "top_p"): "decoder.top_p",
    ("generate", "inputs"): "workload",
    ("generate", "sampling_params"): "llem: one for each request",
    ("generate", "use_tqdm"): "llem: nothing is printed inside a window",
    ("generate", "cache_salt"): "llem: keeps repetitions from each other's KV cache",
    ("settings", "config_from"): "model.id",
    ("settings", "config_revision"): "model.revision",
    ("settings", "ignore_eos"): "decoder.ignore_eos",
}
"""Sources of arguments that no field of the section sets."""


def plan_of(experiment: Experiment) -> CallPlan:
    """Return the calls for ``experiment``; the settings name the surface that they are for.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    section = experiment.section_as(TrtFields)
    legacy, surface = section.is_legacy, section.planned_surface
    calls = [
        Call(
            name="load",
            target="tensorrt_llm._tensorrt_engine.LLM" if legacy else "tensorrt_llm.LLM",
            kwargs=_load(experiment, section),
            assign="llm",
        ),
        # Each request has its own object, because output limits differ.
        Call(
            name="sampling",
            target="tensorrt_llm.SamplingParams",
            kwargs=_sampling(experiment),
            runtime=("max_tokens",),
            assign="sampling_params",
        ),
        Call(
            name="generate",
            target="llm.generate",
            kwargs={"use_tqdm": False},
            runtime=("inputs", "sampling_params", "cache_salt"),
        ),
    ]
    settings = {
        "surface": surface,
        "execution": "tensorrt" if legacy else "pytorch",
        "config_from": experiment.model.id,
        **drop_none(config_revision=experiment.model.revision),
        "ignore_eos": experiment.ignores_eos,
    }
    own = _own_arguments(experiment, section, surface)
    return build_plan(experiment, calls, settings=settings, shared=SHARED, arguments=own)


def _load(experiment: Experiment, section: TrtFields) -> dict[str, Any]:
    model, engine = experiment.model, section.engine_path
    return {
        "model": engine or model.id,
        **drop_none(
            # A built engine has no tokenizer; its checkpoint has one.
            tokenizer=model.tokenizer or (model.id if engine else None),
            revision=None if engine else model.revision,
            # A revision belongs to the repository of the model, not to another tokenizer's.
            tokenizer_revision=None if model.tokenizer else model.revision,
            dtype=model.dtype,
            load_format="dummy" if model.random_weights else None,
            trust_remote_code=model.trust_remote_code or None,
        ),
    }


def _sampling(experiment: Experiment) -> dict[str, Any]:
    decoder = experiment.decoder
    stop = list(decoder.stop or ()) or None
    return {
        # TensorRT-LLM is greedy if and only if it gets no sampling parameter.
        **decoder.sampling(INFO.decoder_parameters),
        "seed": decoder.seed,
        **drop_none(
            repetition_penalty=decoder.repetition_penalty,
            # With EOS ignored every output has its full length.
            min_tokens=None if experiment.ignores_eos else decoder.min_new_tokens,
            stop=stop,
            # The stop text was generated too, so it counts.
            include_stop_str_in_output=True if stop else None,
            ignore_eos=experiment.ignores_eos or None,
            # Text would be made inside the window, and only the search for stop texts needs it.
            detokenize=None if stop else False,
        ),
        "return_perf_metrics": True,
    }


def _own_arguments(
    experiment: Experiment, section: TrtFields, surface: SurfaceName
) -> dict[str, dict[str, Any]]:
    """Return the arguments that the section sets, as ``surface`` has them."""
    known = experiment.model_copy(update={experiment.backend: _known_to(surface, section)})
    own = section_arguments(known, _classes(section, surface))
    load, sampling = own["load"], own["sampling"]
    if section.cuda_graphs is not None and section.cuda_graphs.enabled is False:
        load["cuda_graph_config"] = None
    compiled = section.torch_compile
    if compiled is not None and compiled.enabled is False and not section.is_legacy:
        load["torch_compile_config"] = None
    if section.engine_path is not None:
        # Neutral values: a built engine has its quantization.
        load.pop("quant_config", None)
    draft = load.get("speculative_config")
    if surface == "1.2" and isinstance(draft, Construct) and "speculative_model" in draft.kwargs:
        older = {_OLDER_NAMES.get(name, name): value for name, value in draft.kwargs.items()}
        load["speculative_config"] = Construct(draft.target, older)
    if "best_of" in sampling:
        sampling["use_beam_search"] = True
    return own


_OLDER_NAMES = {"speculative_model": "speculative_model_dir"}


def _classes(section: TrtFields, surface: SurfaceName) -> dict[str, str]:
    """Return the class of each object whose class follows from values or from ``surface``."""
    # Before 1.3 a plain dictionary describes context parallelism.
    classes = {"load.cp_config": ""} if surface == "1.2" else {}
    if section.speculation is not None and section.speculation.method is not None:
        method = section.speculation.method
        # Before 1.3 EAGLE 3 has no class of its own.
        of_method: Method = "eagle" if method == "eagle3" and surface == "1.2" else method
        classes["load.speculative_config"] = SPECULATION_CLASSES[of_method]
    if section.sparse_attention is not None and section.sparse_attention.algorithm is not None:
        algorithm = section.sparse_attention.algorithm
        classes["load.sparse_attention_config"] = SPARSE_ATTENTION_CLASSES[algorithm]
    return classes


def _known_to(surface: SurfaceName, section: BaseModel) -> BaseModel:
    """Return ``section`` without neutral values that ``surface`` has no parameter for.

    A section of such values alone is left out, because an empty one would make an object.
    """
    bound = _version_bound(type(section))
    changes: dict[str, Any] = {}
    for name, value in section.__dict__.items():
        if isinstance(value, BaseModel):
            inside = _known_to(surface, value)
            if inside is not value:
                empty = all(item is None for item in inside.__dict__.values())
                changes[name] = None if empty else inside
        elif name in bound and bound[name].drops(surface, value):
            changes[name] = None
    return section.model_copy(update=changes) if changes else section


@dataclass(frozen=True, slots=True)
class _Bound:
    """Neutral values of a field that not every surface has."""

    neutral: tuple[Any, ...]
    only: tuple[Only, ...]

    def drops(self, surface: SurfaceName, value: Any) -> bool:
        """Whether ``value`` is neutral and not known to ``surface``."""
        unknown = any(only.surface != surface and only.concerns(value) for only in self.only)
        return unknown and value in self.neutral


@cache
def _version_bound(model: type[BaseModel]) -> Mapping[str, _Bound]:
    """Return the fields of ``model`` that have neutral values and that not every surface has."""
    return {
        field.path: _Bound(field.param.neutral, only)
        for field in placed_fields(model)
        if (only := tuple(markers(field.info, Only))) and field.param.neutral
    }
