"""From an experiment to the TensorRT-LLM calls: pure data, no engine.

A field of the backend's own section goes where its marker says, so none can be forgotten; what is
written here is what several sections decide together.
"""

from __future__ import annotations

from typing import Any

from llem.api.plan_builder import build_plan as built
from llem.schema.call_plan import Call, CallPlan, drop_none
from llem.schema.experiment import Experiment
from llem_trt.objects import with_objects
from llem_trt.placement import place
from llem_trt.section import is_legacy, section_of
from llem_trt.versions import chosen

SAMPLING_FIELDS = ("temperature", "top_p", "top_k", "min_p")
"""Decoder fields that act on sampling alone."""

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
    ("sampling", "min_tokens"): "decoder.min_new_tokens",
    ("sampling", "n"): "llem: one output for each request",
    ("sampling", "repetition_penalty"): "decoder.repetition_penalty",
    ("sampling", "return_perf_metrics"): "llem: they hold the time to first token",
    ("sampling", "seed"): "decoder.seed",
    ("sampling", "stop"): "decoder.stop",
    **{("sampling", name): f"decoder.{name}" for name in SAMPLING_FIELDS},
    ("generate", "inputs"): "workload",
    ("generate", "sampling_params"): "llem: one for each request",
    ("generate", "use_tqdm"): "llem: nothing is printed inside a window",
    ("generate", "cache_salt"): "llem: keeps repetitions from each other's KV cache",
    ("settings", "config_from"): "model.id",
    ("settings", "config_revision"): "model.revision",
    ("settings", "ignore_eos"): "decoder.ignore_eos",
}
"""What sets an argument that the backend's own section does not."""


_ELSEWHERE = ("model", "tokenizer", "backend")
"""Arguments of ``LLM()`` that fields of the section decide together with others."""


def build_plan(experiment: Experiment) -> CallPlan:
    """Return the calls and settings for ``experiment``.

    The plan uses the parameters of one surface, and its settings say which.

    Raises:
        ConfigError: ``passthrough_kwargs`` names an unknown call, or an argument set elsewhere.
    """
    section = section_of(experiment)
    surface = chosen(section.surface)
    own, legacy = place(section), is_legacy(experiment)
    load = _load(experiment, own.get("load", {}))
    sampling = _sampling(experiment, own.get("sampling", {}))
    calls = [
        Call(
            name="load",
            target="tensorrt_llm._tensorrt_engine.LLM" if legacy else "tensorrt_llm.LLM",
            kwargs=with_objects(load, section, surface),
            assign="llm",
        ),
        # One object per request, because each has an output limit of its own.
        Call(
            name="sampling",
            target="tensorrt_llm.SamplingParams",
            kwargs=with_objects(sampling, section, surface),
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
        **own.get("settings", {}),
        "surface": surface,
        "execution": "tensorrt" if legacy else "pytorch",
        "config_from": experiment.model.id,
        **drop_none(config_revision=experiment.model.revision),
        "ignore_eos": experiment.ignores_eos,
    }
    return built(experiment, calls, settings=settings, shared=SHARED, arguments={})


def _load(experiment: Experiment, own: dict[str, Any]) -> dict[str, Any]:
    model, engine = experiment.model, section_of(experiment).engine_path
    # Engine and execution name a class and a folder, not arguments of their own.
    own = {name: value for name, value in own.items() if name not in _ELSEWHERE}
    return {
        "model": engine or model.id,
        **drop_none(
            # A built engine comes without a tokenizer; its checkpoint has one.
            tokenizer=model.tokenizer or (model.id if engine else None),
            revision=None if engine else model.revision,
            # A revision belongs to the repository it was given for.
            tokenizer_revision=None if model.tokenizer else model.revision,
            dtype=model.dtype,
            load_format="dummy" if model.random_weights else None,
            trust_remote_code=model.trust_remote_code or None,
        ),
        **own,
    }


def _sampling(experiment: Experiment, own: dict[str, Any]) -> dict[str, Any]:
    decoder = experiment.decoder
    # TensorRT-LLM is greedy exactly where none of these is given, so greedy decoding names none.
    drawn = drop_none(**{name: getattr(decoder, name) for name in SAMPLING_FIELDS})
    return {
        **({} if decoder.samples is False else drawn),
        "seed": decoder.seed,
        **drop_none(
            repetition_penalty=decoder.repetition_penalty,
            min_tokens=decoder.min_new_tokens,
            stop=None if decoder.stop is None else list(decoder.stop),
            # What ends a request was generated too, so it counts.
            include_stop_str_in_output=None if decoder.stop is None else True,
            ignore_eos=experiment.ignores_eos or None,
            # Text would be made inside the window, where only a stop text is looked for in it.
            detokenize=False if decoder.stop is None else None,
        ),
        "return_perf_metrics": True,
        **own,
        **drop_none(use_beam_search=True if "best_of" in own else None),
    }
